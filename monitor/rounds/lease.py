"""A worker's hold on one evaluation: kept while the work goes on, and the only way to write its record."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from typing import Any

from monitor.domain.errors import MonitorError, StoreTrouble, Trouble
from monitor.domain.evaluation import Evaluation, State
from monitor.ports import Store

logger = logging.getLogger(__name__)

LEASE_S = 60.0
"""How long others keep off an evaluation whose worker says nothing."""


class LeaseLost(Trouble):
    """The lease ran out while its worker stalled, and another worker has taken the evaluation over."""


class Lease:
    """One evaluation in one worker's hands.

    Args:
        store: where it was leased.
        evaluation: its record as it was leased.
        worker: who leased it.
        clock: UTC now.
        lease_s: seconds it was leased for, and is renewed for.
    """

    def __init__(
        self,
        store: Store,
        evaluation: Evaluation,
        worker: str,
        *,
        clock: Callable[[], datetime],
        lease_s: float = LEASE_S,
    ) -> None:
        self.evaluation = evaluation
        self._store = store
        self._id = evaluation.key.evaluation_id
        self._worker = worker
        self._clock = clock
        self._lease_s = lease_s

    async def attempts(self) -> int:
        """Leases taken on it so far, this one included. Raises StoreTrouble."""
        return await asyncio.to_thread(self._store.attempts, self._id)

    async def save(self, evaluation: Evaluation) -> None:
        """Replace the record.

        Raises:
            LeaseLost: another worker may have written it since, so nothing was replaced.
            StoreTrouble: nothing was replaced.
        """
        if not await asyncio.to_thread(self._store.save_held, evaluation, worker=self._worker):
            raise self._lost()
        self.evaluation = evaluation

    async def postpone(self, error: MonitorError, *, delay_s: float, tried: bool = True) -> Evaluation:
        """Put the evaluation back in the queue with its trouble; what it is then.

        Raises:
            LeaseLost, StoreTrouble: as above.
        """
        await self.save(replace(self.evaluation, trouble=str(error)))
        await asyncio.to_thread(
            self._store.postpone,
            self._id,
            worker=self._worker,
            now=self._clock(),
            delay_s=delay_s,
            tried=tried,
        )
        return replace(self.evaluation, state=State.QUEUED)

    def hand_back(self) -> None:
        """Put the evaluation back in the queue untried; where the store cannot, the lease runs out."""
        with contextlib.suppress(StoreTrouble):
            self._store.hand_back(self._id, worker=self._worker)

    async def during(self, work: Coroutine[Any, Any, Evaluation]) -> Evaluation:
        """What the work comes to; the lease is renewed meanwhile, and the work ended when it is lost.

        Raises:
            LeaseLost: another worker has it; the work was cancelled.
        """
        working, keeping = asyncio.create_task(work), asyncio.create_task(self._keep())
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            return await working if working.done() else await keeping
        finally:
            working.cancel()
            keeping.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    async def _keep(self) -> Evaluation:
        """Renew until cancelled; a store that does not answer is asked again, more often."""
        pause_s = self._lease_s / 3
        while True:
            await asyncio.sleep(pause_s)
            try:
                held = await asyncio.to_thread(
                    self._store.renew,
                    self._id,
                    worker=self._worker,
                    now=self._clock(),
                    lease_s=self._lease_s,
                )
            except StoreTrouble as trouble:
                logger.warning("lease not renewed", extra={"run": self._id, "problem": str(trouble)})
                pause_s = self._lease_s / 12
                continue
            if not held:
                raise self._lost()
            pause_s = self._lease_s / 3

    def _lost(self) -> LeaseLost:
        return LeaseLost(
            f"Another worker has taken over the evaluation of {self.evaluation.checkpoint.name}.",
            next_step="Follow it with `tailwatch status`.",
        )
