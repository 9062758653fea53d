"""A hold on an evaluation: what keeps it, what loses it, and what losing it ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import State
from monitor.rounds.evaluating import evaluate
from monitor.rounds.lease import Lease, LeaseLost
from monitor.rounds.watching import bank
from monitor.testing import FakeEngine, FakeSandbox, MemoryStore

from .conftest import START, World, checkpoint, pass_ratio
from .stores import UnreachableStore

SHORT_S = 0.06


def leased(world: World) -> Lease:
    """A lease that is renewed every 20 ms."""
    world.store.enqueue(bank(world.watch, checkpoint("base"), now=START))
    evaluation = world.store.lease(worker="mine", now=world.clock(), lease_s=SHORT_S)
    assert evaluation is not None
    return Lease(world.store, evaluation, "mine", clock=world.clock, lease_s=SHORT_S)


def taken_over(world: World) -> None:
    world.clock.pass_s(SHORT_S)
    assert world.store.lease(worker="other", now=world.clock(), lease_s=60) is not None


class RenewingStore(MemoryStore):
    """A store in memory that counts renewals."""

    renewals = 0

    def renew(self, evaluation_id, **how):
        held = super().renew(evaluation_id, **how)
        self.renewals += 1
        return held


async def test_a_lease_is_renewed_for_as_long_as_the_work_takes():
    world = World(RenewingStore())
    lease = leased(world)

    async def slow():
        for _ in range(3):
            world.clock.pass_s(0.9 * SHORT_S)
            # Of two renewals the second has begun after the time passed.
            enough = world.store.renewals + 2
            while world.store.renewals < enough:
                await asyncio.sleep(0.001)
        assert world.store.lease(worker="other", now=world.clock(), lease_s=60) is None
        return lease.evaluation

    assert await lease.during(slow()) == lease.evaluation


async def test_work_ends_when_another_worker_has_taken_over(world):
    lease = leased(world)
    ended = asyncio.Event()

    async def stalled():
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    taken_over(world)
    with pytest.raises(LeaseLost, match="taken over the evaluation of base"):
        await lease.during(stalled())
    assert ended.is_set()


async def test_programs_of_a_lost_evaluation_are_not_run_to_their_end(world):
    begun = asyncio.Event()

    class Slow(FakeSandbox):
        async def execute(self, program, **how):
            if "# outcome" in program.source:
                begun.set()
                await asyncio.sleep(60)
            return await super().execute(program, **how)

    class Endless(FakeEngine):
        async def serve(self, checkpoint):
            model = await super().serve(checkpoint)
            complete = model.complete

            async def slowly(requests):
                async for completion in complete(requests):
                    yield completion
                    await asyncio.sleep(0.01)

            model.complete = slowly
            return model

    world.sandbox, world.engine = Slow(), Endless(pass_ratio)
    lease = leased(world)
    working = asyncio.create_task(lease.during(evaluate(world.bench(), lease)))
    await begun.wait()
    taken_over(world)
    with pytest.raises(LeaseLost):
        await working
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_store_that_does_not_answer_a_renewal_is_asked_again():
    world = World(UnreachableStore())
    lease = leased(world)
    world.store.refusals["renew"] = 2

    async def slow():
        while world.store.refusals["renew"]:
            await asyncio.sleep(0.001)
        await asyncio.sleep(SHORT_S)
        return lease.evaluation

    await lease.during(slow())
    assert world.store.workers() == ("mine",)


async def test_the_trouble_of_the_work_is_what_is_told(world):
    lease = leased(world)

    async def troubled():
        raise StoreTrouble("It is full.", next_step="Make room.")

    with pytest.raises(StoreTrouble, match="full"):
        await lease.during(troubled())


async def test_nothing_is_written_through_a_lost_lease(world):
    lease = leased(world)
    taken_over(world)
    decided = replace(lease.evaluation, state=State.DECIDED)
    world.store.save(decided)
    with pytest.raises(LeaseLost):
        await lease.save(replace(lease.evaluation, seed_stable=True))
    with pytest.raises(LeaseLost):
        await lease.postpone(StoreTrouble("Late.", next_step="Wait."), delay_s=30)
    lease.hand_back()
    assert world.store.evaluation(decided.key.evaluation_id) == decided
