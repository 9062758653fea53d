"""Whether the daemon can do its work, part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic

from monitor.domain.errors import MonitorError
from monitor.ports import Store

TRIAL_S = 5.0
"""How long what a trial found stands: probes of health come every few seconds, from several sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """One part that an evaluation needs."""

    name: str
    """``store``, ``state``, ``checkpoints``, ``engine``, ``sandbox``."""
    ok: bool
    detail: str = ""
    """What is wrong and the next step, or what answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All parts at one moment."""

    parts: tuple[PartHealth, ...]
    last_success_at: datetime | None
    """When an evaluation was last decided, UTC; None before the first."""

    @property
    def ready(self) -> bool:
        """Whether an evaluation that arrives now could be done."""
        return all(part.ok for part in self.parts)


class Trial:
    """Something that works or does not, tried again when the last time was a while ago.

    Args:
        attempt: tries it; raises MonitorError where it does not work.
        every_s: how long what was found stands, in seconds.
        clock: seconds that only go forward.
    """

    def __init__(
        self, attempt: Callable[[], None], *, every_s: float = TRIAL_S, clock: Callable[[], float] = monotonic
    ) -> None:
        self._attempt = attempt
        self._every_s = every_s
        self._clock = clock
        self._lock = Lock()
        self._tried_at: float | None = None
        self._problem = ""

    def problem(self) -> str:
        """What is wrong, with the next step; empty while it works."""
        with self._lock:
            if self._tried_at is None or self._clock() - self._tried_at >= self._every_s:
                self._problem = ""
                try:
                    self._attempt()
                except MonitorError as trouble:
                    self._problem = str(trouble)
                self._tried_at = self._clock()
            return self._problem


def store_health(store: Store, model: str, writing: Trial) -> tuple[PartHealth, datetime | None]:
    """Whether the store answers and can be written to, and when it last saw an evaluation decided."""
    try:
        last = store.last_decided_at(model)
    except MonitorError as trouble:
        return PartHealth(name="store", ok=False, detail=str(trouble)), None
    return part_health("store", writing), last


def part_health(name: str, trial: Trial, detail: str = "") -> PartHealth:
    """A part that is well as long as a trial succeeds.

    Args:
        name: of the part.
        trial: tells what is wrong.
        detail: what answered, told while nothing is wrong.
    """
    problem = trial.problem()
    return PartHealth(name=name, ok=not problem, detail=problem or detail)
