"""A hold on an evaluation: what keeps it, what loses it, and what losing it ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import State
from monitor.rounds.lease import Lease, LeaseLost
from monitor.rounds.watching import bank

from .conftest import START, World, checkpoint
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


async def test_a_lease_is_renewed_for_as_long_as_the_work_takes(world):
    lease = leased(world)

    async def slow():
        for _ in range(10):
            await asyncio.sleep(SHORT_S / 2)
            world.clock.pass_s(SHORT_S / 2)
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
