"""Tells a server that hangs from one that is slow."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

from monitor.domain.errors import EngineStalled

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)

STALL_S = 300.0
"""How long a server may have requests and show nothing for them."""
_POLLS = 10
_LONGEST_PAUSE_S = 30.0
_TOKENS = re.compile(r"^vllm:(?:generation|prompt)_tokens_total(?:\{.*\})? (\S+)", re.MULTILINE)


def tokens_in(exposition: str) -> float | None:
    r"""Tokens that a vLLM server has read and written since it started, from its ``/metrics``.

    Returns:
        None where the text holds no such counters.

    >>> tokens_in('vllm:prompt_tokens_total{engine="0"} 56.0\nvllm:generation_tokens_total{engine="0"} 2\n')
    58.0
    """
    counts = [float(value) for value in _TOKENS.findall(exposition)]
    return sum(counts) if counts else None


class ProgressWatch:
    """Ends the waiting for a server that gives neither an answer nor a token for too long.

    Answers alone would not do: a slow server that works on a long request gives none for minutes, and
    its counters of tokens move all the while.

    Args:
        url: the server's, for messages.
        stall_s: how long is too long.
        count_tokens: tokens that the server has handled so far; None where it does not tell.
    """

    def __init__(
        self, url: str, *, stall_s: float, count_tokens: Callable[[], Awaitable[float | None]]
    ) -> None:
        self.stalled = False
        """Whether waiting was ever ended."""
        self._url = url
        self._stall_s = stall_s
        self._count_tokens = count_tokens
        self._waiting: set[asyncio.Task[Any]] = set()
        self._given_up: set[asyncio.Task[Any]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._progress_at = 0.0
        self._tokens: float | None = None

    async def during(self, request: Coroutine[Any, Any, _Result]) -> _Result:
        """What a request comes to.

        Raises:
            EngineStalled: the server showed no progress with any request for too long.
        """
        asked = asyncio.create_task(request)
        self._waiting.add(asked)
        if self._watching is None or self._watching.done():
            self._progress_at = monotonic()
            self._watching = asyncio.create_task(self._watch())
        try:
            return await asked
        except asyncio.CancelledError:
            if asked in self._given_up:
                raise self._hanging() from None
            raise
        finally:
            self._progress_at = monotonic()
            self._waiting.discard(asked)
            self._given_up.discard(asked)
            if not self._waiting:
                self._watching.cancel()
                self._watching = None

    def _hanging(self) -> EngineStalled:
        """What to say of a server that hangs."""
        seen = "an answer or a token" if self._tokens is not None else "an answer (it shows no /metrics)"
        return EngineStalled(
            f"The vLLM server at {self._url} hangs: it has requests, and for {self._stall_s:g} s "
            f"(`engine.stall_s`) it has not given {seen}.",
            next_step="Look into the server's log and at its device; a server that is only slow, and whose "
            "/metrics cannot be read, needs a longer `engine.stall_s`.",
        )

    def unanswered(self, path: str, silence_s: float) -> EngineStalled:
        """What to say of a server that moves, and not for a request of ours; it counts as one that hangs."""
        self.stalled = True
        return EngineStalled(
            f"The vLLM server at {self._url} has not answered {path} for {silence_s:g} s, "
            "whatever else it does.",
            next_step="Look into the server's log; where others use it as well, see if it is overloaded.",
        )

    async def _watch(self) -> None:
        pause_s = min(self._stall_s / _POLLS, _LONGEST_PAUSE_S)
        while monotonic() - self._progress_at < self._stall_s:
            await asyncio.sleep(pause_s)
            if monotonic() - self._progress_at >= pause_s:
                await self._poll()
        self.stalled = True
        _log.warning("engine hangs", extra={"problem": str(self._hanging()), "requests": len(self._waiting)})
        self._given_up |= self._waiting
        for each in self._waiting:
            each.cancel()

    async def _poll(self) -> None:
        tokens = await self._count_tokens()
        if tokens is not None and tokens != self._tokens:
            self._progress_at, self._tokens = monotonic(), tokens
