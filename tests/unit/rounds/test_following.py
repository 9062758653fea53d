"""Who asks for an evaluation gets it, whoever does it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from monitor.domain.evaluation import Evaluation, State
from monitor.domain.evidence import DecisionKind
from monitor.processes import identify
from monitor.rounds.following import see_through
from monitor.rounds.watching import baseline_of, candidate
from monitor.rounds.worker import ATTEMPTS, work_once
from monitor.testing import FakeEngine
from monitor.testing.fakes import Failings

from .conftest import World, checkpoint, pass_ratio

WORKER = "w:1:1"


def equal(world: World) -> Evaluation:
    return candidate(world.watch, checkpoint("equal"), baseline_of(world.watch), now=world.clock())


async def test_what_nobody_does_is_done_here_and_now(world):
    await world.with_baseline()
    record = await see_through(world.bench(), equal(world), worker=WORKER)
    assert record.decision.kind is DecisionKind.PROMOTE


async def test_what_another_worker_does_is_waited_for_with_its_progress(world):
    await world.with_baseline()
    wanted, told = equal(world), []
    world.store.enqueue(wanted)
    world.store.lease(worker="other machine:1:1", now=world.clock(), lease_s=60)
    following = asyncio.create_task(
        see_through(world.bench(), wanted, worker=WORKER, elsewhere=lambda: told.append("told"), look_s=0.001)
    )
    seen = len(world.progress)
    while len(world.progress) < seen + 3:
        await asyncio.sleep(0.001)
    decided = replace(wanted, state=State.DECIDED)
    world.store.save_held(decided, worker="other machine:1:1")
    assert await following == decided
    assert told == ["told"]
    assert world.engine.served == [checkpoint("base")]


async def test_what_a_worker_died_over_is_gone_on_with(world):
    await world.with_baseline()
    wanted = equal(world)
    world.store.enqueue(wanted)
    dead = f"{identify().rsplit(':', 2)[0]}:999999999:1"
    world.store.lease(worker=dead, now=world.clock(), lease_s=10_000)
    record = await see_through(world.bench(), wanted, worker=WORKER)
    assert record.state is State.DECIDED


async def test_what_failed_or_waits_for_its_next_attempt_is_tried_at_once(world):
    await world.with_baseline()
    wanted, healthy = equal(world), world.engine
    world.store.enqueue(wanted)
    world.engine = FakeEngine(pass_ratio, Failings(lives=(0,) * (ATTEMPTS + 1)))
    for _ in range(ATTEMPTS):
        await work_once(world.bench(), worker=WORKER)
        world.clock.pass_s(1000)
    assert world.store.evaluation(wanted.key.evaluation_id).state is State.FAILED
    again = await see_through(world.bench(), wanted, worker=WORKER)
    assert again.state is State.QUEUED
    world.engine = healthy
    record = await see_through(world.bench(), wanted, worker=WORKER)
    assert record.state is State.DECIDED
