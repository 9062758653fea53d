"""Whether the daemon can do its work, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.domain.errors import MonitorError
from monitor.domain.evaluation import State
from monitor.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """One part that an evaluation needs."""

    name: str
    """``store``, ``engine``, ``sandbox``."""
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


def store_health(store: Store, model: str) -> tuple[PartHealth, datetime | None]:
    """Whether the store answers, and when it last saw an evaluation decided."""
    try:
        evaluations = store.evaluations(model)
    except MonitorError as trouble:
        return PartHealth(name="store", ok=False, detail=str(trouble)), None
    finished = [each.finished_at for each in evaluations if each.state is State.DECIDED and each.finished_at]
    return PartHealth(name="store", ok=True), max(finished, default=None)
