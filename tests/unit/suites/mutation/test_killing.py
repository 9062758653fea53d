from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.errors import InvalidSuite
from monitor.domain.samples import Execution, Outcome, Program
from monitor.domain.tasks import Task
from monitor.suites.mutation.killing import MOST_MUTANTS, MutationScore, Subject, overall_score, score_tasks
from tests.unit.suites.suite_files import a_task
from tests.unit.suites.trusting_sandbox import TrustingSandbox

TOOTHLESS = "def check(candidate):\n    assert candidate(2) == 4\n"
"""Does not tell 2 * x from 2 + x."""


class ScriptedSandbox(TrustingSandbox):
    """Answers every program alike."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self._outcome = outcome

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        self.executed.append(program)
        return Execution(outcome=self._outcome)


async def _scored(
    task: Task, *, listed: frozenset[str] = frozenset(), sandbox: TrustingSandbox | None = None
) -> MutationScore:
    subject = Subject(task=task, in_process=False, cpu_s=0.01)
    done: list[None] = []
    scores = score_tasks(
        [subject],
        sandbox or TrustingSandbox(),
        equivalents={task.task_id: listed},
        on_done=lambda: done.append(None),
    )
    (score,) = [each async for each in scores]
    assert len(done) == 1
    return score


async def test_tests_that_bite_kill_every_mutant() -> None:
    score = await _scored(a_task())
    assert (score.mutants, score.killed, score.score, score.survivors) == (4, 4, 1.0, ())
    assert score.suffices


async def test_a_survivor_is_named_and_too_many_do_not_suffice() -> None:
    score = await _scored(replace(a_task(), test=TOOTHLESS))
    assert [each.change for each in score.survivors] == ["line 2: 2 * x -> 2 + x"]
    assert score.score == 0.75
    assert not score.suffices


async def test_a_mutant_reviewed_as_equivalent_is_not_run() -> None:
    score = await _scored(replace(a_task(), test=TOOTHLESS), listed=frozenset({"line 2: 2 * x -> 2 + x"}))
    assert (score.mutants, score.killed, score.equivalent) == (3, 3, 1)


async def test_a_listed_mutant_that_the_task_does_not_have_is_an_error() -> None:
    with pytest.raises(InvalidSuite, match="does not have: line 9"):
        await _scored(a_task(), listed=frozenset({"line 9: x -> y"}))


@pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.CRASHED])
async def test_however_a_mutant_fails_it_is_killed(outcome: Outcome) -> None:
    assert (await _scored(a_task(), sandbox=ScriptedSandbox(outcome))).score == 1.0


async def test_what_does_not_compile_or_could_not_be_run_does_not_count() -> None:
    rejected = await _scored(a_task(), sandbox=ScriptedSandbox(Outcome.REJECTED))
    assert (rejected.mutants, rejected.score, rejected.suffices, rejected.not_run) == (0, None, False, 0)
    unscored = await _scored(a_task(), sandbox=ScriptedSandbox(Outcome.UNSCORED))
    assert (unscored.mutants, unscored.score, unscored.not_run) == (0, None, 4)


async def test_mutants_that_never_end_are_stopped_soon_and_there_are_not_too_many() -> None:
    sandbox = TrustingSandbox()
    await _scored(replace(a_task(), canonical_solution="    return x" + " + 1" * 60 + "\n"), sandbox=sandbox)
    assert len(sandbox.executed) == MOST_MUTANTS
    assert {program.limits.cpu_s for program in sandbox.executed} == {0.25}


async def test_a_slow_reference_gives_its_mutants_time_but_never_more_than_the_task() -> None:
    sandbox = TrustingSandbox()
    subjects = [Subject(task=a_task(), in_process=True, cpu_s=cpu_s) for cpu_s in (0.1, 0.4)]
    scores = score_tasks(subjects, sandbox, equivalents={}, on_done=lambda: None)
    assert len([each async for each in scores]) == 2
    assert {program.limits.cpu_s for program in sandbox.executed} == {2.0, 3.0}
    assert all(program.in_process for program in sandbox.executed)


async def test_the_overall_score_counts_mutants_not_tasks() -> None:
    good, bad = await _scored(a_task()), await _scored(replace(a_task(), test=TOOTHLESS))
    assert overall_score([good, bad]) == 7 / 8
    assert overall_score([]) is None
