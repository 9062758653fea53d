"""The worker: takes evaluations from the queue, does them, and never loses one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from monitor.domain.errors import (
    EngineStalled,
    EngineTrouble,
    InvalidCheckpoint,
    ModelNotServed,
    MonitorError,
    SandboxTrouble,
    StoreTrouble,
    Trouble,
    disk_trouble,
)
from monitor.domain.evaluation import Evaluation, EvaluationKey, State
from monitor.ports import Count, EngineEvent, SandboxEvent, Store
from monitor.processes import is_gone
from monitor.rounds.bench import Bench
from monitor.rounds.evaluating import evaluate
from monitor.rounds.lease import LEASE_S, Lease, LeaseLost
from monitor.rounds.run import log_fields, running
from monitor.rounds.weighing import BankMissing

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""Attempts that errors may end before an evaluation is FAILED."""
STARTS = 10
"""Attempts that may be interrupted, by a kill or a lease that ran out, before it is not begun again."""
RETRY_S = 30.0
"""Delay before the second attempt; the next is twice as long."""
BANK_S = 15.0
"""How often a candidate looks whether its bank, which another worker draws, is complete."""
SERVED_S = 300.0
"""How often a checkpoint is looked for on a server of somebody else's that does not serve it yet."""
PAUSE_S = 60.0
"""Longest pause of a worker whose store does not answer."""


class Unexpected(Trouble):
    """What nobody foresaw ended an evaluation: trying again by ourselves would be of no use."""

    retryable = False


def recover(store: Store) -> int:
    """Put back in the queue what ended workers of this machine held; how many evaluations that were."""
    return sum(store.abandon(worker) for worker in store.workers() if is_gone(worker))


async def work_once(bench: Bench, *, worker: str, only: str | None = None) -> Evaluation | None:
    """Do the next evaluation of the bench's model.

    Returns:
        Its record afterwards: DECIDED, FAILED, or QUEUED again after trouble; None when nothing waits,
        or when another worker took it over.

    Raises:
        StoreTrouble: the store cannot be asked.
        Exception: what is neither trouble nor the checkpoint's fault, such as a wrong configuration; it
            counts as an attempt.
    """
    leased = await asyncio.to_thread(
        bench.store.lease, worker=worker, now=bench.clock(), lease_s=LEASE_S, model=bench.model, only=only
    )
    if leased is None:
        return None
    lease = Lease(bench.store, leased, worker, clock=bench.clock)
    try:
        with running(leased):
            logger.info("started", extra=log_fields(leased))
            return await _attempt(bench, lease)
    except LeaseLost as lost:
        logger.warning("lease lost", extra={"run": leased.key.evaluation_id, "problem": str(lost)})
        return None


async def _attempt(bench: Bench, lease: Lease) -> Evaluation:
    before = await lease.attempts() - 1
    interrupted = before - lease.evaluation.errors
    if interrupted >= STARTS:
        return await _give_up(bench, lease, _killer(interrupted))
    try:
        decided = await lease.during(evaluate(bench, lease))
    except asyncio.CancelledError:
        lease.hand_back()
        raise
    except LeaseLost:
        raise
    except BankMissing as error:
        return await _wait_for_bank(bench, lease, error)
    except ModelNotServed as error:
        return await lease.postpone(error, delay_s=SERVED_S, tried=False)
    except InvalidCheckpoint as error:
        return await _give_up(bench, lease, error)
    except Exception as error:
        told = _told(error)
        waiting = await _retry_later(bench, lease, told)
        if isinstance(told, Trouble) and not isinstance(told, Unexpected):
            return waiting
        checkpoint = lease.evaluation.checkpoint
        error.add_note(f"while {checkpoint.name} ({checkpoint.short_digest}) was being evaluated")
        raise
    bench.condition.worked()
    return decided


async def _wait_for_bank(bench: Bench, lease: Lease, error: BankMissing) -> Evaluation:
    """Put it back, unless the baseline was removed from the store: nobody will draw that one's bank."""
    key = lease.evaluation.key
    if await asyncio.to_thread(bench.store.checkpoint, key.model, key.baseline) is None:
        return await _give_up(bench, lease, _nothing_to_weigh_against(key))
    return await lease.postpone(error, delay_s=BANK_S, tried=False)


async def _retry_later(bench: Bench, lease: Lease, error: MonitorError) -> Evaluation:
    bench.condition.broke(error)
    if isinstance(error, EngineTrouble):
        event = EngineEvent.STALLED if isinstance(error, EngineStalled) else EngineEvent.TROUBLE
        await asyncio.to_thread(bench.store.count, bench.model, Count.ENGINE_EVENTS, event)
    elif isinstance(error, SandboxTrouble):
        await asyncio.to_thread(bench.store.count, bench.model, Count.SANDBOX_EVENTS, SandboxEvent.TROUBLE)
    errors = lease.evaluation.errors + 1
    lease.evaluation = replace(lease.evaluation, errors=errors)
    if errors >= ATTEMPTS:
        return await _give_up(bench, lease, error)
    return await lease.postpone(error, delay_s=RETRY_S * 2 ** (errors - 1))


async def _give_up(bench: Bench, lease: Lease, error: MonitorError) -> Evaluation:
    failed = replace(
        lease.evaluation,
        state=State.FAILED,
        finished_at=bench.clock(),
        trouble=str(error),
        retryable=error.retryable or not isinstance(error, (InvalidCheckpoint, Unexpected)),
    )
    await lease.save(failed)
    return failed


def _told(error: Exception) -> MonitorError:
    if isinstance(error, MonitorError):
        return error
    if isinstance(error, OSError) and (trouble := disk_trouble(error)) is not None:
        return trouble
    return Unexpected(
        f"An error that Tailwatch did not expect ended it: {type(error).__name__}: {error}.",
        next_step="Report it with the traceback that `tailwatch --debug evaluate` shows.",
    )


def _nothing_to_weigh_against(key: EvaluationKey) -> BankMissing:
    return BankMissing(
        f"Its baseline {key.baseline[:12]} was forgotten before it was weighed against it.",
        next_step="It is weighed against the present baseline as soon as there is one.",
    )


def _killer(interrupted: int) -> Unexpected:
    return Unexpected(
        f"It was interrupted {interrupted} times: its process was killed or stalled before the end.",
        next_step="See with `dmesg` or `journalctl` whether memory ran out, then use `tailwatch evaluate`.",
    )


async def work(
    bench: Callable[[], Bench], *, worker: str, idle_s: float, done: Callable[[Evaluation], Awaitable[None]]
) -> None:
    """Do evaluations as they come, until cancelled; whatever goes wrong, the next one is done.

    Args:
        bench: what the next one works with.
        worker: who does them.
        idle_s: how often the queue is asked when nothing waits.
        done: told of each.
    """
    pause_s = idle_s
    while True:
        try:
            evaluation = await work_once(bench(), worker=worker)
        except StoreTrouble as trouble:
            logger.warning("store does not answer", extra={"problem": str(trouble)})
        except Exception:
            logger.exception("evaluation broke off")
        else:
            pause_s = idle_s
            if evaluation is not None:
                await done(evaluation)
                continue
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, PAUSE_S)
