"""The Store port over SQLite or PostgreSQL."""

from __future__ import annotations

from monitor.store import verification
from monitor.store.counters import SqlCounters
from monitor.store.database import Database
from monitor.store.drift_log import SqlDriftLog
from monitor.store.evaluation_log import SqlEvaluationLog
from monitor.store.forgetting import SqlForgetting
from monitor.store.registry import SqlRegistry
from monitor.store.verification import Difference
from monitor.store.work_queue import SqlWorkQueue


class SqlStore(SqlRegistry, SqlEvaluationLog, SqlDriftLog, SqlWorkQueue, SqlCounters, SqlForgetting):
    """Everything that is kept, in one database; blocking, and safe to call from several threads.

    Every method raises StoreTrouble when the database is locked, full, damaged or unreachable, and
    has then changed nothing.
    """

    @property
    def name(self) -> str:
        """The URL without its password."""
        return self._database.name

    def revision(self) -> str:
        """Equal as long as nothing was stored, by this process or another."""
        return self._database.revision()

    def try_writing(self) -> None:
        """Write something beside what is stored, to see whether it could be."""
        self._database.try_writing()

    def verify(self) -> tuple[Difference, ...]:
        """Recount all samples and list every stored aggregate that differs."""
        return verification.differences(self._database)

    def rebuild(self) -> tuple[Difference, ...]:
        """Replace every stored aggregate that differs by a recount; what they were."""
        return verification.rebuild(self._database)

    def close(self) -> None:
        """Release the connections."""
        self._database.close()


def open_store(url: str, *, patience_s: float = 10.0) -> SqlStore:
    """Open a store, making or migrating its tables.

    Args:
        url: ``sqlite:///tailwatch.db`` (relative), ``sqlite:////var/lib/tailwatch.db`` (absolute) or
            ``postgresql://user:password@host/database``.
        patience_s: how long to wait for a lock that another process holds.

    Raises:
        InvalidConfig: the URL is of another kind, or PostgreSQL's driver is not installed.
        StoreTrouble: locked, full, unreachable, not a database, or made by a newer Tailwatch.
    """
    database = Database(url, patience_s=patience_s)
    try:
        database.prepare()
    except BaseException:
        database.close()
        raise
    return SqlStore(database)
