"""The worker: takes evaluations from the queue, does them, and never loses one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from monitor.domain.errors import EngineTrouble, InvalidCheckpoint, MonitorError, SandboxTrouble, Trouble
from monitor.domain.evaluation import Evaluation, State
from monitor.ports import Count, EngineEvent, SandboxEvent, Store
from monitor.processes import is_gone
from monitor.rounds.bench import Bench
from monitor.rounds.evaluating import evaluate

LEASE_S = 60.0
ATTEMPTS = 3
"""Leases on one evaluation before it is given up as FAILED."""
RETRY_S = 30.0
"""Delay before the second attempt; the next is twice as long."""


def recover(store: Store) -> int:
    """Put back in the queue what ended workers of this machine held; how many evaluations that were."""
    return sum(store.abandon(worker) for worker in store.workers() if is_gone(worker))


async def work_once(bench: Bench, *, worker: str, only: str | None = None) -> Evaluation | None:
    """Do the next evaluation of the bench's model.

    Returns:
        Its record afterwards: DECIDED, FAILED, or QUEUED again after trouble; None when nothing waits.
    """
    leased = await asyncio.to_thread(
        bench.store.lease, worker=worker, now=bench.clock(), lease_s=LEASE_S, model=bench.model, only=only
    )
    if leased is None:
        return None
    heartbeat = asyncio.create_task(_keep(bench, leased, worker))
    try:
        return await evaluate(bench, leased)
    except asyncio.CancelledError:
        bench.store.hand_back(leased.key.evaluation_id, worker=worker)
        raise
    except InvalidCheckpoint as error:
        return await _give_up(bench, leased, error)
    except Trouble as error:
        return await _retry_later(bench, leased, error, worker)
    finally:
        heartbeat.cancel()


async def _keep(bench: Bench, leased: Evaluation, worker: str) -> None:
    """Renew the lease while the work goes on."""
    while True:
        await asyncio.sleep(LEASE_S / 3)
        await asyncio.to_thread(
            bench.store.renew, leased.key.evaluation_id, worker=worker, now=bench.clock(), lease_s=LEASE_S
        )


async def _retry_later(bench: Bench, leased: Evaluation, error: Trouble, worker: str) -> Evaluation:
    if isinstance(error, EngineTrouble):
        bench.store.count(bench.model, Count.ENGINE_EVENTS, EngineEvent.TROUBLE)
    elif isinstance(error, SandboxTrouble):
        bench.store.count(bench.model, Count.SANDBOX_EVENTS, SandboxEvent.TROUBLE)
    evaluation_id = leased.key.evaluation_id
    attempts = bench.store.attempts(evaluation_id)
    if attempts >= ATTEMPTS:
        return await _give_up(bench, leased, error)
    delay_s = RETRY_S * 2 ** (attempts - 1)
    waiting = replace(_as_stored(bench, leased), state=State.RUNNING, trouble=str(error))
    await asyncio.to_thread(bench.store.save, waiting)
    await asyncio.to_thread(
        bench.store.postpone, evaluation_id, worker=worker, now=bench.clock(), delay_s=delay_s
    )
    return replace(waiting, state=State.QUEUED)


async def _give_up(bench: Bench, leased: Evaluation, error: MonitorError) -> Evaluation:
    failed = replace(
        _as_stored(bench, leased), state=State.FAILED, finished_at=bench.clock(), trouble=str(error)
    )
    await asyncio.to_thread(bench.store.save, failed)
    return failed


def _as_stored(bench: Bench, leased: Evaluation) -> Evaluation:
    """The newest record: stage times are saved while the work goes on."""
    return bench.store.evaluation(leased.key.evaluation_id) or leased


async def work(
    bench: Bench, *, worker: str, idle_s: float, done: Callable[[Evaluation], Awaitable[None]]
) -> None:
    """Do evaluations as they come, until cancelled."""
    while True:
        evaluation = await work_once(bench, worker=worker)
        if evaluation is None:
            await asyncio.sleep(idle_s)
        else:
            await done(evaluation)
