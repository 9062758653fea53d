"""Where a task's tests can run: decided once per task by its reference solution, never by a candidate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from monitor.domain.samples import Calibration, Outcome, Program
from monitor.ports import Sandbox


async def calibrate_all(references: Sequence[Program], sandbox: Sandbox) -> list[Calibration]:
    """Run each task's reference program; one calibration per program, in order.

    Raises:
        SandboxTrouble: no sandbox can be had at all.
    """
    return list(await asyncio.gather(*(calibrate(reference, sandbox) for reference in references)))


async def calibrate(reference: Program, sandbox: Sandbox) -> Calibration:
    """Run a reference with its tests apart from it if they can be, else beside it.

    Tests that use more of a program than its entry point pass only beside it. When the reference
    passes neither way, apart stands: the task is wrong, or this environment lacks something, and the
    execution says what. A run that was lost on our side says nothing about the task, and is returned.

    Raises:
        SandboxTrouble: no sandbox can be had at all.
    """
    split = await sandbox.execute(replace(reference, in_process=False))
    if split.outcome in {Outcome.PASSED, Outcome.UNSCORED}:
        return Calibration(in_process=False, reference=split)
    beside = await sandbox.execute(replace(reference, in_process=True))
    if beside.outcome is Outcome.PASSED:
        return Calibration(in_process=True, reference=beside)
    lost = beside.outcome is Outcome.UNSCORED
    return Calibration(in_process=False, reference=beside if lost else split)
