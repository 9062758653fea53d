"""The mutants of a task."""

from __future__ import annotations

from monitor.domain.tasks import Task, TaskKind
from monitor.suites.mutation.mutant import FEW_MUTANTS, Mutant, distinct
from monitor.suites.mutation.python import further_python_mutants, normal_form, python_mutants
from monitor.suites.mutation.tokens import further_token_mutants, token_mutants
from monitor.suites.mutation.vocabulary import vocabulary_of


def mutants_of(task: Task) -> list[Mutant]:
    """All mutants of a task's reference solution, no two alike: the usual ones in the order of its text.

    Where these are few, more kinds of mistakes follow. There are none of an answer, of a Python program
    that does not parse, nor in a language whose mistakes we do not know.
    """
    usual = _mutants(task, further=False)
    return usual if len(usual) >= FEW_MUTANTS else _mutants(task, further=True)


def _mutants(task: Task, *, further: bool) -> list[Mutant]:
    if task.kind is TaskKind.ANSWER:
        return []
    given, solution = task.prompt, task.canonical_solution
    if task.language == "python":
        mutants = list(python_mutants(given, solution))
        if further:
            mutants += further_python_mutants(given, solution)
        return distinct(mutants, normal_form(given + solution)) if mutants else []
    vocabulary = vocabulary_of(task.language)
    if vocabulary is None:
        return []
    mutants = list(token_mutants(given, solution, vocabulary))
    if further:
        mutants += further_token_mutants(given, solution, vocabulary)
    return distinct(mutants, given + solution)
