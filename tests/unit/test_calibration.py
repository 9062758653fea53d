from __future__ import annotations

from dataclasses import replace

from monitor.calibration import calibrate
from monitor.domain.samples import Outcome
from monitor.programs.assembly import reference_program
from monitor.testing import FakeSandbox, marked
from tests.unit.suites.suite_files import a_task
from tests.unit.suites.trusting_sandbox import TrustingSandbox

NEEDS_HELPER = replace(
    a_task(prompt="def half(x):\n    return x / 2\n\ndef double(x):\n"),
    test="def check(candidate):\n    assert half(candidate(4)) == 4\n",
)


async def test_tests_run_apart_from_the_reference_where_they_can() -> None:
    sandbox = TrustingSandbox()
    found = await calibrate(reference_program(a_task()), sandbox)
    assert found.reference.outcome is Outcome.PASSED
    assert [program.in_process for program in sandbox.executed] == [False]


async def test_tests_that_use_more_of_the_program_run_beside_it() -> None:
    found = await calibrate(reference_program(NEEDS_HELPER), TrustingSandbox())
    assert found.reference.outcome is Outcome.PASSED
    assert found.in_process


async def test_a_wrong_reference_keeps_the_first_verdict() -> None:
    wrong = replace(NEEDS_HELPER, canonical_solution="    return x\n")
    found = await calibrate(reference_program(wrong), TrustingSandbox())
    assert found.reference.outcome is Outcome.FAILED
    assert "NameError" in found.reference.detail
    assert not found.in_process


async def test_a_run_that_was_lost_beside_is_no_fact_about_the_reference() -> None:
    wrong_apart = replace(reference_program(NEEDS_HELPER), source=marked(Outcome.FAILED))
    sandbox = FakeSandbox(lost=lambda program: program.in_process)
    found = await calibrate(wrong_apart, sandbox)
    assert found.reference.outcome is Outcome.UNSCORED
    assert not found.in_process


async def test_our_trouble_is_not_tried_another_way() -> None:
    sandbox = FakeSandbox(lost=lambda _: True)
    found = await calibrate(reference_program(a_task()), sandbox)
    assert found.reference.outcome is Outcome.UNSCORED
    assert len(sandbox.executed) == 1
