"""Which revision of its content a database holds: two equal answers, and nothing was committed between them.

SQLite keeps a number for that, which tells one connection of the commits of all others, in this process
and in others: so the connection that is asked here never writes. PostgreSQL tells which transactions a
reader sees: whoever sees the same ones sees the same rows.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine


class Revisions(Protocol):
    """Tells the revision of one database."""

    def current(self) -> str:
        """The revision now. Raises what the database's driver raises."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


class SqliteRevisions:
    """Of a file, on a connection that is kept.

    Args:
        path: of the file, which must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def current(self) -> str:
        """The data version that SQLite tells this connection."""
        with self._lock:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"{self._path.as_uri()}?mode=rw", uri=True, check_same_thread=False, isolation_level=None
                )
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return str(version)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class PostgresqlRevisions:
    """Of a database on a server.

    Args:
        engine: connects to it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def current(self) -> str:
        """The transactions that a reader sees now."""
        with self._engine.connect() as connection:
            return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())

    def close(self) -> None:
        """Nothing is held beside the engine's connections."""
