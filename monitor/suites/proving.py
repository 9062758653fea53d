"""The whole proof of a suite: its references pass, nothing empty-headed does, and its tests bite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.tasks import Task
from monitor.ports import Sandbox
from monitor.suites.mutation.killing import (
    LEAST_OVERALL_SCORE,
    MutationScore,
    Subject,
    overall_score,
    score_tasks,
)
from monitor.suites.validation import TaskValidation, validate_tasks


class Stage(StrEnum):
    """What is being run."""

    REFERENCES = "references"
    MUTANTS = "mutants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was found about a suite's tasks."""

    validations: tuple[TaskValidation, ...]
    """In the order of the tasks."""
    scores: tuple[MutationScore, ...]
    """Of the sound tasks, in the same order; empty when mutants were not asked for."""

    @property
    def flawed(self) -> list[TaskValidation]:
        """Tasks that something is wrong with, or that could not be run."""
        return [each for each in self.validations if each.flaws]

    @property
    def toothless(self) -> list[MutationScore]:
        """Tasks whose tests let too many mutants through."""
        return [each for each in self.scores if each.mutants and not each.suffices]

    @property
    def unproved(self) -> list[MutationScore]:
        """Tasks without a mutant that could be run: nothing shows that their tests bite."""
        return [each for each in self.scores if not each.mutants]

    @property
    def overall_score(self) -> float | None:
        """Share of all mutants that were killed; None when there were none."""
        return overall_score(self.scores)

    @property
    def holds(self) -> bool | None:
        """Whether all tasks are sound; None when nothing is wrong but not everything could be shown."""
        if self.toothless or any(not each.not_run for each in self.flawed):
            return False
        if self.overall_score is not None and self.overall_score < LEAST_OVERALL_SCORE:
            return False
        open_ones = self.flawed or self.unproved or any(each.not_run for each in self.scores)
        return None if open_ones else True


async def prove(
    tasks: Sequence[Task],
    sandbox: Sandbox,
    *,
    equivalents: Mapping[str, frozenset[str]] | None,
    on_done: Callable[[Stage], None],
) -> Proof:
    """Run references and empty-headed solutions, then the mutants of the sound tasks.

    Args:
        tasks: the tasks.
        sandbox: runs the programs.
        equivalents: mutants reviewed to be none, by task id; None runs no mutants at all.
        on_done: is told whenever a task is through a stage.

    Raises:
        InvalidSuite: an equivalent mutant is listed that a task does not have.
        SandboxTrouble: no sandbox can be had.
    """
    validations = []
    async for validation in validate_tasks(tasks, sandbox):
        validations.append(validation)
        on_done(Stage.REFERENCES)
    if equivalents is None:
        return Proof(validations=tuple(validations), scores=())
    subjects = [
        Subject(task=task, in_process=each.in_process, cpu_s=each.reference_cpu_s)
        for task, each in zip(tasks, validations, strict=True)
        if not each.flaws
    ]
    scoring = score_tasks(subjects, sandbox, equivalents=equivalents, on_done=lambda: on_done(Stage.MUTANTS))
    scores = [score async for score in scoring]
    return Proof(validations=tuple(validations), scores=tuple(scores))
