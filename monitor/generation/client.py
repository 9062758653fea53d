"""HTTP to one vLLM server: connections, retries, and what an error answer means.

httpx and not the openai SDK: most of what is sent here (prompt log probabilities, development
endpoints) is not in the SDK's types, the SDK retries on its own where a dead process should end the wait
at once, and importing it takes about a second.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from monitor.domain.errors import EngineTrouble, InvalidConfig
from monitor.generation.answers import error_text

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses that may be gone the next time: overload, gateways, a server that starts or restarts."""


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


class Refused(Exception):
    """The server understood the request and will not answer it; a retry cannot help."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often, how long and in which rhythm to try again."""

    attempts: int = 5
    first_pause_s: float = 0.25
    """Doubles with each attempt."""
    timeout_s: float = 600.0
    """Longest silence while an answer is awaited."""
    connect_s: float = 10.0
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Sleeps for some seconds."""
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    """Spreads retries; changes no sample."""


class VllmClient:
    """JSON in, JSON out, with retries.

    Args:
        url: the server's address, with or without ``/v1``.
        concurrency: most connections at a time.
        api_key: sent as bearer token; None for none.
        lifeline: ends all waiting when the server has ended.
        patience: how long to try again.
        transport: carries the requests; None for the network.
    """

    def __init__(
        self,
        url: str,
        *,
        concurrency: int,
        api_key: str | None = None,
        lifeline: Lifeline | None = None,
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.lifeline: Lifeline = lifeline or NoLifeline()
        self._patience = patience or Patience()
        self._http = httpx.AsyncClient(
            base_url=self.url,
            # Reading the certificates of the world takes 0.1 s; plain HTTP has no use for them.
            verify=self.url.startswith("https:"),
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(self._patience.timeout_s, connect=self._patience.connect_s, pool=None),
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
            transport=transport,
        )

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
            Refused: an answer that says the request itself is at fault.
            InvalidConfig: the key was not accepted.
            EngineTrouble: no answer after all attempts, or the server has ended.
        """
        return await self._answer("POST", path, body, 1 if once else self._patience.attempts)

    async def _answer(self, method: str, path: str, body: Mapping[str, Any] | None, attempts: int) -> Any:
        problem = ""
        for attempt in range(attempts):
            await self._before(attempt)
            try:
                response = await self._http.request(method, path, json=body)
            except httpx.TransportError as exc:
                problem = f"{type(exc).__name__}: {exc}".rstrip(": ")
                continue
            if response.is_success:
                return self._content(response)
            problem = f"status {response.status_code}: {error_text(_json_or_text(response))}"
            if response.status_code not in _PASSING or attempts == 1:
                raise self._refusal(response)
        raise EngineTrouble(
            f"The vLLM server at {self.url} did not answer {path} in {attempts} attempts; "
            f"the last ended with {problem[:300]}.",
            next_step="Check that the server runs and can be reached from here.",
        )

    async def _before(self, attempt: int) -> None:
        """Pause before another attempt; do not make any when the server has ended."""
        if attempt:
            # Spread, or all requests of a wave would come back in the same instant.
            spread = 0.5 + self._patience.rng.random()
            await self._patience.pause(self._patience.first_pause_s * 2 ** (attempt - 1) * spread)
        if not self.lifeline.alive:
            raise await self.lifeline.trouble()

    def _content(self, response: httpx.Response) -> Any:
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as exc:
            raise EngineTrouble(
                f"The server at {self.url} answered something other than JSON.",
                next_step="Check that the URL is a vLLM server's, without a path beyond /v1.",
            ) from exc

    def _refusal(self, response: httpx.Response) -> Exception:
        detail = error_text(_json_or_text(response))
        if response.status_code in {401, 403}:
            return InvalidConfig(
                f"The vLLM server at {self.url} did not accept the API key (status {response.status_code}).",
                next_step="Set `engine: {api_key_env: NAME}` to the environment variable that holds its key.",
            )
        return Refused(response.status_code, detail)


def _json_or_text(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text[:300]
