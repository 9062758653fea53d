"""One database, SQLite or PostgreSQL: connections, transactions, and what their errors mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from monitor.disks import try_writing
from monitor.domain.errors import DiskTrouble, InvalidConfig, StoreTrouble
from monitor.store.migrations import NEWEST, migrate, stored_version
from monitor.store.revisions import PostgresqlRevisions, Revisions, SqliteRevisions
from monitor.store.troubles import trouble_from

_MIGRATION_LOCK = 0x7A11
"""Any number of our own: PostgreSQL's advisory lock that keeps two openers from migrating at once."""


class Database:
    """Hands out transactions; safe to use from several threads.

    Args:
        url: ``sqlite:///file`` or ``postgresql://…``.
        patience_s: how long to wait for a lock that another process holds.

    Raises:
        InvalidConfig: the URL is not one of those, or its driver is not installed.
    """

    def __init__(self, url: str, *, patience_s: float) -> None:
        self._url = _parsed(url)
        self.name = self._url.render_as_string(hide_password=True)
        self._patience_s = patience_s
        self._engine = self._engine_of()
        self._file = Path(self._url.database or "").absolute() if self.is_sqlite else None
        self._opened: _File | None = None
        self._revisions: Revisions = (
            PostgresqlRevisions(self._engine) if self._file is None else SqliteRevisions(self._file)
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file; else it is PostgreSQL."""
        return self._url.get_backend_name() == "sqlite"

    def prepare(self) -> None:
        """Make it today's store, from nothing or from an older one. Raises StoreTrouble."""
        if self._file is not None:
            self._use_write_ahead_log()
            self._opened = _file_at(self._file)
        with self.reading() as connection:
            # Most openings find nothing to do, and then need not wait for whoever is writing.
            if stored_version(connection) == NEWEST:
                return
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            migrate(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the store. Raises StoreTrouble."""
        with self._told(), self._engine.connect() as connection:
            self._check_file()
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed whole or not at all. Raises StoreTrouble."""
        with self._told(), self._engine.connect() as connection:
            self._check_file()
            if self.is_sqlite:
                # Taking the lock at once avoids the deadlock of two readers that both want to write.
                connection.execution_options(tailwatch_begin="BEGIN IMMEDIATE")
            with connection.begin():
                if not self.is_sqlite:
                    patience_ms = int(self._patience_s * 1000)
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {patience_ms}")
                yield connection

    def revision(self) -> str:
        """Equal as long as nothing was committed, by whomever. Raises StoreTrouble."""
        self._check_file()
        with self._told():
            return self._revisions.current()

    def try_writing(self) -> None:
        """Find out whether it could be written to now; nothing in it changes. Raises StoreTrouble."""
        if self._file is None:
            self._check_primary()
            return
        self._check_file()
        try:
            try_writing(self._file.parent)
        except DiskTrouble as exc:
            raise StoreTrouble(
                f"The store {self.name} cannot be written to: {exc.message}", next_step=exc.next_step
            ) from exc

    def insert(self, table: Table) -> Any:
        """An INSERT that can say ON CONFLICT; both dialects spell it alike, SQLAlchemy does not."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def close(self) -> None:
        """Close every connection."""
        self._revisions.close()
        self._engine.dispose()

    def _check_primary(self) -> None:
        """Refuse a server that only lets read; whether its disk has room is the server's own to watch."""
        with self.reading() as connection:
            read_only = connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on"
        if read_only:
            raise StoreTrouble(
                f"The store {self.name} is read-only.",
                next_step="Name the primary server in the store's URL.",
            )

    def _check_file(self) -> None:
        """Refuse to go on beside the file: what connections hold open may have no name any more."""
        if self._file is None or self._opened is None:
            return
        found = _file_at(self._file)
        if found != self._opened:
            what = "was deleted" if found is None else "was replaced by another file"
            raise StoreTrouble(
                f"The store {self.name} {what} while it was in use.",
                next_step="Put the file back in its place, or restore a backup and start Tailwatch again.",
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeoutError, sqlite3.Error) as exc:
            trouble = trouble_from(exc, self.name)
            if trouble is None:
                raise
            raise trouble from exc

    def _engine_of(self) -> Engine:
        try:
            engine = create_engine(
                self._url,
                connect_args=self._connect_args(),
                # Threads of asyncio.to_thread, of which Python starts up to 32.
                pool_size=8,
                max_overflow=32,
                pool_pre_ping=not self.is_sqlite,
            )
        except ModuleNotFoundError as exc:
            raise InvalidConfig(
                f"The store {self.name} needs the package {exc.name}.",
                next_step="Install it with `pip install 'tailwatch[postgresql]'`.",
            ) from exc
        if self.is_sqlite:
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _connect_args(self) -> dict[str, Any]:
        if self.is_sqlite:
            return {"timeout": self._patience_s}
        return {} if "connect_timeout" in self._url.query else {"connect_timeout": 10}

    def _use_write_ahead_log(self) -> None:
        # Readers and the writer then do not wait for each other. SQLite does not wait for the lock
        # that this switch needs, so two processes that make a store together have to be patient here.
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                with self._told(), self._engine.connect() as connection:
                    connection.execution_options(tailwatch_begin="")
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            except StoreTrouble as trouble:
                if _is_locked(trouble.__cause__) and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                raise
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What a file is known by, whatever it is called."""

    device: int
    number: int


def _file_at(path: Path) -> _File | None:
    """The file that has this name now."""
    try:
        found = path.stat()
    except OSError:
        return None
    return _File(device=found.st_dev, number=found.st_ino)


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as exc:
        raise InvalidConfig(
            f"The store's URL {text!r} cannot be read.", next_step="Write it as sqlite:///tailwatch.db."
        ) from exc
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite")
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise InvalidConfig(
        f"The store {url.render_as_string(hide_password=True)} is neither a SQLite file nor PostgreSQL.",
        next_step="Write sqlite:///tailwatch.db or postgresql://user@host/database.",
    )


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by _begin_sqlite alone: Python's own would begin too late to lock.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # FULL, so that a power cut cannot take back a decision that a gate has already answered with.
    # It costs one fsync per batch of samples, not one per sample.
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("tailwatch_begin", "BEGIN")
    if begin:
        connection.exec_driver_sql(begin)


def _is_locked(cause: BaseException | None) -> bool:
    code = getattr(getattr(cause, "orig", cause), "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
