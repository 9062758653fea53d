"""The engine is not started for an evaluation that can decide nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Purpose, Stage, State
from monitor.domain.evidence import DecisionKind, ReasonCode
from monitor.domain.samples import Outcome, SamplingPlan
from monitor.domain.tasks import Stratum
from monitor.rounds.banks import Banks, draw_bank_again
from monitor.rounds.bench import Gauges
from monitor.rounds.gate import Gate
from monitor.rounds.watching import bank, baseline_of, candidate, poll
from monitor.rounds.weighing import stored_bank
from monitor.rounds.worker import work_once
from monitor.testing import FakeEngine, FakeProbe, FakeSandbox, FakeSource
from monitor.verdicts.plan import plan
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import rules_for

from .conftest import World, checkpoint, pass_ratio, task

WORKER = "w:1:1"


def failing(*strata: Stratum):
    """A model that passes nothing of some strata, whichever checkpoint it is."""

    def ratio(subject: Checkpoint, task_id: str) -> float:
        return 0.0 if Stratum(task_id.partition("/")[0]) in strata else pass_ratio(subject, task_id)

    return FakeEngine(ratio)


def shallow(world: World) -> World:
    """A deployment whose bank bears no stratum's margin."""
    world.plan = replace(world.plan, samples_per_task=2)
    world.policy = Policy()
    return world


async def evaluated(world: World, name: str):
    wanted = candidate(world.watch, checkpoint(name), baseline_of(world.watch), now=world.clock())
    world.store.remember("acme", wanted.checkpoint, now=world.clock())
    world.store.enqueue(wanted)
    return await work_once(world.bench(), worker=WORKER, only=wanted.key.evaluation_id)


async def deepen(world: World, depth: int) -> None:
    """What `tailwatch baseline build BASELINE --samples N` does."""
    world.plan = replace(world.plan, samples_per_task=depth)
    wanted = bank(world.watch, checkpoint("base"), now=world.clock())
    world.store.requeue(wanted.key.evaluation_id, state=State.DECIDED)
    await work_once(world.bench(), worker=WORKER, only=wanted.key.evaluation_id)


def reasons(decision):
    return {reason.code for reason in decision.reasons}


@pytest.mark.parametrize("name", ["equal", "worse"])
async def test_a_bank_too_shallow_for_every_stratum_holds_without_an_engine(world, name):
    await shallow(world).with_baseline()
    world.engine = FakeEngine(pass_ratio)
    record = await evaluated(world, name)
    assert world.engine.served == []
    assert Stage.ENGINE not in record.stage_s or record.stage_s[Stage.ENGINE] == 0.0
    assert (record.state, record.decision.kind) == (State.DECIDED, DecisionKind.HOLD)
    assert reasons(record.decision) == {ReasonCode.BASELINE_UNDERPOWERED}
    assert world.store.tallies(record.key.evaluation_id) == {}


async def test_a_bank_that_passes_nothing_holds_without_an_engine_and_at_temperature_nought_too(world):
    for temperature in (1.0, 0.0):
        fresh = World()
        fresh.plan = SamplingPlan(samples_per_task=32 if temperature else 1, temperature=temperature)
        fresh.watch = replace(fresh.watch, plan=fresh.plan)
        fresh.engine = failing(*Stratum)
        await fresh.with_baseline()
        fresh.engine = FakeEngine(pass_ratio)
        record = await evaluated(fresh, "equal")
        assert fresh.engine.served == []
        assert record.decision.kind is DecisionKind.HOLD
        assert reasons(record.decision) == {ReasonCode.FLOOR}


async def test_a_tail_that_passes_nothing_holds_while_the_other_strata_are_weighed(world):
    world.engine = failing(Stratum.TAIL)
    await world.with_baseline()
    record = await evaluated(world, "equal")
    assert record.decision.kind is DecisionKind.HOLD
    assert record.decision.reasons[0].code is ReasonCode.FLOOR
    drawn = {stratum for stratum, _ in world.store.tallies(record.key.evaluation_id)}
    assert drawn == {Stratum.TORSO, Stratum.HEAD}


