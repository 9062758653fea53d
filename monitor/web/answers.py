"""Answers that are made once and given until the store changes, or a moment has passed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from types import MappingProxyType
from weakref import WeakValueDictionary

from fastapi import Request, Response

from monitor.domain.errors import MonitorError

logger = logging.getLogger(__name__)

LASTS_S = 1.0
"""How late an answer may show what no store tells: that time has passed, or how this process fares."""

VERDICT_LASTS_S = 0.1
"""The same of a verdict, which costs little to give again."""

MOST_ANSWERS = 256
"""Answers that are kept, those that were asked for last."""

MOST_BYTES = 32 * 2**20
"""Of their bodies: a page for every limit that may be asked for would be hundreds of megabytes."""

LEAST_PACKED_BYTES = 1024
"""Shorter answers are sent as they are, since packing saves no packet."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an answer says."""

    body: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)


def json_content(document: object, *, status: int = 200) -> Content:
    """A JSON document."""
    body = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Content(body=body, media_type="application/json", status=status)


class _Answer:
    """A content with the forms in which it is sent."""

    def __init__(self, content: Content, revision: str | None, made_at: float) -> None:
        self.content = content
        self.revision = revision
        self.made_at = made_at
        self._packed: bytes | None = None
        # Weak: the packed body and the plain one say the same in other bytes.
        self.tag = f'W/"{hashlib.sha256(content.body).hexdigest()[:24]}"'

    @property
    def packed(self) -> bytes:
        """The body in gzip's format, packed when it is first asked for."""
        if self._packed is None:
            self._packed = gzip.compress(self.content.body, compresslevel=5, mtime=0)
        return self._packed


class Answers:
    """Gives answers, and makes them again when they may have changed.

    Whatever a request is answered with was true of the store at a moment after the request came: its
    revision is asked for each request, though once for all that came before the asking began.

    Args:
        revision: of what answers are made from; blocking; equal as long as that has not changed.
        clock: seconds that only go forward; the time of day may be set back.
    """

    def __init__(self, revision: Callable[[], str], clock: Callable[[], float] = monotonic) -> None:
        self._ask_revision = revision
        self._clock = clock
        self._asking = asyncio.Lock()
        self._asked = 0
        self._revision: str | None = None
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        # Weak: a lock is needed by those who wait for it, also where nothing was made.
        self._making: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def reply(
        self, request: Request, key: Hashable, make: Callable[[], Content], *, lasts_s: float = LASTS_S
    ) -> Response:
        """The response to a request.

        Args:
            request: whose headers say which forms it takes, and which answer it has.
            key: tells answers apart.
            make: makes this one; runs in a thread.
            lasts_s: how long it is given, in seconds, while the store does not change.
        """
        answer = await self._answer(key, make, lasts_s)
        content = answer.content
        headers = {**content.headers, "content-type": content.media_type, "cache-control": "no-cache"}
        if content.status == 200:
            headers["etag"] = answer.tag
            if answer.tag in _listed(request, "if-none-match"):
                return Response(status_code=304, headers=headers)
        body = content.body
        if len(body) >= LEAST_PACKED_BYTES:
            headers["vary"] = "accept-encoding"
            if "gzip" in _listed(request, "accept-encoding"):
                headers["content-encoding"] = "gzip"
                body = answer.packed
        return Response(body, status_code=content.status, headers=headers)

    async def _answer(self, key: Hashable, make: Callable[[], Content], lasts_s: float) -> _Answer:
        revision, asked_at = await self._current_revision(), self._clock()
        known = self._answers.get(key)
        if known is not None and self._holds(known, revision, lasts_s):
            return known
        making = self._making.setdefault(key, asyncio.Lock())
        async with making:
            known = self._answers.get(key)
            # Whoever waited takes what was begun after it asked, however long that took and whatever was
            # stored since. Without a store each attempt may take as long as the patience for one.
            if known is not None and (known.made_at > asked_at or self._holds(known, revision, lasts_s)):
                return known
            # Asked before it is made: should the store change meanwhile, the next request makes another.
            made_at = self._clock()
            known = _Answer(await asyncio.to_thread(make), revision, made_at)
            self._keep(key, known)
            return known

    def _holds(self, answer: _Answer, revision: str | None, lasts_s: float) -> bool:
        unchanged = revision is not None and answer.revision == revision
        return unchanged and self._clock() - answer.made_at < lasts_s

    def _keep(self, key: Hashable, answer: _Answer) -> None:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > MOST_ANSWERS or (len(self._answers) > 1 and self._bytes() > MOST_BYTES):
            self._answers.popitem(last=False)

    def _bytes(self) -> int:
        return sum(len(answer.content.body) for answer in self._answers.values())

    async def _current_revision(self) -> str | None:
        """The revision at a moment after this call began; None where it cannot be told."""
        asked_before = self._asked
        async with self._asking:
            if self._asked == asked_before:
                self._asked += 1
                self._revision = None
                try:
                    self._revision = await asyncio.to_thread(self._ask_revision)
                except MonitorError:
                    pass  # Whoever makes the answer meets it again, and says it in its own way.
                except Exception:
                    # Where nothing can be kept the gate must answer all the same.
                    logger.exception("the store's revision met an error that was not expected")
            return self._revision


def _listed(request: Request, header: str) -> set[str]:
    """The values of a header that is a list, without their weights; those of weight zero are left out."""
    found = set()
    for part in request.headers.get(header, "").split(","):
        value, _, weight = part.replace(" ", "").partition(";q=")
        if value and weight not in {"0", "0.0"}:
            found.add(value)
    return found
