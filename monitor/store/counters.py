"""Counts that only grow and survive restarts."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from monitor.store.database import Database
from monitor.store.recording import add
from monitor.store.schema import counters


class SqlCounters:
    """The Counters port over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, model: str, name: str, label: str = "", *, by: int = 1) -> None:
        """Add to a counter of a model."""
        row = {"model": model, "name": name, "label": label, "value": by}
        with self._database.writing() as connection:
            add(self._database, connection, counters, [row])

    def counters(self, model: str) -> Mapping[tuple[str, str], int]:
        """All counters of a model by (name, label)."""
        query = select(counters.c.name, counters.c.label, counters.c.value).where(counters.c.model == model)
        with self._database.reading() as connection:
            return {(name, label): value for name, label, value in connection.execute(query)}
