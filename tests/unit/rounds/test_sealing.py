"""Sealed tasks take part in every k-th evaluation, and show who was chosen by the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.domain.evaluation import Evaluation, EvaluationKey, Purpose, State
from monitor.domain.evidence import DecisionKind, ReasonCode
from monitor.domain.samples import SamplingPlan
from monitor.domain.tasks import Seal, Stratum
from monitor.rounds.gate import Gate
from monitor.rounds.sealing import resting
from monitor.rounds.watching import baseline_of, candidate
from monitor.rounds.worker import work_once
from monitor.testing import FakeEngine

from .conftest import START, World, checkpoint

SEALED = frozenset(f"{stratum}/{number:03}" for stratum in ("head", "torso", "tail") for number in range(6))
SEAL = Seal(task_ids=SEALED, every=3)


def queued(
    number: int, *, purpose: Purpose = Purpose.CANDIDATE, suite: str = "s", late_s: int = 0
) -> Evaluation:
    subject = checkpoint(f"c{number}")
    key = EvaluationKey(
        model="acme", checkpoint=subject.digest, suite=suite, plan=SamplingPlan().digest, purpose=purpose
    )
    return Evaluation(
        key=key, checkpoint=subject, state=State.QUEUED, created_at=START + timedelta(seconds=late_s)
    )


def turns(evaluations: list[Evaluation]) -> list[bool]:
    return [not resting(SEAL, each, evaluations) for each in evaluations]


def test_every_third_evaluation_breaks_the_seal() -> None:
    evaluations = [queued(number, late_s=number) for number in range(7)]
    assert turns(evaluations) == [False, False, True, False, False, True, False]
    assert turns(evaluations[::-1]) == turns(evaluations)[::-1]
    assert resting(SEAL, evaluations[0], evaluations) == tuple(sorted(SEALED))


def test_evaluations_queued_at_once_take_turns_as_well() -> None:
    assert sum(turns([queued(number) for number in range(9)])) == 3


def test_banks_and_other_suites_are_not_counted() -> None:
    ours = [queued(number, late_s=10 + number) for number in range(3)]
    others = [queued(9, purpose=Purpose.BANK), *(queued(number, suite="other") for number in range(4))]
    assert [not resting(SEAL, each, [*others, *ours]) for each in ours] == [False, False, True]


def test_a_later_evaluation_changes_nothing_for_an_earlier_one() -> None:
    evaluations = [queued(number, late_s=number) for number in range(3)]
    assert resting(SEAL, evaluations[1], evaluations[:2]) == resting(SEAL, evaluations[1], evaluations)


@pytest.fixture
async def sealed_world() -> World:
    world = World()
    world.suite = replace(world.suite, seal=SEAL)
    world.engine = FakeEngine(
        lambda subject, task_id: 0.1 if subject.name.startswith("memorised") and task_id in SEALED else 0.6
    )
    return await world.with_baseline()


async def evaluated(world: World, name: str) -> Evaluation:
    world.clock.pass_s(1)
    wanted = candidate(world.watch, checkpoint(name), baseline_of(world.watch), now=world.clock())
    world.store.remember("acme", wanted.checkpoint, now=world.clock())
    world.store.enqueue(wanted)
    return await work_once(world.bench(), worker="w:1:1", only=wanted.key.evaluation_id)


def drawn(world: World, record: Evaluation) -> set[str]:
    return {each.task_id for each in world.store.observations(record.key.evaluation_id)}


async def test_a_stratum_that_is_sealed_whole_holds_while_it_rests(world: World) -> None:
    tail = frozenset(f"tail/{number:03}" for number in range(60))
    world.suite = replace(world.suite, seal=Seal(task_ids=tail, every=2))
    world.watch = replace(world.watch, suite=world.suite)
    await world.with_baseline()
    rested = await evaluated(world, "one")
    assert not drawn(world, rested) & tail
    assert rested.decision.kind is DecisionKind.HOLD
    first = rested.decision.reasons[0]
    assert (first.code, first.stratum) == (ReasonCode.FLOOR, Stratum.TAIL)
    gate = Gate(world.watch, replace(world.policy, alpha=0.04))
    assert gate.decision_for("one", now=world.clock()).kind is DecisionKind.HOLD
    assert (await evaluated(world, "two")).decision.kind is DecisionKind.PROMOTE


async def test_a_bank_holds_sealed_tasks_and_a_candidate_draws_them_in_its_turn(sealed_world: World) -> None:
    (bank,) = sealed_world.store.evaluations("acme")
    assert drawn(sealed_world, bank) >= SEALED
    records = [await evaluated(sealed_world, name) for name in ("one", "two", "three")]
    assert [bool(record.resting_tasks) for record in records] == [True, True, False]
    assert [bool(drawn(sealed_world, record) & SEALED) for record in records] == [False, False, True]
    assert [record.sealed_gap is None for record in records] == [True, True, False]


async def test_who_was_chosen_by_the_open_tasks_falls_on_the_sealed_ones(sealed_world: World) -> None:
    records = [await evaluated(sealed_world, f"memorised {number}") for number in range(3)]
    assert records[0].sealed_gap is None
    gap = records[2].sealed_gap
    assert gap is not None
    # Sealed tasks fell by .5; 18 tasks at one or two samples each: a standard error near .1.
    assert -0.8 < gap < -0.2


async def test_a_suite_without_a_seal_has_no_gap() -> None:
    world = await World().with_baseline()
    record = await evaluated(world, "equal")
    assert (record.resting_tasks, record.sealed_gap) == ((), None)
