from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.errors import SandboxTrouble
from monitor.domain.samples import Execution, Outcome, Program
from monitor.domain.tasks import Task, TaskKind
from monitor.programs.languages import syntax_of
from monitor.suites.validation import Flaw, TaskValidation, validate_tasks
from monitor.testing import FakeSandbox
from tests.unit.suites.suite_files import a_task
from tests.unit.suites.trusting_sandbox import TrustingSandbox


async def _validated(task: Task) -> TaskValidation:
    return await anext(validate_tasks([task], TrustingSandbox()))


async def test_a_good_task_has_no_flaws() -> None:
    validation = await _validated(a_task())
    assert (validation.flaws, validation.detail, validation.reference_cpu_s) == ((), "", 0.01)


async def test_a_reference_that_fails_is_a_flaw() -> None:
    validation = await _validated(replace(a_task(), canonical_solution="    return x\n"))
    assert validation.flaws == (Flaw.REFERENCE_FAILED,)
    assert "AssertionError" in validation.detail


@pytest.mark.parametrize(
    ("test", "flaws"),
    [
        ("def check(candidate):\n    pass\n", (Flaw.CONSTANT_PASSED,)),
        ("def check(candidate):\n    candidate(3)\n", (Flaw.CONSTANT_PASSED,)),
        ("def check(candidate):\n    assert candidate(3) in (6, [])\n", (Flaw.CONSTANT_PASSED,)),
        ("def check(candidate):\n    assert candidate(0) == 0\n", (Flaw.CONSTANT_PASSED,)),
        ("def check(candidate):\n    assert candidate(3) in (6, 3)\n", (Flaw.CONSTANT_PASSED,)),
    ],
)
async def test_tests_that_accept_anything_are_a_flaw(test: str, flaws: tuple[Flaw, ...]) -> None:
    assert (await _validated(replace(a_task(), test=test))).flaws == flaws


async def test_a_reference_that_the_stops_would_cut_is_a_flaw() -> None:
    longer = replace(a_task(), canonical_solution="    return twice(x)\n\ndef twice(x):\n    return 2 * x\n")
    validation = await _validated(longer)
    assert validation.flaws == (Flaw.REFERENCE_CUT,)
    assert "'\\ndef '" in validation.detail
    assert (await _validated(replace(longer, stop=("\nclass ",)))).flaws == ()


async def test_the_constant_that_was_accepted_is_shown() -> None:
    test = "def check(candidate):\n    assert candidate(3) in (6, 3)\n"
    validation = await _validated(replace(a_task(), test=test))
    assert validation.detail == "its tests accept a solution that always gives args[0] if args else None"


@pytest.mark.parametrize("language", ["awk", "lua", "perl", "ruby", "scheme", "shell", "tcl"])
async def test_empty_headed_solutions_are_tried_in_every_language_of_the_core_suite(language: str) -> None:
    sandbox = FakeSandbox()
    task = replace(a_task(prompt="", language=language), canonical_solution="reference")
    validation = await anext(validate_tasks([task], sandbox))
    assert validation.flaws == (Flaw.CONSTANT_PASSED,)
    decoys = {program.source for program in sandbox.executed} - {"reference", "\n"}
    assert len(decoys) >= 4
    assert all(syntax_of(language).defines(source, "double") for source in decoys)


async def test_what_could_not_be_run_is_told_from_what_is_wrong() -> None:
    assert (await _validated(a_task(language="ruby"))).not_run
    assert not (await _validated(replace(a_task(), canonical_solution="    return x\n"))).not_run
    assert not (await _validated(a_task())).not_run


async def test_an_answer_task_must_not_accept_a_constant() -> None:
    good = "def check(answer):\n    assert answer.strip() == '42'\n"
    task = replace(a_task(kind=TaskKind.ANSWER), canonical_solution="42", test=good)
    assert (await _validated(task)).flaws == ()
    assert (await _validated(replace(task, test="def check(answer): pass\n"))).flaws == (
        Flaw.CONSTANT_PASSED,
    )


async def test_what_could_not_be_run_is_no_flaw_of_the_reference() -> None:
    validation = await _validated(a_task(language="ruby"))
    assert validation.flaws == (Flaw.NOT_RUN,)
    assert "not installed" in validation.detail


class _FailsThenIsLost(TrustingSandbox):
    """Its second and third run of a reference end differently."""

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        if fresh:
            self.executed.append(program)
            outcome = Outcome.FAILED if len(self.executed) == 2 else Outcome.UNSCORED
            return Execution(outcome=outcome, detail=outcome.value)
        return await super().execute(program)


async def test_all_flaws_of_a_references_runs_are_told() -> None:
    validation = await anext(validate_tasks([a_task()], _FailsThenIsLost()))
    assert validation.flaws == (Flaw.REFERENCE_FAILED, Flaw.NOT_RUN)
    assert validation.detail == Outcome.FAILED.value
    assert not validation.not_run


async def test_a_reference_whose_way_to_run_is_unknown_is_not_run_again() -> None:
    sandbox = FakeSandbox(lost=lambda _: True)
    assert (await anext(validate_tasks([a_task()], sandbox))).flaws == (Flaw.NOT_RUN,)
    assert len(sandbox.executed) == 1


async def test_each_reference_is_run_several_times_and_order_is_kept() -> None:
    sandbox = TrustingSandbox()
    tasks = [replace(a_task(), task_id=f"t/{number}") for number in range(40)]
    validated = [each.task_id async for each in validate_tasks(tasks, sandbox, repeats=2)]
    assert validated == [task.task_id for task in tasks]
    runs = 2 + 1 + 7  # the reference, an empty program, constants
    assert len(sandbox.executed) == 40 * runs


async def test_a_lost_sandbox_ends_the_validation() -> None:
    with pytest.raises(SandboxTrouble):
        [each async for each in validate_tasks([a_task()] * 50, FakeSandbox(life=10))]
