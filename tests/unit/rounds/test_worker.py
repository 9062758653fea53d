"""What becomes of an evaluation, and of its worker, when something goes wrong around it."""

from __future__ import annotations

import asyncio
import errno
import logging
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import InvalidConfig
from monitor.domain.evaluation import Evaluation, State
from monitor.domain.evidence import DecisionKind
from monitor.processes import identify
from monitor.rounds.condition import Condition
from monitor.rounds.forgetting import forget
from monitor.rounds.watching import REVIVE_S, adopt, bank, baseline_of, candidate, poll
from monitor.rounds.worker import ATTEMPTS, BANK_S, RETRY_S, STARTS, recover, work, work_once
from monitor.testing import FakeEngine, FakeSource
from monitor.testing.fakes import Failings

from .conftest import START, World, checkpoint, pass_ratio
from .stores import UnreachableStore

WORKER = "w:1:1"


class BuggyEngine(FakeEngine):
    """Raises what nobody foresaw for checkpoints of one name, and serves the others."""

    def __init__(self, error: Exception, name: str = "equal") -> None:
        super().__init__(pass_ratio)
        self._error, self._name = error, name

    async def serve(self, checkpoint: Checkpoint):
        if checkpoint.name == self._name:
            raise self._error
        return await super().serve(checkpoint)


def queued(world: World, name: str = "equal") -> str:
    """Queue a candidate; its evaluation's id."""
    wanted = candidate(world.watch, checkpoint(name), baseline_of(world.watch), now=world.clock())
    world.store.enqueue(wanted)
    return wanted.key.evaluation_id


@asynccontextmanager
async def working(world: World):
    """A worker as in the daemon; yields what it has finished so far."""
    finished: list[Evaluation] = []

    async def done(evaluation: Evaluation) -> None:
        finished.append(evaluation)

    worker = asyncio.create_task(work(world.bench, worker=WORKER, idle_s=0.001, done=done))
    yield finished
    assert not worker.done(), "the worker has ended"
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def until(condition, *, within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.001)


class TestStoreOutOfReach:
    async def test_the_worker_goes_on_when_the_store_answers_again(self):
        world = await World(UnreachableStore()).with_baseline()
        queued(world)
        world.store.refusals["lease"] = 3
        async with working(world) as finished:
            await until(lambda: finished)
        assert finished[0].decision.kind is DecisionKind.PROMOTE

    @pytest.mark.parametrize("broken", [["observations"], ["save_held"], ["observations", "postpone"]])
    async def test_an_evaluation_it_broke_off_is_decided_in_the_end(self, broken):
        world = await World(UnreachableStore()).with_baseline()
        evaluation_id = queued(world)
        world.store.refusals = dict.fromkeys(broken, 1)

        def decided() -> bool:
            world.clock.pass_s(1)
            return finished and finished[-1].state is State.DECIDED

        async with working(world) as finished:
            await until(decided)
        assert not any(world.store.refusals.values())
        assert world.store.evaluation(evaluation_id).decision.kind is DecisionKind.PROMOTE


class TestTwoWorkers:
    async def test_a_worker_that_stalled_leaves_the_decision_of_the_next_alone(self, world):
        await world.with_baseline()
        evaluation_id = queued(world)
        overtaken = world.bench()

        class Stalling(FakeEngine):
            async def serve(self, checkpoint):
                world.clock.pass_s(61)
                world.engine = FakeEngine(pass_ratio)
                decided.append(await work_once(world.bench(), worker="other:1:1"))
                return await super().serve(checkpoint)

        decided: list[Evaluation | None] = []
        world.engine = Stalling(pass_ratio)
        assert await work_once(world.bench(), worker=WORKER) is None
        assert world.store.evaluation(evaluation_id) == decided[0]
        assert decided[0].state is State.DECIDED
        assert await work_once(overtaken, worker=WORKER) is None

    async def test_a_candidate_waits_for_a_bank_that_another_worker_draws_however_long(self, world):
        await world.with_baseline()
        (drawn,) = world.store.evaluations("acme")
        world.store.requeue(drawn.key.evaluation_id, state=State.DECIDED)
        world.store.lease(worker="other:1:1", now=world.clock(), lease_s=10_000)
        evaluation_id = queued(world)
        for _ in range(2 * ATTEMPTS):
            waiting = await work_once(world.bench(), worker=WORKER)
            assert waiting.state is State.QUEUED
            assert "bank" in waiting.trouble
            world.clock.pass_s(BANK_S)
        world.store.save_held(drawn, worker="other:1:1")
        record = await work_once(world.bench(), worker=WORKER)
        assert record.key.evaluation_id == evaluation_id
        assert record.state is State.DECIDED
        assert record.trouble == ""