class WithoutTail(FakeSandbox):
    """A sandbox that lacks what the tail's tasks are written in: their reference solutions fail."""

    async def execute(self, program, **how):
        execution = await super().execute(program, **how)
        reference = "# outcome" not in program.source
        if reference and re.match(r"f1\d\d$", program.entry_point):
            return replace(execution, outcome=Outcome.FAILED)
        return execution


def with_tail(world: World, tasks: int) -> None:
    """Give the suite a tail of so many tasks, whose programs a sandbox can tell from the others."""
    tail = [task(Stratum.TAIL, number) for number in range(100, 100 + tasks)]
    others = [each for each in world.suite if each.stratum is not Stratum.TAIL]
    every = tuple(sorted([*others, *tail], key=lambda each: each.task_id))
    world.suite = replace(world.suite, tasks=every)
    world.watch = replace(world.watch, suite=world.suite)


async def test_a_stratum_of_which_nothing_can_be_asked_holds(world, caplog):
    with_tail(world, 60)
    world.sandbox = WithoutTail()
    await world.with_baseline()
    assert "bank passes nothing" in caplog.messages
    first, *rest = Banks(world.watch, world.policy).of_baseline()
    assert (first.stratum, first.passes_nothing, first.floor) == (Stratum.TAIL, True, True)
    assert not any(each.problem for each in rest)
    record = await evaluated(world, "equal")
    assert record.decision.kind is DecisionKind.HOLD
    (reason,) = [each for each in record.decision.reasons if each.code is ReasonCode.FLOOR]
    assert (reason.stratum, reason.text) == (Stratum.TAIL, first.problem)
    advisory = replace(world.policy, critical=frozenset({Stratum.TORSO, Stratum.HEAD}))
    assert Gate(world.watch, advisory).decision_for("equal", now=world.clock()).kind is DecisionKind.PROMOTE
    looser = replace(world.policy, margin=dict.fromkeys(Stratum, 0.25))
    assert Gate(world.watch, looser).decision_for("equal", now=world.clock()).kind is DecisionKind.HOLD
    world.sandbox = FakeSandbox()
    await deepen(world, 32)
    answer = Gate(world.watch, world.policy).decision_for("equal", now=world.clock())
    assert reasons(answer) == {ReasonCode.EVALUATION_STALE}


def losing_the_tail() -> FakeSandbox:
    """A sandbox that gives no result of the tail's samples; their reference solutions pass."""
    return FakeSandbox(
        lost=lambda program: "# outcome" in program.source and re.match(r"f1\d\d$", program.entry_point)
    )


async def test_a_small_stratum_without_results_leaves_the_bank_incomplete(world, caplog):
    with_tail(world, 5)
    world.sandbox = losing_the_tail()
    await world.with_baseline()
    key = bank(world.watch, checkpoint("base"), now=world.clock()).key
    record = world.store.evaluation(key.evaluation_id)
    assert record.state is State.QUEUED
    assert "160 of 160 samples of the bank in tail have no result: the fake sandbox" in record.trouble
    assert "bank passes nothing" not in caplog.messages
    world.sandbox = FakeSandbox()
    world.clock.pass_s(60)
    assert (await work_once(world.bench(), worker=WORKER)).state is State.DECIDED
    assert [each.unscored for each in Banks(world.watch, world.policy).of_baseline()] == [0, 0, 0]


async def test_what_an_advisory_stratum_lost_is_not_told_as_passing_nothing_when_it_turns_critical(world):
    with_tail(world, 5)
    world.sandbox, critical = losing_the_tail(), world.policy
    world.policy = replace(critical, critical=frozenset({Stratum.TORSO, Stratum.HEAD}))
    await world.with_baseline()
    tail = Banks(world.watch, critical).of_baseline()[0]
    assert (tail.samples, tail.unscored) == (0, 160)
    assert not tail.passes_nothing
    assert not tail.floor
    await evaluated(world, "equal")
    decision = Gate(world.watch, critical).decision_for("equal", now=world.clock())
    (reason,) = [each for each in decision.reasons if each.stratum is Stratum.TAIL]
    assert (decision.kind, reason.code) == (DecisionKind.HOLD, ReasonCode.BASELINE_UNDERPOWERED)
    assert tail.problem in reason.text


