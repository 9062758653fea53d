"""Whether a task's tests tell its mutants from its reference."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from monitor.domain.samples import Outcome, Program
from monitor.domain.tasks import Task
from monitor.ports import Sandbox
from monitor.programs.assembly import reference_program
from monitor.suites.mutation.equivalents import refuse_unknown_changes
from monitor.suites.mutation.mutant import Mutant, chosen
from monitor.suites.mutation.mutants import mutants_of
from monitor.suites.running import in_order

MOST_MUTANTS = 40
"""Mutants run per task: by then the score hardly moves, and the next task's are worth more."""

LEAST_SCORE = 0.85
"""A task whose tests let more mutants through does not tell right from wrong well enough."""

LEAST_OVERALL_SCORE = 0.93
"""And a suite whose tests let more through than this does not, however even its tasks are."""

TASKS_IN_FLIGHT = 4
"""Tasks whose mutants wait for the sandbox at once."""

_CPU_FACTOR, _LEAST_CPU_S = 20, 0.25
"""A mutant that takes so much longer than its reference never ends, as far as we care."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A task that was found sound, and how its programs run."""

    task: Task
    in_process: bool
    """Whether its tests need to run beside the program."""
    cpu_s: float
    """CPU time of its reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """A mutant that the tests took for the reference."""

    kind: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MutationScore:
    """How many of a task's mutants its tests found out."""

    task_id: str
    mutants: int
    """Those that were run and compiled."""
    killed: int
    equivalent: int
    """Left out, as reviewed to do the same as the reference."""
    not_run: int
    """Left out, since the sandbox could not run them here."""
    survivors: tuple[Survivor, ...]

    @property
    def score(self) -> float | None:
        """Share of the mutants that were killed; None when there were none."""
        return self.killed / self.mutants if self.mutants else None

    @property
    def suffices(self) -> bool:
        """Whether the tests were seen to bite well enough."""
        return self.score is not None and self.score >= LEAST_SCORE


def overall_score(scores: Iterable[MutationScore]) -> float | None:
    """Share of all mutants that were killed; None when there were none."""
    counts = [(each.killed, each.mutants) for each in scores]
    mutants = sum(count for _, count in counts)
    return sum(killed for killed, _ in counts) / mutants if mutants else None


def score_tasks(
    subjects: Iterable[Subject],
    sandbox: Sandbox,
    *,
    equivalents: Mapping[str, frozenset[str]],
    on_done: Callable[[], None],
) -> AsyncIterator[MutationScore]:
    """Each task's mutation score, in the order of the tasks.

    Args:
        subjects: the tasks.
        sandbox: runs the mutants.
        equivalents: changes that were reviewed to be none, by task id.
        on_done: is called whenever a task is through.

    Raises:
        InvalidSuite: an equivalent mutant is listed that a task does not have.
        SandboxTrouble: no sandbox can be had.
    """

    async def work(subject: Subject) -> MutationScore:
        score = await _score(subject, sandbox, equivalents.get(subject.task.task_id, frozenset()))
        on_done()
        return score

    return in_order(subjects, work, in_flight=TASKS_IN_FLIGHT)


async def _score(subject: Subject, sandbox: Sandbox, listed: frozenset[str]) -> MutationScore:
    mutants = mutants_of(subject.task)
    refuse_unknown_changes(subject.task.task_id, listed, [each.change for each in mutants])
    run = chosen([each for each in mutants if each.change not in listed], MOST_MUTANTS)
    executions = await asyncio.gather(*(sandbox.execute(_program(each, subject)) for each in run))
    outcomes = [execution.outcome for execution in executions]
    # What does not compile was no program, so it proves nothing about the tests.
    counted = [outcome not in {Outcome.REJECTED, Outcome.UNSCORED} for outcome in outcomes]
    survivors = [each for each, outcome in zip(run, outcomes, strict=True) if outcome is Outcome.PASSED]
    return MutationScore(
        task_id=subject.task.task_id,
        mutants=sum(counted),
        killed=sum(counted) - len(survivors),
        equivalent=len(listed),
        not_run=outcomes.count(Outcome.UNSCORED),
        survivors=tuple(Survivor(kind=each.kind.value, change=each.change) for each in survivors),
    )


def _program(each: Mutant, subject: Subject) -> Program:
    reference = reference_program(subject.task)
    cpu_s = min(reference.limits.cpu_s, max(_LEAST_CPU_S, _CPU_FACTOR * subject.cpu_s))
    limits = replace(reference.limits, cpu_s=cpu_s)
    return replace(reference, source=each.source, limits=limits, in_process=subject.in_process)
