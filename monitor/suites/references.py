"""Running a task's own solution, in the way in which its tests can be run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.domain.samples import Execution, Outcome, Program
from monitor.domain.tasks import Task
from monitor.ports import Sandbox
from monitor.suites.assembly import reference_program


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRun:
    """What became of a task's reference solution."""

    program: Program
    """As it ran: ``in_process`` says whether its tests had to run beside it."""
    execution: Execution


async def run_reference(task: Task, sandbox: Sandbox) -> ReferenceRun:
    """Run the reference, its tests apart from it if they can be, else beside it.

    Tests that use more of a program than its entry point pass only beside it. When the reference
    passes neither way, the run apart from the tests stands.

    Raises:
        SandboxTrouble: no sandbox can be had.
    """
    program = reference_program(task)
    apart = await sandbox.execute(program)
    if apart.outcome is Outcome.PASSED or apart.outcome is Outcome.UNSCORED:
        return ReferenceRun(program=program, execution=apart)
    beside = replace(program, in_process=True)
    execution = await sandbox.execute(beside)
    if execution.outcome is Outcome.PASSED:
        return ReferenceRun(program=beside, execution=execution)
    return ReferenceRun(program=program, execution=apart)
