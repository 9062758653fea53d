from __future__ import annotations

from collections import Counter
from dataclasses import replace

from monitor.domain.tasks import Task
from monitor.suites.mutation.killing import MutationScore
from monitor.suites.proving import Proof, Stage, prove
from tests.unit.suites.suite_files import a_task
from tests.unit.suites.trusting_sandbox import TrustingSandbox

GOOD = a_task()
WRONG = replace(a_task(), task_id="t/2", canonical_solution="    return x\n")
TOOTHLESS = replace(a_task(), task_id="t/3", test="def check(f):\n    assert f(2) == 4\n")
FOREIGN = replace(a_task(language="ruby"), task_id="t/4")


async def _proof(*tasks: Task, mutants: bool = True) -> tuple[Proof, Counter[Stage]]:
    done: Counter[Stage] = Counter()
    proof = await prove(
        tasks,
        TrustingSandbox(),
        equivalents={} if mutants else None,
        on_done=lambda stage: done.update([stage]),
    )
    return proof, done


async def test_a_sound_suite_holds() -> None:
    proof, done = await _proof(GOOD)
    assert (proof.holds, proof.overall_score) == (True, 1.0)
    assert done == {Stage.REFERENCES: 1, Stage.MUTANTS: 1}


async def test_without_mutants_none_are_run() -> None:
    proof, done = await _proof(TOOTHLESS, mutants=False)
    assert (proof.holds, proof.scores, proof.overall_score) == (True, (), None)
    assert done == {Stage.REFERENCES: 1}


async def test_mutants_are_made_of_sound_tasks_only() -> None:
    proof, _ = await _proof(GOOD, WRONG)
    assert proof.holds is False
    assert [each.task_id for each in proof.flawed] == ["t/2"]
    assert [each.task_id for each in proof.scores] == ["t/1"]


async def test_tests_without_teeth_make_a_suite_fall() -> None:
    proof, _ = await _proof(GOOD, TOOTHLESS)
    assert proof.holds is False
    assert [each.task_id for each in proof.toothless] == ["t/3"]


def _score(task_id: str, killed: int, mutants: int) -> MutationScore:
    return MutationScore(
        task_id=task_id, mutants=mutants, killed=killed, equivalent=0, not_run=0, survivors=()
    )


def test_a_suite_of_barely_sufficient_tasks_falls() -> None:
    barely = Proof(validations=(), scores=(_score("t/1", 9, 10), _score("t/2", 9, 10)))
    assert (barely.toothless, barely.holds) == ([], False)
    assert Proof(validations=(), scores=(_score("t/1", 9, 10), _score("t/2", 10, 10))).holds


def test_a_task_without_mutants_is_not_shown_to_bite() -> None:
    proof = Proof(validations=(), scores=(_score("t/1", 10, 10), _score("t/2", 0, 0)))
    assert [each.task_id for each in proof.unproved] == ["t/2"]
    assert (proof.toothless, proof.holds) == ([], None)


async def test_what_could_not_be_run_leaves_it_open() -> None:
    proof, _ = await _proof(GOOD, FOREIGN)
    assert proof.holds is None
    proof, _ = await _proof(WRONG, FOREIGN)
    assert proof.holds is False
