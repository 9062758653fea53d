"""Starts sandboxes, one of them ahead of need, and answers for each until somebody takes it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from monitor.domain.errors import SandboxTrouble
from monitor.sandbox.links import Link

_ATTEMPTS = 3
"""How often a sandbox is tried to be started before there is none to be had."""
_PAUSE_S = 0.5

StartLink = Callable[[], Awaitable[Link]]
"""Starts a sandbox. Raises SandboxTrouble."""


class Starts:
    """The sandboxes that are being started, and the warm spare.

    No start is ever cancelled, whoever stops waiting for it: half a sandbox is harder to remove than a
    whole one.
    """

    def __init__(self, start: StartLink) -> None:
        self._start = start
        self._spare: asyncio.Task[Link] | None = None
        self._untaken: set[asyncio.Task[Link]] = set()
        self._closed = False

    async def fresh(self) -> Link:
        """A new sandbox. Raises SandboxTrouble."""
        return await self._taken(self._begin())

    def prepare(self) -> None:
        """Begin to start the spare."""
        self._spare = self._begin()

    async def take(self) -> Link:
        """The spare; the next one is begun at once, while this one may still be starting.

        Raises:
            SandboxTrouble: there is none to be had now; that one failed earlier is forgotten.
        """
        spare = self._spare
        if spare is None or (spare.done() and (spare.cancelled() or spare.exception() is not None)):
            spare = self._begin()
        self.prepare()
        return await self._taken(spare)

    async def close(self) -> None:
        """End every sandbox that nobody took, once it has started."""
        self._closed = True
        untaken = tuple(self._untaken)
        self._spare = None
        self._untaken.clear()
        for link in await asyncio.gather(*untaken, return_exceptions=True):
            if not isinstance(link, BaseException):
                await link.end()

    def _begin(self) -> asyncio.Task[Link]:
        task = asyncio.create_task(self._persist())
        self._untaken.add(task)
        task.add_done_callback(self._forget_failure)
        return task

    def _forget_failure(self, task: asyncio.Task[Link]) -> None:
        # Whoever waits hears of it; where nobody does, that is no reason for a warning.
        if task.cancelled() or task.exception() is not None:
            self._untaken.discard(task)

    async def _taken(self, task: asyncio.Task[Link]) -> Link:
        link = await asyncio.shield(task)
        self._untaken.discard(task)
        return link

    async def _persist(self) -> Link:
        for attempt in itertools.count(1):
            try:
                return await self._start()
            except SandboxTrouble:
                if self._closed or attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(_PAUSE_S * attempt)
        raise AssertionError("unreachable")
