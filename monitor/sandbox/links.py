"""How the host talks to a supervisor: length-prefixed JSON over whatever carries bytes to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Protocol

from monitor.sandbox.inside import wire

_MAX_MESSAGE = 4 * 2**20
_STDERR_KEPT = 2000


class LinkLost(Exception):
    """The supervisor is gone, or says what no supervisor says; carries its last words."""


class Link(Protocol):
    """A started sandbox, as the pool sees it."""

    async def send(self, *messages: dict[str, Any]) -> None:
        """Send messages in one piece. Raises LinkLost."""
        ...

    async def receive(self) -> dict[str, Any]:
        """The next message. Raises LinkLost."""
        ...

    async def end(self) -> None:
        """End the sandbox and remove it; never raises."""
        ...


def framed(*messages: dict[str, Any]) -> bytes:
    """The bytes of messages, one after the other."""
    return b"".join(map(wire.framed, messages))


class Unframing:
    """Cuts a stream of bytes, arriving in any pieces, into messages."""

    def __init__(self) -> None:
        self._frames = wire.Frames(_MAX_MESSAGE)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        self._frames.feed(data)

    def next_message(self) -> dict[str, Any] | None:
        """The next complete message, or None. Raises LinkLost."""
        try:
            payload = self._frames.next()
            message = None if payload is None else json.loads(payload)
        except wire.Ended as exc:
            raise LinkLost("the supervisor announced a message that is too long") from exc
        except ValueError as exc:
            raise LinkLost("the supervisor sent what is not JSON") from exc
        if payload is not None and not isinstance(message, dict):
            raise LinkLost("the supervisor sent what is not an object")
        return message


class ProcessLink:
    """A supervisor that is a child process of ours, spoken to over its standard streams."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._unframing = Unframing()
        self._last_words = b""
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(4096):
            self._last_words = (self._last_words + data)[-_STDERR_KEPT:]

    async def send(self, *messages: dict[str, Any]) -> None:
        """Send messages in one piece."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(framed(*messages))
            await self._process.stdin.drain()
        except OSError as exc:
            raise LinkLost(await self._farewell()) from exc

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        assert self._process.stdout is not None
        while (message := self._unframing.next_message()) is None:
            data = await self._process.stdout.read(65536)
            if not data:
                raise LinkLost(await self._farewell())
            self._unframing.feed(data)
        return message

    async def _farewell(self) -> str:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._listening), 1.0)
        return self._last_words.decode("utf-8", "replace").strip()

    async def end(self) -> None:
        """Kill the process; its namespaces, or those it adopted, end with it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(OSError):
            await self._process.stdin.wait_closed()
