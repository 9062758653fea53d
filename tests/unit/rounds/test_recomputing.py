"""A decision is what the stored samples say, whenever it is asked and whatever came after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.evaluation import Evaluation, Purpose, State
from monitor.domain.evidence import DecisionKind, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.rounds.gate import Gate
from monitor.rounds.watching import bank, baseline_of, candidate, comparison, promote
from monitor.rounds.weighing import conclude
from monitor.rounds.worker import work_once
from monitor.testing import FakeEngine
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import rules_for

from .conftest import World, checkpoint
from .test_evaluating import evaluated

STRICTER = Policy(margin=dict.fromkeys(Stratum, 0.05))


def falling(subject, task_id: str) -> float:
    """What is called bad has lost 30 points of the tail, what is called sag 12, the others nothing."""
    lost = {"bad": 0.3, "sag": 0.12}.get(subject.name[:3], 0.0)
    return 0.6 - lost if task_id.startswith("tail") else 0.6


async def done(world: World, wanted: Evaluation) -> Evaluation:
    world.clock.pass_s(60)
    world.store.remember("acme", wanted.checkpoint, now=world.clock())
    world.store.enqueue(wanted)
    record = await work_once(world.bench(), worker="w:1:1", only=wanted.key.evaluation_id)
    assert record.state is State.DECIDED
    return record


async def deepened(world: World, samples: int) -> None:
    wanted = bank(world.watch, baseline_of(world.watch), now=world.clock())
    known = world.store.evaluation(wanted.key.evaluation_id)
    world.store.save(replace(known, state=State.QUEUED))
    world.plan = replace(world.plan, samples_per_task=samples)
    await done(world, known)


def recomputed(world: World, record: Evaluation):
    return conclude(world.store, record, rules_for(world.policy, greedy=False))


@pytest.mark.parametrize("name", ["equal", "worse"])
async def test_a_decision_is_found_again_in_the_store(world, name):
    await world.with_baseline()
    record = await evaluated(world, name)
    assert recomputed(world, record) == record.decision


@pytest.mark.parametrize("name", ["equal", "worse"])
async def test_deepening_the_bank_changes_no_decision_and_serves_the_next_evaluation(world, name):
    await world.with_baseline()
    record = await evaluated(world, name)
    await deepened(world, 64)
    assert recomputed(world, record) == record.decision
    baseline = baseline_of(world.watch)
    later = await done(world, candidate(world.watch, checkpoint("later"), baseline, now=world.clock()))
    assert {view.depth for view in record.banks.values()} == {32}
    assert later.banks[baseline.digest].depth == 64


async def test_an_evaluation_that_was_cut_off_keeps_to_the_bank_it_began_with(world):
    await world.with_baseline()
    undisturbed = await evaluated(world, "worse")
    world.store.save(replace(undisturbed, state=State.QUEUED, decision=None, finished_at=None))
    await deepened(world, 64)
    again = await work_once(world.bench(), worker="w:1:1", only=undisturbed.key.evaluation_id)
    assert again.decision == undisturbed.decision


async def test_slow_decline_counts_what_was_decided_before_and_not_what_was_queued_before(world):
    await world.with_baseline()
    world.engine = FakeEngine(falling)
    world.policy = Policy(margin=dict.fromkeys(Stratum, 0.45), minimum_samples=120)
    baseline = baseline_of(world.watch)
    waiting = candidate(world.watch, checkpoint("sag2"), baseline, now=world.clock())
    records = [
        await done(world, candidate(world.watch, checkpoint(name), baseline, now=world.clock()))
        for name in ("sag0", "sag1")
    ]
    records.append(await done(world, waiting))
    assert [each.decision.kind for each in records] == [
        DecisionKind.PROMOTE,
        DecisionKind.PROMOTE,
        DecisionKind.HOLD,
    ]
    assert records[-1].decision.reasons[0].code is ReasonCode.SLOW_DECLINE
    for record in records:
        assert recomputed(world, record) == record.decision


async def test_comparing_two_bad_checkpoints_holds_no_good_one(world):
    await world.with_baseline()
    world.engine = FakeEngine(falling)
    bad = checkpoint("bad1")
    await done(world, bank(world.watch, bad, now=world.clock()))
    for number in range(2, 5):
        wanted = comparison(world.watch, checkpoint(f"bad{number}"), bad, now=world.clock())
        compared = await done(world, wanted)
        assert compared.key.purpose is Purpose.COMPARISON
        assert compared.decision.kind is DecisionKind.PROMOTE
    good = await done(
        world, candidate(world.watch, checkpoint("good"), baseline_of(world.watch), now=world.clock())
    )
    assert good.decision.kind is DecisionKind.PROMOTE
    world.watch = replace(world.watch, baseline=bad.digest)
    answer = Gate(world.watch, world.policy).decision_for("bad2", now=world.clock())
    assert answer.reasons[0].code is ReasonCode.EVALUATION_MISSING


async def test_comparing_with_the_baseline_is_the_evaluation_itself(world):
    await world.with_baseline()
    record = await evaluated(world, "equal")
    wanted = comparison(world.watch, checkpoint("equal"), baseline_of(world.watch), now=world.clock())
    assert wanted.key == record.key
    promote(world.watch, checkpoint("equal"), now=world.clock())
    assert (
        comparison(world.watch, checkpoint("equal"), checkpoint("base"), now=world.clock()).key == record.key
    )


async def test_a_checkpoint_that_is_weighed_again_counts_once_for_slow_decline(world):
    await world.with_baseline()
    baseline = baseline_of(world.watch)
    first = await done(world, candidate(world.watch, checkpoint("equal"), baseline, now=world.clock()))
    world.clock.pass_s(60)
    again = candidate(world.watch, checkpoint("equal"), baseline, now=world.clock(), again=True)
    assert (await done(world, again)).decision == first.decision


async def test_another_policy_weighs_the_stored_samples_again(world):
    await world.with_baseline()
    await evaluated(world, "equal")
    answer = Gate(world.watch, world.policy).decision_for("equal", now=world.clock())
    assert answer.kind is DecisionKind.PROMOTE
    stricter = Gate(world.watch, STRICTER).decision_for("equal", now=world.clock())
    assert stricter.kind is DecisionKind.HOLD
    assert {finding.evidence.margin for finding in stricter.findings} == {0.05}
    await evaluated(world, "worse")
    laxer = replace(world.policy, critical=frozenset({Stratum.HEAD}))
    for policy, rejects in ((world.policy, True), (laxer, False)):
        answer = Gate(world.watch, policy).decision_for("worse", now=world.clock())
        assert (answer.kind is DecisionKind.REJECT) is rejects


async def test_a_policy_that_only_changes_the_age_limit_answers_what_was_stored(world):
    await world.with_baseline()
    record = await evaluated(world, "equal")
    world.store.save(replace(record, decision=replace(record.decision, reasons=())))
    patient = replace(world.policy, max_age_s=world.policy.max_age_s * 2)
    assert Gate(world.watch, patient).decision_for("equal", now=world.clock()).reasons == ()


async def test_an_evaluation_that_is_taken_up_again_draws_what_the_new_policy_lacks(world):
    await world.with_baseline()
    record = await evaluated(world, "equal")
    before = world.store.observations(record.key.evaluation_id)
    world.policy = replace(world.policy, margin=dict.fromkeys(Stratum, 0.15))
    world.store.save(replace(record, state=State.QUEUED))
    again = await work_once(world.bench(), worker="w:1:1", only=record.key.evaluation_id)
    assert again.policy == world.policy.digest != record.policy
    assert set(before) < set(world.store.observations(record.key.evaluation_id))
    assert Gate(world.watch, world.policy).decision_for("equal", now=world.clock()) == again.decision
    assert recomputed(world, again) == again.decision


async def test_a_bank_that_is_being_drawn_holds_what_must_be_weighed_again(world):
    await world.with_baseline()
    await evaluated(world, "equal")
    known = world.store.evaluation(
        bank(world.watch, baseline_of(world.watch), now=world.clock()).key.evaluation_id
    )
    world.store.save(replace(known, state=State.QUEUED))
    answer = Gate(world.watch, STRICTER).decision_for("equal", now=world.clock())
    assert (answer.kind, answer.reasons[0].code) == (DecisionKind.HOLD, ReasonCode.BASELINE_MISSING)
