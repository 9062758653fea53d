"""HTTP to one vLLM server: connections, retries, and what an error answer means.

httpx and not the openai SDK: most of what is sent here (prompt log probabilities, development
endpoints) is not in the SDK's types, the SDK retries on its own where a dead process should end the wait
at once, and importing it takes about a second.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from monitor.domain.errors import EngineTrouble
from monitor.generation.progress import STALL_S, ProgressWatch, tokens_in
from monitor.generation.refusals import (
    Route,
    error_text,
    is_not_finite,
    json_or_text,
    proxy_status,
    retry_after_s,
)

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses that may be gone the next time: overload, gateways, a server that starts or restarts."""
LOADING = "/collective_rpc"
"""Loads weights, and compares them: for as long as that takes there is neither an answer nor a token."""
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    # An answer may take an hour; what stands between must not forget the connection meanwhile.
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30),
)


class Lifeline(Protocol):
    """Knows when a server has ended, so that nobody waits for its answer."""

    @property
    def alive(self) -> bool:
        """Whether it is not known to have ended."""
        ...

    async def trouble(self) -> EngineTrouble:
        """Wait until it ends, for ever if it does not, and say why."""
        ...


class NoLifeline:
    """For a server somebody else runs: only its answers tell."""

    @property
    def alive(self) -> bool:
        """Always, as far as is known."""
        return True

    async def trouble(self) -> EngineTrouble:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often, how long and in which rhythm to try again."""

    attempts: int = 5
    first_pause_s: float = 0.25
    """Doubles with each attempt."""
    loading_s: float = 600.0
    """Longest silence while weights are loaded or compared."""
    answer_s: float = 3600.0
    """Longest silence while another answer is awaited, however alive the server is; at least ``stall_s``."""
    stall_s: float = STALL_S
    """How long the server may show no progress with any request."""
    connect_s: float = 10.0
    longest_pause_s: float = 300.0
    """A server that wants to be left alone for longer is in trouble."""
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Sleeps for some seconds."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """UTC now, for servers that name a time to come back."""
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    """Spreads retries; changes no sample."""


class VllmClient:
    """JSON in, JSON out, with retries.

    Nothing of the environment has a say: neither proxies that it names nor a ``.netrc``.

    Args:
        route: to the server.
        concurrency: most requests for samples at a time.
        lifeline: ends all waiting when the server has ended.
        patience: how long to try again.
        transport: carries the requests; None for the network.
    """

    def __init__(
        self,
        route: Route,
        *,
        concurrency: int,
        lifeline: Lifeline | None = None,
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.lifeline: Lifeline = lifeline or NoLifeline()
        self._route = route
        self._patience = patience or Patience()
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {route.api_key}"} if route.api_key else {},
            timeout=self._timeout(self._longest_answer_s),
            transport=transport or _network(route, connections=concurrency + 1),
            trust_env=False,
        )
        self._progress = ProgressWatch(
            self.url, stall_s=self._patience.stall_s, count_tokens=self._count_tokens
        )

    @property
    def url(self) -> str:
        """The server's address, without ``/v1``."""
        return self._route.url

    @property
    def stalled(self) -> bool:
        """Whether the server was ever found to hang."""
        return self._progress.stalled

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, path: str) -> Any:
        """Fetch JSON. Raises as :meth:`post`."""
        return await self._answer("GET", path, None, self._patience.attempts)

    async def post(self, path: str, body: Mapping[str, Any] | None = None, *, once: bool = False) -> Any:
        """Send JSON, return the answer's JSON; None when it is empty.

        Args:
            path: on the server.
            body: the JSON to send; None for none.
            once: do not try again; every error answer is then a refusal.

        Raises:
            Refused: an answer that says the request itself is at fault; NotFinite where the model is.
            InvalidConfig: the key was not accepted, the address redirects, or the proxy is in the way.
            EngineTrouble: no answer after all attempts, the server has ended, or it hangs.
        """
        return await self._answer("POST", path, body, 1 if once else self._patience.attempts)

    async def _answer(self, method: str, path: str, body: Mapping[str, Any] | None, attempts: int) -> Any:
        problem, wait_s = "", 0.0
        for attempt in range(attempts):
            await self._before(attempt, wait_s)
            try:
                response = await self._sent(method, path, body)
            except httpx.RequestError as exc:
                if isinstance(exc, httpx.ProxyError) and proxy_status(exc) == 407:
                    raise self._route.proxy_denied() from exc
                problem, wait_s = f"{type(exc).__name__}: {exc}".rstrip(": "), 0.0
                continue
            if response.is_success:
                return self._content(response)
            detail = error_text(json_or_text(response))
            problem = f"status {response.status_code}: {detail}"
            if (
                response.status_code not in _PASSING
                or attempts == 1
                or is_not_finite(response.status_code, detail)
            ):
                raise self._route.refusal(response)
            wait_s = retry_after_s(response, self._patience.clock())
            if wait_s > self._patience.longest_pause_s:
                problem += f", and wants to be asked again after {wait_s:.0f} s"
                raise self._route.unreachable(path, attempts=attempt + 1, problem=problem)
        raise self._route.unreachable(path, attempts=attempts, problem=problem)

    async def _before(self, attempt: int, wait_s: float) -> None:
        """Pause before another attempt; do not make any when the server has ended.

        Args:
            attempt: the how-manyth comes next, from 0.
            wait_s: least pause that the server asked for.
        """
        if attempt:
            # Spread, or all requests of a wave would come back in the same instant.
            spread = 0.5 + self._patience.rng.random()
            own_s = self._patience.first_pause_s * 2 ** (attempt - 1) * spread
            await self._patience.pause(wait_s + own_s)
        if not self.lifeline.alive:
            raise await self.lifeline.trouble()

    async def _sent(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """The server's answer, of whatever status.

        Raises:
            httpx.RequestError: there is none that could be read.
            EngineStalled: the server hangs.
        """
        if path == LOADING:
            timeout = self._timeout(self._patience.loading_s)
            return await self._http.request(method, path, json=body, timeout=timeout)
        try:
            return await self._progress.during(self._http.request(method, path, json=body))
        except httpx.ReadTimeout as exc:
            raise self._progress.unanswered(path, self._longest_answer_s) from exc

    @property
    def _longest_answer_s(self) -> float:
        return max(self._patience.answer_s, self._patience.stall_s)

    def _timeout(self, silence_s: float) -> httpx.Timeout:
        return httpx.Timeout(silence_s, connect=self._patience.connect_s, pool=None)

    async def _count_tokens(self) -> float | None:
        """Tokens that the server has handled; None where it does not tell."""
        try:
            # By the clock, and not by silence: who watches must not be held up by what is watched.
            response = await asyncio.wait_for(self._http.get("/metrics"), self._patience.connect_s)
        except (httpx.RequestError, TimeoutError):
            return None
        return tokens_in(response.text) if response.is_success else None

    def _content(self, response: httpx.Response) -> Any:
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as exc:
            raise EngineTrouble(
                f"The server at {self._route} answered something other than JSON.",
                next_step="Check that the URL is a vLLM server's, without a path beyond /v1.",
            ) from exc


def _network(route: Route, *, connections: int) -> httpx.AsyncHTTPTransport:
    proxy = route.proxy
    encrypted = route.url.startswith("https:") or (proxy is not None and proxy.url.startswith("https:"))
    return httpx.AsyncHTTPTransport(
        # Reading the certificates of the world takes 0.1 s; plain HTTP has no use for them.
        verify=httpx.create_ssl_context() if encrypted else False,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        proxy=None if proxy is None else proxy.url,
        trust_env=False,
        socket_options=_KEEP_ALIVE,
    )
