"""Listening on an address and serving the application from the daemon's own event loop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AbstractContextManager, nullcontext

import uvicorn
from fastapi import FastAPI

from monitor.domain.errors import PortTaken
from monitor.web.connections import BACKLOG, FilesRanOut, limited, most_connections, sweep

SHUTDOWN_S = 5
"""Seconds that open requests get to finish."""


class _EmbeddedServer(uvicorn.Server):
    """A server that leaves signals to the daemon around it."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Capture none."""
        return nullcontext()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises:
        PortTaken: something else listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small pieces at once only where the socket says that it is TCP's. Head and body of an
    # answer are two, and the second would wait 40 ms for the receipt of the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A daemon that restarts must not wait for the connections of the one before it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as exc:
        listener.close()
        raise PortTaken(
            f"Cannot listen on {host}:{port}: {exc.strerror or exc}.",
            next_step="End the program that holds it, or set serve.port to another one (0 takes a free one).",
        ) from exc
    return listener


async def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer requests until cancelled; open requests may finish first."""
    most = most_connections()
    config = uvicorn.Config(
        app,
        http=limited(most),
        # Nothing here speaks WebSocket, and a connection that was handed over to it is none of ours any more.
        ws="none",
        backlog=BACKLOG,
        # Above what is let in: connections that were closed to make room still count for a moment.
        limit_concurrency=2 * most,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
    )
    server = _EmbeddedServer(config)
    asyncio.get_running_loop().set_exception_handler(FilesRanOut())
    running = asyncio.create_task(server.serve(sockets=[listener]))
    sweeping = asyncio.create_task(sweep(server.server_state.connections))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        server.should_exit = True
        await running
        raise
    finally:
        sweeping.cancel()
