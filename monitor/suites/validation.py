"""Whether a suite's tests accept its reference solutions and nothing empty-headed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.calibration import calibrate
from monitor.domain.samples import Calibration, Execution, Outcome, Program, Style
from monitor.domain.tasks import Task, TaskKind
from monitor.ports import Sandbox
from monitor.programs.assembly import program_of, reference_program
from monitor.programs.languages import syntax_of
from monitor.programs.prompts import stops
from monitor.suites.running import in_order

REPEATS = 3
"""Runs of each reference solution: a test that fails now and then is worth nothing."""

IN_FLIGHT = 32
"""Tasks being validated at once, far above the sandbox's slots: every run happens under load."""


class Flaw(StrEnum):
    """What is wrong with a task."""

    REFERENCE_FAILED = "reference-failed"
    REFERENCE_CUT = "reference-cut"
    """Its stops, or its language's, would end the reference solution early in the style completion."""
    EMPTY_PASSED = "empty-passed"
    """Its tests accept a program without the solution."""
    CONSTANT_PASSED = "constant-passed"
    """Its tests accept a solution that always returns the same, or its first argument."""
    NOT_RUN = "not-run"
    """The sandbox could not run it here, which says nothing about the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoy:
    """A program that no test may accept."""

    flaw: Flaw
    """Of tests that do."""
    title: str
    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskValidation:
    """How one task fared."""

    task_id: str
    flaws: tuple[Flaw, ...]
    detail: str
    """Of the first flaw; empty when there is none."""
    reference_cpu_s: float
    """Largest CPU time of the reference's runs, from which time limits are set."""
    in_process: bool
    """Whether its tests pass only beside the program."""

    @property
    def not_run(self) -> bool:
        """Whether nothing is known to be wrong, but not everything could be run."""
        return bool(self.flaws) and all(flaw is Flaw.NOT_RUN for flaw in self.flaws)


def validate_tasks(
    tasks: Iterable[Task], sandbox: Sandbox, *, repeats: int = REPEATS
) -> AsyncIterator[TaskValidation]:
    """Each task's validation, in the order of the tasks, several being run at once.

    Raises:
        SandboxTrouble: no sandbox can be had.
    """
    return in_order(tasks, lambda task: _validate(task, sandbox, repeats), in_flight=IN_FLIGHT)


async def _validate(task: Task, sandbox: Sandbox, repeats: int) -> TaskValidation:
    first = await calibrate(reference_program(task), sandbox)
    runs = [first.reference, *await _repeated(task, first, sandbox, repeats - 1)]
    flaws = _reference_flaws(runs) or await _accepted(task, sandbox, in_process=first.in_process)
    flaws |= _cut(task)
    return TaskValidation(
        task_id=task.task_id,
        flaws=tuple(flaws),
        detail=next(iter(flaws.values()), ""),
        reference_cpu_s=max(run.cpu_s for run in runs),
        in_process=first.in_process,
    )


async def _repeated(task: Task, first: Calibration, sandbox: Sandbox, times: int) -> list[Execution]:
    """More runs of a reference; none when the first was lost, for then it is not known how it runs."""
    if first.reference.outcome is Outcome.UNSCORED:
        return []
    program = replace(reference_program(task), in_process=first.in_process)
    return await asyncio.gather(*(sandbox.execute(program, fresh=True) for _ in range(times)))


async def _accepted(task: Task, sandbox: Sandbox, *, in_process: bool) -> dict[Flaw, str]:
    """The empty-headed programs that the tests accept, or that could not be run."""
    decoys = _decoys(task)
    runs = await asyncio.gather(
        *(sandbox.execute(replace(decoy.program, in_process=in_process)) for decoy in decoys)
    )
    found: dict[Flaw, str] = {}
    for decoy, run in zip(decoys, runs, strict=True):
        if run.outcome is Outcome.PASSED:
            found.setdefault(decoy.flaw, f"its tests accept {decoy.title}")
        elif run.outcome is Outcome.UNSCORED:
            found.setdefault(Flaw.NOT_RUN, run.detail)
    return found


def _reference_flaws(runs: Iterable[Execution]) -> dict[Flaw, str]:
    """What is wrong by all runs of a reference, each flaw with the detail of the run that shows it first."""
    found: dict[Flaw, str] = {}
    for run in runs:
        if run.outcome is not Outcome.PASSED:
            flaw = Flaw.NOT_RUN if run.outcome is Outcome.UNSCORED else Flaw.REFERENCE_FAILED
            found.setdefault(flaw, run.detail)
    return found


def _cut(task: Task) -> dict[Flaw, str]:
    """The flaw of a reference that would be cut short if a model wrote it."""
    for stop in stops(task, Style.COMPLETION):
        if stop in task.canonical_solution:
            return {Flaw.REFERENCE_CUT: f"the stop {stop!r} cuts its reference: give it a `stop` of its own"}
    return {}


def _decoys(task: Task) -> list[_Decoy]:
    if task.kind is TaskKind.ANSWER:
        program = program_of(task, "0")
        return [_Decoy(flaw=Flaw.CONSTANT_PASSED, title="the answer 0", program=program)]
    given = _beside_the_entry_point(task)
    missing = _Decoy(
        flaw=Flaw.EMPTY_PASSED, title="a program without the solution", program=program_of(task, given)
    )
    constant = (
        _Decoy(
            flaw=Flaw.CONSTANT_PASSED,
            title=f"a solution that always gives {value}",
            program=program_of(task, given.lstrip("\n") + definition),
        )
        for value, definition in syntax_of(task.language).stubs(task.entry_point)
    )
    return [missing, *constant]


def _beside_the_entry_point(task: Task) -> str:
    """What the prompt gives before the entry point: a program in which the solution is missing."""
    defined_at = syntax_of(task.language).first_definition(task.prompt, task.entry_point)
    before = task.prompt[:defined_at] if defined_at is not None else ""
    return re.sub(r"(?:^@.*\n)+\Z", "", before, flags=re.MULTILINE) or "\n"
