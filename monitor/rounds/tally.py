"""Counts that are gathered in memory and stored once per wave: each store costs a disk flush."""

from __future__ import annotations

from collections import Counter

from monitor.ports import Counters


class Tally:
    """Counts of one model since they were last stored."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, label: str = "", *, by: int = 1) -> None:
        """Count."""
        self._counts[name, label] += by

    def store(self, counters: Counters) -> None:
        """Move what was counted to the store. Raises StoreTrouble; what was not stored is kept."""
        for name, label in list(self._counts):
            counters.count(self._model, name, label, by=self._counts[name, label])
            del self._counts[name, label]