async def test_nothing_is_asked_of_an_engine_by_probes_either(world):
    await shallow(world).with_baseline()
    world.gauges = Gauges(probes=(FakeProbe(),))
    world.engine = FakeEngine(pass_ratio)
    record = await evaluated(world, "equal")
    assert world.engine.served == []
    assert world.store.measurements(record.key.evaluation_id) == ()


async def test_the_gate_and_the_plan_name_the_same_depth(world):
    await shallow(world).with_baseline()
    record = await evaluated(world, "equal")
    drawn = stored_bank(world.store, bank(world.watch, checkpoint("base"), now=world.clock()).key)
    planned = plan(drawn.bank, rules_for(world.policy, greedy=False))
    answer = Gate(world.watch, world.policy).decision_for("equal", now=world.clock())
    assert answer == record.decision
    command = "`tailwatch baseline build {} --samples {}`"
    digest = checkpoint("base").short_digest
    for stratum, reason in zip(planned, answer.reasons, strict=True):
        assert reason.stratum is stratum.stratum
        assert command.format(digest, stratum.required_depth) in reason.text


async def test_once_the_bank_is_deep_enough_the_checkpoint_is_evaluated_by_itself(world):
    await shallow(world).with_baseline()
    await evaluated(world, "equal")
    source = FakeSource([checkpoint("base"), checkpoint("equal")])
    assert poll(world.watch, source, world.clock()).queued == ()
    await deepen(world, 64)
    answer = Gate(world.watch, world.policy).decision_for("equal", now=world.clock())
    assert (answer.kind, reasons(answer)) == (DecisionKind.HOLD, {ReasonCode.EVALUATION_STALE})
    (queued,) = poll(world.watch, source, world.clock()).queued
    assert (queued.checkpoint.name, queued.key.purpose) == ("equal", Purpose.CANDIDATE)
    record = await work_once(world.bench(), worker=WORKER, only=queued.key.evaluation_id)
    assert record.decision.kind is DecisionKind.PROMOTE
    assert record.banks[checkpoint("base").digest].depth == 64
    assert Gate(world.watch, world.policy).decision_for("equal", now=world.clock()) == record.decision
    assert poll(world.watch, source, world.clock()).queued == ()


async def test_a_bank_that_is_drawn_anew_makes_what_rests_on_it_stale(world):
    world.engine = failing(Stratum.TAIL)
    await world.with_baseline()
    await evaluated(world, "equal")
    world.engine = FakeEngine(pass_ratio)
    world.clock.pass_s(60)
    draw_bank_again(world.watch, checkpoint("base"), now=world.clock())
    key = bank(world.watch, checkpoint("base"), now=world.clock()).key
    assert world.store.samples(key.evaluation_id) == ()
    answer = Gate(world.watch, world.policy).decision_for("equal", now=world.clock())
    assert (answer.kind, reasons(answer)) == (DecisionKind.HOLD, {ReasonCode.EVALUATION_STALE})
    world.store.lease(worker=WORKER, now=world.clock(), lease_s=60, only=key.evaluation_id)
    with pytest.raises(InvalidInput, match="being drawn"):
        draw_bank_again(world.watch, checkpoint("base"), now=world.clock())
    world.clock.pass_s(120)
    drawn = await work_once(world.bench(), worker=WORKER, only=key.evaluation_id)
    assert drawn.state is State.DECIDED
    tail = Banks(world.watch, world.policy).of_baseline()[0]
    assert (tail.samples, tail.floor) == (60 * 32, False)
    again = candidate(world.watch, checkpoint("equal"), checkpoint("base"), now=world.clock(), again=True)
    world.store.enqueue(again)
    record = await work_once(world.bench(), worker=WORKER, only=again.key.evaluation_id)
    assert record.decision.kind is DecisionKind.PROMOTE
    assert Gate(world.watch, world.policy).decision_for("equal", now=world.clock()) == record.decision


