"""What an engine says of a checkpoint is decided; what it says of itself is tried again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from monitor.domain.checkpoint import Checkpoint, EngineIdentity
from monitor.domain.errors import DeploymentBroken, EngineStalled, ModelNotServed
from monitor.domain.evaluation import Evaluation, Purpose, State
from monitor.domain.evidence import Decision, DecisionKind, ReasonCode
from monitor.ports import EngineEvent
from monitor.rounds.bench import Gauges
from monitor.rounds.gate import Gate
from monitor.rounds.watching import REVIVE_S, adopt, bank, baseline_of, candidate, comparison, poll
from monitor.rounds.worker import ATTEMPTS, SERVED_S, work_once
from monitor.testing import FakeEngine, FakeProbe, FakeSandbox, FakeSource
from monitor.testing.fakes import Failings, FakeModel
from monitor.verdicts.policy import Policy

from .conftest import World, checkpoint, pass_ratio

WORKER = "w:1:1"


def failing(**failings: object) -> FakeEngine:
    return FakeEngine(pass_ratio, Failings(**failings))


class BrokenOnce(FakeEngine):
    """An engine whose first model computes NaN for some tasks, such as a server with a stale cache."""

    def __init__(self, nan_tasks: Collection[str]) -> None:
        super().__init__(pass_ratio)
        self._broken, self._sound = Failings(nan_tasks=nan_tasks), self._failings

    async def serve(self, checkpoint: Checkpoint) -> FakeModel:
        self._failings = self._sound if self.served else self._broken
        return await super().serve(checkpoint)


async def worked(world: World, wanted: Evaluation) -> Evaluation:
    world.store.remember("acme", wanted.checkpoint, now=world.clock())
    world.store.enqueue(wanted)
    return await work_once(world.bench(), worker=WORKER, only=wanted.key.evaluation_id)


def a_candidate(world: World, name: str = "equal", *, again: bool = False) -> Evaluation:
    return candidate(world.watch, checkpoint(name), baseline_of(world.watch), now=world.clock(), again=again)


def gate(world: World, policy: Policy | None = None) -> Decision:
    return Gate(world.watch, policy or world.policy).decision_for("equal", now=world.clock())


class TestNan:
    @pytest.mark.parametrize(
        "engine",
        [
            failing(broken_digests={checkpoint("equal").digest}),
            failing(nan_tasks={"tail/007"}),
        ],
        ids=["canaries", "a task"],
    )
    async def test_a_checkpoint_that_computes_nan_is_rejected_for_it_and_not_tried_again(self, world, engine):
        await world.with_baseline()
        world.engine = engine
        record = await worked(world, a_candidate(world))
        assert record.state is State.DECIDED
        assert record.decision.kind is DecisionKind.REJECT
        (reason,) = record.decision.reasons
        assert reason.code is ReasonCode.DEPLOYMENT_BROKEN
        assert "computes NaN" in reason.text
        assert gate(world).kind is DecisionKind.REJECT
        world.clock.pass_s(2 * REVIVE_S)
        assert poll(world.watch, FakeSource([checkpoint("equal")]), world.clock()).queued == ()

    async def test_another_policy_rejects_it_as_well_though_there_is_nothing_to_weigh(self, world):
        await world.with_baseline()
        world.engine = failing(broken_digests={checkpoint("equal").digest})
        await worked(world, a_candidate(world))
        answer = gate(world, replace(world.policy, alpha=0.01))
        assert answer.kind is DecisionKind.REJECT
        assert [reason.code for reason in answer.reasons] == [ReasonCode.DEPLOYMENT_BROKEN]

    @pytest.mark.parametrize("purpose", [Purpose.BANK, Purpose.CANDIDATE])
    async def test_nan_that_a_newly_served_model_does_not_compute_is_no_fact_about_the_checkpoint(
        self, world, purpose
    ):
        await world.with_baseline()
        world.engine = BrokenOnce({"tail/007"})
        wanted = a_candidate(world)
        if purpose is Purpose.BANK:
            wanted = bank(world.watch, checkpoint("equal"), now=world.clock())
        record = await worked(world, wanted)
        assert record.state is State.DECIDED
        assert record.broken == ""
        assert [each.name for each in world.engine.served] == ["equal", "equal"]
        if purpose is Purpose.CANDIDATE:
            assert record.decision.kind is DecisionKind.PROMOTE

    async def test_what_was_drawn_before_the_nan_is_not_drawn_again_on_the_newly_served_model(self, world):
        await world.with_baseline()
        world.engine, world.sandbox = BrokenOnce({"tail/007"}), FakeSandbox()
        record = await worked(world, a_candidate(world))
        stored = sum(world.store.tallies(record.key.evaluation_id).values())
        assert sum("# outcome" in each.source for each in world.sandbox.executed) == stored

    async def test_a_probe_that_meets_nan_is_asked_once_more_on_a_newly_served_model(self, world):
        class ProbeOfAStaleCache(FakeProbe):
            async def measure(self, model, samples):
                if len(world.engine.served) == 1:
                    raise DeploymentBroken("It computes NaN for a text.", next_step="Serve it again.")
                return await super().measure(model, samples)

        await world.with_baseline()
        world.engine, world.gauges = FakeEngine(pass_ratio), Gauges(probes=(ProbeOfAStaleCache(),))
        record = await worked(world, a_candidate(world))
        assert (record.broken, record.decision.kind) == ("", DecisionKind.PROMOTE)
        assert len(world.engine.served) == 2
        assert len(world.store.measurements(record.key.evaluation_id)) == 1

    async def test_nan_is_asked_for_on_one_more_server_and_no_third(self, world):
        await world.with_baseline()
        world.engine = failing(nan_tasks={"tail/007"})
        assert (await worked(world, a_candidate(world))).decision.kind is DecisionKind.REJECT
        assert len(world.engine.served) == 2

    async def test_what_was_drawn_before_the_nan_is_kept(self, world):
        await world.with_baseline()
        world.engine = failing(nan_tasks={"head/007"})
        record = await worked(world, a_candidate(world))
        assert record.decision.kind is DecisionKind.REJECT
        assert sum(world.store.tallies(record.key.evaluation_id).values()) > 0

    async def test_it_is_weighed_like_any_other_once_it_computes_numbers(self, world):
        await world.with_baseline()
        sound, world.engine = world.engine, failing(broken_digests={checkpoint("equal").digest})
        record = await worked(world, a_candidate(world))
        world.store.requeue(record.key.evaluation_id, state=State.DECIDED)
        world.engine = sound
        again = await work_once(world.bench(), worker=WORKER)
        assert again.key == record.key
        assert again.decision.kind is DecisionKind.PROMOTE

    async def test_the_baseline_itself_is_no_better_than_itself_when_it_computes_nan_today(self, world):
        await world.with_baseline()
        world.engine = failing(broken_digests={checkpoint("base").digest})
        await worked(world, a_candidate(world, "base", again=True))
        answer = Gate(world.watch, world.policy).decision_for("base", now=world.clock())
        assert answer.kind is DecisionKind.REJECT

    async def test_a_baseline_that_computed_nan_for_its_own_bank_does_not_pass_as_being_itself(self, world):
        adopt(world.watch, checkpoint("base"), now=world.clock())
        world.engine = failing(broken_digests={checkpoint("base").digest})
        await worked(world, bank(world.watch, checkpoint("base"), now=world.clock()))
        answer = Gate(world.watch, world.policy).decision_for("base", now=world.clock())
        assert (answer.kind, answer.reasons[0].code) == (DecisionKind.HOLD, ReasonCode.EVALUATION_FAILED)
        assert "The fake base computes NaN" in answer.reasons[0].text

    @pytest.mark.parametrize("purpose", [Purpose.BANK, Purpose.COMPARISON])
    async def test_where_nothing_is_decided_it_fails_for_good(self, world, purpose):
        await world.with_baseline()
        world.engine = failing(broken_digests={checkpoint("equal").digest})
        if purpose is Purpose.BANK:
            wanted = bank(world.watch, checkpoint("equal"), now=world.clock())
        else:
            other = checkpoint("worse")
            await worked(world, bank(world.watch, other, now=world.clock()))
            wanted = comparison(world.watch, checkpoint("equal"), other, now=world.clock())
        record = await worked(world, wanted)
        assert (record.state, record.retryable) == (State.FAILED, False)
        assert "computes NaN" in record.trouble

    async def test_who_waits_for_a_bank_that_failed_for_good_is_told_why(self, world):
        adopt(world.watch, checkpoint("base"), now=world.clock())
        world.engine = failing(broken_digests={checkpoint("base").digest})
        await worked(world, bank(world.watch, checkpoint("base"), now=world.clock()))
        waiting = await worked(world, a_candidate(world))
        assert waiting.state is State.QUEUED
        answer = gate(world)
        assert answer.kind is DecisionKind.HOLD
        assert "could not be drawn: The fake base computes NaN" in answer.reasons[0].text
        assert "It is drawn first" not in answer.reasons[0].text


class TestRefusedPrompts:
    ALL = frozenset(f"{stratum}/{number:03}" for stratum in ("head", "torso", "tail") for number in range(60))

    async def test_a_candidate_whose_every_prompt_is_refused_is_held_with_the_engines_reason(self, world):
        await world.with_baseline()
        sound, world.engine = world.engine, failing(aborted_tasks=self.ALL)
        record = await worked(world, a_candidate(world))
        assert (record.state, record.retryable) == (State.FAILED, False)
        answer = gate(world)
        assert answer.kind is DecisionKind.HOLD
        assert "the fake engine refuses this task" in answer.reasons[0].text
        assert "--max-model-len" in answer.reasons[0].text
        # What was refused is asked again where somebody wants it evaluated again.
        world.engine = sound
        world.store.requeue(record.key.evaluation_id, state=State.FAILED)
        assert (await work_once(world.bench(), worker=WORKER)).decision.kind is DecisionKind.PROMOTE

    async def test_a_bank_with_too_many_refusals_is_not_drawn_for_ever(self, world):
        adopt(world.watch, checkpoint("base"), now=world.clock())
        world.engine = failing(aborted_tasks={f"tail/{number:03}" for number in range(60)})
        record = await worked(world, bank(world.watch, checkpoint("base"), now=world.clock()))
        assert (record.state, record.retryable) == (State.FAILED, False)
        assert "vLLM refuses 1920 of 5760 requests" in record.trouble


class AtAnAddress(FakeEngine):
    """An engine that answers at an address of its own."""

    def __init__(self, address: str) -> None:
        super().__init__(pass_ratio)
        self.address = address

    async def serve(self, subject):
        model = await super().serve(subject)
        identity = EngineIdentity(
            kind="vllm-remote", version="1", settings={"url": self.address}, seed_stable=True
        )

        class Model(FakeModel):
            @property
            def identity(self):
                return identity

        model.__class__ = Model
        return model


class TestAddresses:
    async def test_a_candidate_at_its_own_address_is_compared_with_the_bank(self, world):
        world.engine = AtAnAddress("http://one:8000")
        await world.with_baseline()
        world.engine = AtAnAddress("http://two:8000")
        record = await worked(world, a_candidate(world))
        assert record.decision.kind is DecisionKind.PROMOTE
        assert record.environment["url"] == "http://two:8000"

    async def test_another_engine_is_still_told_with_both_ways_out(self, world):
        await world.with_baseline()
        world.engine = AtAnAddress("http://one:8000")
        record = await worked(world, a_candidate(world))
        assert record.decision.kind is DecisionKind.HOLD
        (reason,) = [r for r in record.decision.reasons if r.code is ReasonCode.ENVIRONMENT_CHANGED]
        assert "differ in engine:" in reason.text
        assert "Serve the candidate as the bank was drawn, or build the bank again" in reason.text


class Raising(FakeEngine):
    def __init__(self, error: Exception) -> None:
        super().__init__(pass_ratio)
        self.error: Exception | None = error

    async def serve(self, subject):
        if self.error is not None:
            raise self.error
        return await super().serve(subject)


class TestTroubleOfTheEngine:
    async def test_a_checkpoint_seen_before_the_server_serves_it_waits_however_long(self, world):
        await world.with_baseline()
        world.engine = Raising(ModelNotServed("It serves no model equal.", next_step="Serve it."))
        record = await worked(world, a_candidate(world))
        for _ in range(3 * ATTEMPTS):
            assert record.state is State.QUEUED
            world.clock.pass_s(SERVED_S)
            record = await work_once(world.bench(), worker=WORKER)
        assert "serves no model equal" in gate(world).reasons[0].text
        assert world.bench().condition.engine == ""
        world.engine.error = None
        world.clock.pass_s(SERVED_S)
        assert (await work_once(world.bench(), worker=WORKER)).decision.kind is DecisionKind.PROMOTE

    async def test_a_server_that_hangs_is_tried_again_counted_and_known(self, world):
        await world.with_baseline()
        sound, world.engine = world.engine, Raising(EngineStalled("It hangs.", next_step="Look."))
        bench = world.bench()
        world.store.enqueue(a_candidate(world))
        waiting = await work_once(bench, worker=WORKER)
        assert waiting.state is State.QUEUED
        assert bench.condition.engine == "It hangs. Look."
        counted = {label: n for (_, label), n in world.store.counters("acme").items()}
        assert counted[EngineEvent.STALLED] == 1
        assert EngineEvent.TROUBLE not in counted
        world.engine = sound
        world.clock.pass_s(1000)
        record = await work_once(world.bench(), worker=WORKER)
        assert record.decision.kind is DecisionKind.PROMOTE

    async def test_the_moment_of_the_last_sample_is_known(self, world):
        bench = world.bench()
        assert bench.condition.last_sample_at is None
        adopt(world.watch, checkpoint("base"), now=world.clock())
        world.store.enqueue(bank(world.watch, checkpoint("base"), now=world.clock()))
        world.clock.pass_s(5)
        await work_once(bench, worker=WORKER)
        assert bench.condition.last_sample_at == world.clock()
