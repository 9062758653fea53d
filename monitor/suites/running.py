"""Several things at once, their results in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_order(
    items: Iterable[Item], work: Callable[[Item], Awaitable[Result]], *, in_flight: int
) -> AsyncGenerator[Result, None]:
    """The result for each item, in the items' order, while up to ``in_flight`` are being worked on.

    The items are read as they are needed, so a stream of any length takes little memory. Leaving the
    iteration early, or an error in one, ends the work on the others.
    """
    running: deque[asyncio.Future[Result]] = deque()
    try:
        for item in items:
            running.append(asyncio.ensure_future(work(item)))
            if len(running) >= in_flight:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for left in running:
            left.cancel()
        await asyncio.gather(*running, return_exceptions=True)