async def test_a_bank_is_not_drawn_on_under_another_engine(world):
    await world.with_baseline()
    key = bank(world.watch, checkpoint("base"), now=world.clock()).key
    drawn = world.store.evaluation(key.evaluation_id)
    world.store.save(replace(drawn, environment={**drawn.environment, "engine": "an earlier one"}))
    await deepen(world, 64)
    record = world.store.evaluation(key.evaluation_id)
    assert (record.state, record.environment["engine"]) == (State.QUEUED, "an earlier one")
    assert "other settings (engine)" in record.trouble
    assert len(world.store.samples(key.evaluation_id)) == 3 * 60 * 32


async def test_what_was_drawn_before_a_bank_was_drawn_anew_is_drawn_again_too(world):
    await world.with_baseline()
    wanted = candidate(world.watch, checkpoint("equal"), baseline_of(world.watch), now=world.clock())
    world.store.remember("acme", wanted.checkpoint, now=world.clock())
    world.store.enqueue(wanted)
    # The set-up fails the tail's programs, and dies after a wave.
    world.engine, world.sandbox = failing(Stratum.TAIL), FakeSandbox(life=40)
    await work_once(world.bench(), worker=WORKER, only=wanted.key.evaluation_id)
    assert world.store.tallies(wanted.key.evaluation_id)[Stratum.TAIL, Outcome.FAILED]
    world.engine, world.sandbox = FakeEngine(pass_ratio), FakeSandbox()
    world.clock.pass_s(3600)
    draw_bank_again(world.watch, checkpoint("base"), now=world.clock())
    key = bank(world.watch, checkpoint("base"), now=world.clock()).key
    await work_once(world.bench(), worker=WORKER, only=key.evaluation_id)
    world.store.requeue(wanted.key.evaluation_id, state=State.QUEUED)
    record = await work_once(world.bench(), worker=WORKER, only=wanted.key.evaluation_id)
    assert record.decision.kind is DecisionKind.PROMOTE
    assert Gate(world.watch, world.policy).decision_for("equal", now=world.clock()) == record.decision


async def test_an_evaluation_that_ends_after_its_bank_was_drawn_anew_is_stale(world):
    await world.with_baseline()
    record = await evaluated(world, "equal")
    world.clock.pass_s(60)
    draw_bank_again(world.watch, checkpoint("base"), now=world.clock())
    key = bank(world.watch, checkpoint("base"), now=world.clock()).key
    await work_once(world.bench(), worker=WORKER, only=key.evaluation_id)
    world.clock.pass_s(60)
    world.store.save(replace(record, finished_at=world.clock()))
    answer = Gate(world.watch, world.policy).decision_for("equal", now=world.clock())
    assert (answer.kind, reasons(answer)) == (DecisionKind.HOLD, {ReasonCode.EVALUATION_STALE})


async def test_stored_samples_that_suffice_for_another_policy_need_no_engine(world):
    await world.with_baseline()
    first = await evaluated(world, "equal")
    world.policy = Policy(margin=dict.fromkeys(Stratum, 0.28))
    world.engine = FakeEngine(pass_ratio)
    world.store.requeue(first.key.evaluation_id, state=State.DECIDED)
    again = await work_once(world.bench(), worker=WORKER, only=first.key.evaluation_id)
    assert world.engine.served == []
    assert again.decision.kind is DecisionKind.PROMOTE
    assert again.environment == first.environment
    assert {finding.evidence.margin for finding in again.decision.findings} == {0.28}


async def test_a_bank_that_holds_all_that_is_asked_for_needs_no_engine(world):
    await world.with_baseline()
    world.engine = FakeEngine(pass_ratio)
    await deepen(world, 32)
    assert world.engine.served == []
    await deepen(world, 34)
    assert [each.name for each in world.engine.served] == ["base"]


async def test_a_bank_that_is_read_while_the_policy_changes_is_read_again_by_the_new_one(world):
    await world.with_baseline()
    strict = replace(world.policy, critical=frozenset({Stratum.TAIL}))
    assert strict != world.policy

    class Changing:
        """The policy changes while the first reading is at the samples."""

        def __getattr__(self, name):
            return getattr(world.store, name)

        def tallies(self, evaluation_id):
            banks.judge_by(strict)
            return world.store.tallies(evaluation_id)

    banks = Banks(replace(world.watch, store=Changing()), world.policy)
    banks.of_baseline()
    assert banks.of_baseline() == Banks(world.watch, strict).of_baseline()
