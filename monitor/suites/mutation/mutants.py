"""The mutants of a task."""

from __future__ import annotations

from monitor.domain.tasks import Task, TaskKind
from monitor.suites.mutation.mutant import Mutant, distinct
from monitor.suites.mutation.python import normal_form, python_mutants
from monitor.suites.mutation.tokens import token_mutants
from monitor.suites.mutation.vocabulary import vocabulary_of


def mutants_of(task: Task) -> list[Mutant]:
    """All mutants of a task's reference solution, in the order of its text, no two alike.

    There are none of an answer, of a Python program that does not parse, nor in a language whose
    mistakes we do not know.
    """
    if task.kind is TaskKind.ANSWER:
        return []
    given, solution = task.prompt, task.canonical_solution
    if task.language == "python":
        mutants = list(python_mutants(given, solution))
        return distinct(mutants, normal_form(given + solution)) if mutants else []
    vocabulary = vocabulary_of(task.language)
    if vocabulary is None:
        return []
    return distinct(token_mutants(given, solution, vocabulary), given + solution)
