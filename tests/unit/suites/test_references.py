from __future__ import annotations

from dataclasses import replace

from monitor.domain.samples import Outcome
from monitor.suites.references import run_reference
from monitor.testing import FakeSandbox
from tests.unit.suites.suite_files import a_task
from tests.unit.suites.trusting_sandbox import TrustingSandbox

NEEDS_HELPER = replace(
    a_task(prompt="def half(x):\n    return x / 2\n\ndef double(x):\n"),
    test="def check(candidate):\n    assert half(candidate(4)) == 4\n",
)


async def test_tests_run_apart_from_the_reference_where_they_can() -> None:
    sandbox = TrustingSandbox()
    run = await run_reference(a_task(), sandbox)
    assert run.execution.outcome is Outcome.PASSED
    assert [program.in_process for program in sandbox.executed] == [False]


async def test_tests_that_use_more_of_the_program_run_beside_it() -> None:
    run = await run_reference(NEEDS_HELPER, TrustingSandbox())
    assert run.execution.outcome is Outcome.PASSED
    assert run.program.in_process


async def test_a_wrong_reference_keeps_the_first_verdict() -> None:
    run = await run_reference(replace(NEEDS_HELPER, canonical_solution="    return x\n"), TrustingSandbox())
    assert run.execution.outcome is Outcome.FAILED
    assert "NameError" in run.execution.detail
    assert not run.program.in_process


async def test_our_trouble_is_not_tried_another_way() -> None:
    sandbox = FakeSandbox(lost=lambda _: True)
    run = await run_reference(a_task(), sandbox)
    assert run.execution.outcome is Outcome.UNSCORED
    assert len(sandbox.executed) == 1