class TestPoison:
    async def test_an_unforeseen_error_costs_attempts_and_the_next_evaluation_is_done(self, world, caplog):
        await world.with_baseline()
        world.engine = BuggyEngine(RuntimeError("a bug"))
        poison, healthy = queued(world), queued(world, "worse")

        def given_up() -> bool:
            state = world.store.evaluation(poison).state
            if state is State.QUEUED:
                world.clock.pass_s(1000)
            return state is State.FAILED

        with caplog.at_level(logging.ERROR):
            async with working(world) as finished:
                await until(lambda: finished)
                await until(given_up)
        assert world.store.evaluation(healthy).state is State.DECIDED
        failed = world.store.evaluation(poison)
        assert "RuntimeError: a bug" in failed.trouble
        assert not failed.retryable
        assert f"while equal ({checkpoint('equal').short_digest}) was being evaluated" in caplog.text

    async def test_a_disk_that_is_full_beside_the_store_is_trouble_and_no_mistake(self, world):
        await world.with_baseline()
        world.engine = BuggyEngine(OSError(errno.ENOSPC, "No space left on device", "/state/vllm.log"))
        queued(world)
        waiting = await work_once(world.bench(), worker=WORKER)
        assert waiting.state is State.QUEUED
        assert waiting.trouble.startswith("No space is left on the disk of /state/vllm.log.")

    async def test_its_error_reaches_who_asked_for_this_evaluation(self, world):
        await world.with_baseline()
        world.engine = BuggyEngine(InvalidConfig("No vLLM is installed.", next_step="Install it."))
        evaluation_id = queued(world)
        with pytest.raises(InvalidConfig, match="No vLLM"):
            await work_once(world.bench(), worker=WORKER, only=evaluation_id)
        assert world.store.evaluation(evaluation_id).trouble == "No vLLM is installed. Install it."

    async def test_an_evaluation_whose_workers_are_killed_is_not_begun_for_ever(self, world):
        await world.with_baseline()
        evaluation_id = queued(world)
        for _ in range(STARTS):
            world.store.lease(worker="killed:1:1", now=world.clock(), lease_s=60)
            world.store.abandon("killed:1:1")
        record = await work_once(world.bench(), worker=WORKER)
        assert record.key.evaluation_id == evaluation_id
        assert record.state is State.FAILED
        assert f"interrupted {STARTS} times" in record.trouble
        assert world.engine.served == [checkpoint("base")]


class TestErrorsAndInterruptions:
    """Each has a budget of its own."""

    @staticmethod
    def killed(world: World, times: int) -> None:
        for _ in range(times):
            assert world.store.lease(worker="killed:1:1", now=world.clock(), lease_s=60) is not None
            world.store.abandon("killed:1:1")

    @staticmethod
    async def broken(world: World) -> Evaluation:
        dead = replace(world.bench(), engine=FakeEngine(pass_ratio, Failings(lives=(0,))))
        record = await work_once(dead, worker=WORKER)
        world.clock.pass_s(1000)
        return record

    async def test_two_kills_and_an_error_leave_two_more_errors(self, world):
        await world.with_baseline()
        evaluation_id = queued(world)
        self.killed(world, 2)
        for _ in range(ATTEMPTS - 1):
            assert (await self.broken(world)).state is State.QUEUED
            self.killed(world, 1)
        assert (await self.broken(world)).state is State.FAILED
        assert world.store.evaluation(evaluation_id).retryable

    async def test_errors_do_not_use_up_the_kills_either(self, world):
        await world.with_baseline()
        queued(world)
        for _ in range(ATTEMPTS - 1):
            await self.broken(world)
        self.killed(world, STARTS - 1)
        assert (await work_once(world.bench(), worker=WORKER)).state is State.DECIDED

    async def test_a_lease_that_ran_out_is_an_interruption(self, world):
        await world.with_baseline()
        queued(world)
        for _ in range(ATTEMPTS):
            world.store.lease(worker="stalled:1:1", now=world.clock(), lease_s=60)
            world.clock.pass_s(61)
        assert (await self.broken(world)).state is State.QUEUED
        assert (await work_once(world.bench(), worker=WORKER)).state is State.DECIDED

    async def test_an_order_from_outside_forgets_errors_as_well_as_kills(self, world):
        await world.with_baseline()
        evaluation_id = queued(world)
        for _ in range(ATTEMPTS):
            await self.broken(world)
        assert world.store.requeue(evaluation_id, state=State.FAILED)
        self.killed(world, 1)
        for _ in range(ATTEMPTS - 1):
            assert (await self.broken(world)).state is State.QUEUED

    async def test_the_second_attempt_after_an_error_is_soon_however_often_it_was_killed(self, world):
        await world.with_baseline()
        queued(world)
        self.killed(world, 5)
        dead = replace(world.bench(), engine=FakeEngine(pass_ratio, Failings(lives=(0,))))
        await work_once(dead, worker=WORKER)
        world.clock.pass_s(RETRY_S)
        assert (await work_once(world.bench(), worker=WORKER)).state is State.DECIDED


