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

    def count(self, name: str, label: str = "", *, by: int = 1) -> None:
        """Add to a counter."""
        with self._database.writing() as connection:
            add(self._database, connection, counters, [{"name": name, "label": label, "value": by}])

    def counters(self) -> Mapping[tuple[str, str], int]:
        """All counters by (name, label)."""
        with self._database.reading() as connection:
            rows = connection.execute(select(counters.c.name, counters.c.label, counters.c.value))
            return {(name, label): value for name, label, value in rows}
