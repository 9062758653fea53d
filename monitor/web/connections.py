"""Connections that ask nothing: closed after a while, and at once where others need their place."""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

logger = logging.getLogger(__name__)

HEADER_S = 10.0
"""Seconds in which a request's head must have come, from when the connection is free for it."""

ANSWER_S = 120.0
"""Seconds after which a connection is closed whatever it does, since a client may read for ever as well."""

MOST_CONNECTIONS = 256
"""Connections at once, where the process may open so many files."""

FEWEST_CONNECTIONS = 16

QUARTER = 4
"""One of so many files that the process may open is a connection: store, sandbox and engine need theirs."""

BACKLOG = 64
"""Connections that the kernel holds until they are accepted. asyncio tries to accept as many in one go, and
reports each that fails."""

SWEEP_S = 1.0
QUIET_S = 60.0
"""Seconds between two lines in the log about files that ran out."""


def most_connections() -> int:
    """How many connections this process can afford, by the files it may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, files // QUARTER))


class Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen by what is installed
    """A connection of uvicorn's that knows since when it waits for a request, and makes room for others."""

    most = MOST_CONNECTIONS
    """Connections at once; a subclass has its own."""

    def connection_made(self, transport: Any) -> None:
        """Close the one that has waited longest where there are too many, or this one where none waits."""
        self.free_since = time.monotonic()
        super().connection_made(transport)
        present = [each for each in self.connections if not each.transport.is_closing()]
        if len(present) > self.most:
            waiting = [each for each in present if each is not self and waits(each)]
            min(waiting, key=lambda each: each.free_since, default=self).transport.abort()

    def on_response_complete(self) -> None:
        """Count again."""
        self.free_since = time.monotonic()
        super().on_response_complete()


def limited(most: int) -> type[Connection]:
    """Connections of which there are at most so many."""
    return type("LimitedConnection", (Connection,), {"most": most})


def waits(connection: Any) -> bool:
    """Whether a connection has no request that is being answered."""
    return connection.cycle is None or connection.cycle.response_complete


async def sweep(connections: Iterable[Any]) -> None:
    """Close connections on which no request came in time, until cancelled.

    Args:
        connections: those that are open now, whenever it is looked at.
    """
    while True:
        await asyncio.sleep(SWEEP_S)
        now = time.monotonic()
        for connection in list(connections):
            if now - connection.free_since > (HEADER_S if waits(connection) else ANSWER_S):
                connection.transport.abort()


class FilesRanOut:
    """An event loop's exception handler that tells in one line, and seldom, that no file can be opened."""

    def __init__(self) -> None:
        self._told_at = -QUIET_S

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle what the loop reports; everything else as it always does."""
        if "socket.accept() out of system resource" not in str(context.get("message", "")):
            loop.default_exception_handler(context)
            return
        if time.monotonic() - self._told_at >= QUIET_S:
            self._told_at = time.monotonic()
            logger.warning(
                "connections wait: %s. Raise the limit of open files (`ulimit -n`).", context.get("exception")
            )