class TestCondition:
    async def test_trouble_is_known_until_an_evaluation_comes_to_its_end(self, world):
        await world.with_baseline()
        queued(world)
        bench, healthy = world.bench(), world.engine
        await work_once(replace(bench, engine=FakeEngine(pass_ratio, Failings(lives=(0,)))), worker=WORKER)
        assert "died" in bench.condition.engine
        assert bench.condition.sandbox == ""
        world.clock.pass_s(1000)
        await work_once(replace(bench, engine=healthy), worker=WORKER)
        assert bench.condition == Condition(last_sample_at=world.clock())

    async def test_a_checkpoint_that_cannot_be_served_says_nothing_of_the_engine(self, world):
        await world.with_baseline()
        world.engine = FakeEngine(pass_ratio, Failings(refused_digests={checkpoint("equal").digest}))
        queued(world)
        bench = world.bench()
        await work_once(bench, worker=WORKER)
        assert bench.condition == Condition()


class TestWhatFailedIsRemembered:
    async def test_trouble_may_pass(self, world):
        await world.with_baseline()
        world.engine = FakeEngine(pass_ratio, Failings(lives=(0,) * 10))
        evaluation_id = queued(world)
        for _ in range(ATTEMPTS):
            await work_once(world.bench(), worker=WORKER)
            world.clock.pass_s(1000)
        failed = world.store.evaluation(evaluation_id)
        assert (failed.state, failed.retryable) == (State.FAILED, True)

    async def test_a_checkpoint_that_cannot_be_served_stays_so(self, world):
        await world.with_baseline()
        world.engine = FakeEngine(pass_ratio, Failings(refused_digests={checkpoint("equal").digest}))
        queued(world)
        failed = await work_once(world.bench(), worker=WORKER)
        assert (failed.state, failed.retryable) == (State.FAILED, False)


def test_what_ended_processes_held_waits_again_and_what_living_ones_hold_does_not(world):
    for name in ("one", "two", "three"):
        world.store.enqueue(bank(world.watch, checkpoint(name), now=START))
    machine = identify().rsplit(":", 2)[0]
    for worker in (f"{machine}:999999999:1", identify(), "another machine:1:1"):
        world.store.lease(worker=worker, now=world.clock(), lease_s=60)
    assert recover(world.store) == 1
    assert set(world.store.workers()) == {identify(), "another machine:1:1"}
    assert world.store.depth("acme") == {"queued": 1, "running": 2}


async def test_what_waits_for_a_forgotten_baseline_is_given_up_until_that_is_the_baseline_again():
    world = await World().with_baseline()
    waiting = candidate(world.watch, checkpoint("equal"), baseline_of(world.watch), now=world.clock())
    world.store.remember("acme", checkpoint("equal"), now=world.clock())
    world.store.enqueue(waiting)
    forget(world.watch, checkpoint("base"), now=world.clock())
    given_up = await work_once(world.bench(), worker="w:1:1")
    assert (given_up.state, given_up.retryable) == (State.FAILED, True)
    assert "was forgotten" in given_up.trouble
    assert await work_once(world.bench(), worker="w:1:1") is None
    adopt(world.watch, checkpoint("base"), now=world.clock())
    world.clock.pass_s(REVIVE_S)
    queued = poll(world.watch, FakeSource([checkpoint("base"), checkpoint("equal")]), world.clock()).queued
    assert waiting.key in {each.key for each in queued}
