"""Evaluations from queue to decision, on fakes that keep every port's promises."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from monitor.domain.errors import CheckpointReplaced
from monitor.domain.evaluation import Purpose, State
from monitor.domain.evidence import DecisionKind, ReasonCode
from monitor.domain.samples import Outcome
from monitor.domain.tasks import Stratum
from monitor.rounds.run import current_run
from monitor.rounds.watching import bank, baseline_of, candidate
from monitor.rounds.worker import ATTEMPTS, work_once
from monitor.testing import FakeEngine, FakeSandbox
from monitor.testing.fakes import Failings
from monitor.verdicts.policy import Depth

from .conftest import World, checkpoint, pass_ratio

WORKER = "w:1:1"


async def evaluated(world: World, name: str):
    wanted = candidate(world.watch, checkpoint(name), baseline_of(world.watch), now=world.clock())
    world.watch.store.remember("acme", wanted.checkpoint, now=world.clock())
    world.store.enqueue(wanted)
    return await work_once(world.bench(), worker=WORKER, only=wanted.key.evaluation_id)


async def test_a_bank_holds_every_sample_of_every_task(world):
    await world.with_baseline()
    (bank,) = world.store.evaluations("acme")
    assert bank.state is State.DECIDED
    assert bank.key.purpose is Purpose.BANK
    assert sum(world.store.tallies(bank.key.evaluation_id).values()) == 180 * 32


async def test_an_unchanged_checkpoint_is_promoted_for_few_samples(world):
    await world.with_baseline()
    record = await evaluated(world, "equal")
    assert record.decision.kind is DecisionKind.PROMOTE
    assert sum(world.store.tallies(record.key.evaluation_id).values()) < 600


async def test_a_checkpoint_that_lost_the_tail_is_rejected_for_it(world):
    await world.with_baseline()
    record = await evaluated(world, "worse")
    assert record.decision.kind is DecisionKind.REJECT
    (reason,) = [r for r in record.decision.reasons if r.code is ReasonCode.STRATUM_REGRESSED]
    assert reason.stratum is Stratum.TAIL


async def test_a_full_evaluation_draws_all_that_is_planned_in_whole_waves_and_decides_the_same(world):
    await world.with_baseline()
    brief = await evaluated(world, "equal")
    full = await World().with_baseline()
    full.policy = replace(full.policy, depth=Depth.FULL)
    record = await evaluated(full, "equal")
    kinds = [[finding.kind for finding in each.decision.findings] for each in (brief, record)]
    assert kinds[0] == kinds[1]
    assert sum(full.store.tallies(record.key.evaluation_id).values()) == 180 * 32
    drawn = [each.samples for each in full.progress if each.assessment is not None]
    assert drawn == list(range(0, 180 * 32 + 1, 48))


async def test_an_engine_that_dies_costs_a_retry_and_changes_nothing(world):
    await world.with_baseline()
    undisturbed = await evaluated(world, "equal")
    other = await World().with_baseline()
    other.engine = FakeEngine(pass_ratio, Failings(lives=(20,)))
    first = await evaluated(other, "equal")
    assert first.state is State.QUEUED
    assert 0 < len(other.store.observations(first.key.evaluation_id)) <= 20
    other.clock.pass_s(120)
    second = await work_once(other.bench(), worker=WORKER, only=first.key.evaluation_id)
    assert second.decision == undisturbed.decision
    evaluation_id = second.key.evaluation_id
    assert other.store.observations(evaluation_id) == world.store.observations(evaluation_id)


async def test_an_evaluation_that_is_cancelled_goes_on_where_it_was(world):
    await world.with_baseline()
    undisturbed = await evaluated(world, "worse")
    other = await World().with_baseline()
    stored = []

    class Stopping(FakeSandbox):
        async def execute(self, program, **how):
            stored.append(program)
            if len(stored) == 60:
                task.cancel()
            return await super().execute(program, **how)

    other.sandbox = Stopping()
    task = asyncio.create_task(evaluated(other, "worse"))
    with pytest.raises(asyncio.CancelledError):
        await task
    evaluation_id = undisturbed.key.evaluation_id
    assert other.store.evaluation(evaluation_id).state is State.QUEUED
    other.sandbox = FakeSandbox()
    again = await work_once(other.bench(), worker=WORKER, only=evaluation_id)
    assert again.decision == undisturbed.decision


async def test_what_is_logged_during_an_evaluation_can_be_told_from_the_rest(world, caplog):
    class Telling(FakeSandbox):
        async def execute(self, program, *, fresh=False):
            seen.add(current_run.get())
            return await super().execute(program, fresh=fresh)

    seen: set[str] = set()
    world.sandbox = Telling()
    caplog.set_level(logging.INFO)
    await world.with_baseline()
    (started,) = [each for each in caplog.records if each.message == "started"]
    assert seen == {started.run}
    assert (started.checkpoint, started.purpose) == ("base", "bank")
    assert current_run.get() == ""


async def test_an_evaluation_of_another_model_is_left_to_a_daemon_with_its_suite(world):
    await world.with_baseline()
    theirs = replace(world.watch, model="other")
    world.store.enqueue(bank(theirs, checkpoint("base"), now=world.clock()))
    assert await work_once(world.bench(), worker=WORKER) is None
    assert world.store.depth("other") == {"queued": 1}


async def test_an_engine_that_keeps_dying_ends_as_failed_and_never_as_a_verdict(world):
    await world.with_baseline()
    world.engine = FakeEngine(pass_ratio, Failings(lives=(0,) * 10))
    record = await evaluated(world, "equal")
    for _ in range(ATTEMPTS - 1):
        world.clock.pass_s(1000)
        record = await work_once(world.bench(), worker=WORKER, only=record.key.evaluation_id)
    assert record.state is State.FAILED
    assert record.decision is None
    assert "died" in record.trouble


async def test_a_checkpoint_the_engine_cannot_load_fails_at_once_with_its_reason(world):
    await world.with_baseline()
    world.engine = FakeEngine(pass_ratio, Failings(refused_digests={checkpoint("equal").digest}))
    record = await evaluated(world, "equal")
    assert record.state is State.FAILED
    assert "cannot load" in record.trouble


async def test_lost_programs_are_unscored_and_never_failures(world):
    await world.with_baseline()
    world.sandbox = FakeSandbox(lost=lambda program: "# outcome" in program.source)
    record = await evaluated(world, "equal")
    outcomes = {outcome for _, outcome in world.store.tallies(record.key.evaluation_id)}
    assert outcomes == {Outcome.UNSCORED}
    assert record.decision.kind is DecisionKind.HOLD


async def test_tasks_whose_reference_fails_are_left_out_of_the_bank_and_named(world):
    class Broken(FakeSandbox):
        async def execute(self, program, **how):
            execution = await super().execute(program, **how)
            broken = "def f3()" in program.source and "# outcome" not in program.source
            return replace(execution, outcome=Outcome.FAILED) if broken else execution

    world.sandbox = Broken()
    await world.with_baseline()
    (bank,) = world.store.evaluations("acme")
    assert bank.excluded_tasks == ("head/003", "tail/003", "torso/003")


async def test_a_bank_drawn_elsewhere_is_not_comparable(world):
    await world.with_baseline()

    class Other(FakeSandbox):
        @property
        def identity(self):
            return "another image"

    world.sandbox = Other()
    record = await evaluated(world, "equal")
    assert record.decision.kind is DecisionKind.HOLD
    assert ReasonCode.ENVIRONMENT_CHANGED in {reason.code for reason in record.decision.reasons}


async def test_a_candidate_waits_for_the_bank(world):
    await world.with_baseline()
    (bank,) = world.store.evaluations("acme")
    world.store.save(replace(bank, state=State.QUEUED))
    record = await evaluated(world, "equal")
    assert record.state is State.QUEUED
    assert "bank" in record.trouble.lower()


async def test_a_checkpoint_is_served_from_where_it_was_seen_last(world):
    await world.with_baseline()
    wanted = candidate(world.watch, checkpoint("equal"), baseline_of(world.watch), now=world.clock())
    world.store.enqueue(wanted)
    moved = replace(wanted.checkpoint, location="/models/archive/equal")
    world.store.remember("acme", moved, now=world.clock())
    await work_once(world.bench(), worker=WORKER)
    assert world.engine.served[-1] == moved


async def test_a_checkpoint_whose_folder_was_overwritten_fails_with_nothing_stored_under_its_digest(world):
    class Overwritten(FakeEngine):
        async def serve(self, checkpoint):
            raise CheckpointReplaced(f"{checkpoint.name} was replaced.", next_step="Put it back.")

    await world.with_baseline()
    world.engine = Overwritten(pass_ratio)
    record = await evaluated(world, "equal")
    assert (record.state, record.retryable) == (State.FAILED, True)
    assert world.store.samples(record.key.evaluation_id) == ()


async def test_waves_are_weighed_as_the_decision_is_once_it_is_known_whether_seeds_repeat(world):
    await world.with_baseline()
    record = await evaluated(world, "equal")
    last = [each.assessment for each in world.progress if each.assessment is not None][-1]
    assert last.findings == record.decision.findings
    assert any(finding.evidence.coupling > 0.0 for finding in last.findings)
