"""The driver on the host, as a supervisor sees it: jobs come and reports go, several at a time.

Between the two lie other people's processes, an engine's for example, which spend more on a passage than
on what it carries.
"""

from __future__ import annotations

import json
import os
from collections import deque
from typing import Any

from . import wire

_PIECE = 2**16
_ANY_LENGTH = 2**32
"""The driver is believed: it says how long a job is, and sends none that could not be kept."""


class Driver:
    """Two pipes that carry length-prefixed JSON objects."""

    def __init__(self, jobs: int, reports: int) -> None:
        self._jobs = jobs
        self._reports = reports
        self._frames = wire.Frames(_ANY_LENGTH)
        self._waiting: deque[bytes] = deque()
        """Jobs that are here and have not been taken."""
        self._kept: list[bytes] = []
        """Reports that have not been sent."""

    def settings(self) -> dict[str, Any]:
        """The first message, and not a byte more: nothing of a job may be here when the zygote is forked.

        Raises:
            wire.Ended: the driver has closed.
        """
        (length,) = wire.HEADER.unpack(self._exactly(wire.HEADER.size))
        message: dict[str, Any] = json.loads(self._exactly(length))
        return message

    def next_job(self) -> dict[str, Any]:
        """The next job; nothing is kept back while we wait for one. Raises wire.Ended."""
        while not self._waiting:
            self.flush()
            self._frames.feed(self._read(_PIECE))
            self._waiting += iter(self._frames.next, None)
        job: dict[str, Any] = json.loads(self._waiting.popleft())
        return job

    def report(self, message: dict[str, Any], *, at_once: bool = False) -> None:
        """Send a report, or keep it back while more jobs wait here than reports do.

        Half of what we were given is then still to be done, so that more can arrive before it is.
        """
        self._kept.append(wire.framed(message))
        if at_once or len(self._kept) >= len(self._waiting):
            self.flush()

    def flush(self) -> None:
        """Send what was kept back."""
        left = memoryview(b"".join(self._kept))
        self._kept.clear()
        while left:
            left = left[os.write(self._reports, left) :]

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            found += self._read(count - len(found))
        return found

    def _read(self, count: int) -> bytes:
        data = os.read(self._jobs, count)
        if not data:
            raise wire.Ended("the driver closed")
        return data
