"""What a database's errors mean to the reader."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from monitor.domain.errors import StoreTrouble

_SQLITE = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", "Wait until that process is done, or end it."),
    sqlite3.SQLITE_LOCKED: ("is locked by another process", "Wait until that process is done, or end it."),
    sqlite3.SQLITE_FULL: ("has no space left on its disk", "Free some space; nothing was lost."),
    sqlite3.SQLITE_NOTADB: ("is not a database", "Name another file under `store:` in tailwatch.yaml."),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "Restore it from a backup."),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Check that its folder exists and can be written to."),
    sqlite3.SQLITE_READONLY: ("cannot be written to", "Check the rights of the file and of its folder."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "Check its disk with `dmesg` and `df`."),
}

# Tables are made when a store is opened: that one is missing is nothing that a statement of ours could do.
_EMPTIED = ("has lost its tables", "Restore it from a backup, and start Tailwatch again.")

_POSTGRESQL = {
    "42P01": _EMPTIED,
    "55P03": ("is locked by another process", "Wait until that process is done, or end it."),
    "40P01": ("is locked by another process", "Try again."),
    "53100": ("has no space left on its disk", "Free some space on the server; nothing was lost."),
    "53300": ("takes no more connections", "Raise max_connections, or end other clients."),
    "28P01": ("refused the password", "Check user and password in the store's URL."),
    "28000": ("refused the user", "Check the store's URL and the server's pg_hba.conf."),
    "3D000": ("does not exist", "Make the database with `createdb`."),
    "42501": ("may not be used by this user", "Grant the user all rights on the database's schema."),
    "25006": ("is read-only", "Name the primary server in the store's URL."),
}


def trouble_from(exc: DBAPIError | PoolTimeoutError | sqlite3.Error, store: str) -> StoreTrouble | None:
    """The error to raise in its place, or None when it is a mistake of this program's.

    Args:
        exc: what SQLAlchemy raised, or SQLite itself while a connection was being made.
        store: the store's URL, without its password.
    """
    if isinstance(exc, PoolTimeoutError):
        told = ("answers too slowly for all who wait for it", "Look for a process that holds it.")
    else:
        cause = exc.orig if isinstance(exc, DBAPIError) else exc
        told = _sqlite_told(cause) if isinstance(cause, sqlite3.Error) else _postgresql_told(cause)
    problem, next_step = told
    if not problem:
        return None
    return StoreTrouble(f"The store {store} {problem} ({_first_line(exc)}).", next_step=next_step)


def _sqlite_told(cause: sqlite3.Error) -> tuple[str, str]:
    # Extended codes carry the primary one in their low byte.
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_ERROR and "no such table" in str(cause):
        return _EMPTIED
    return _SQLITE.get(code, ("", ""))


def _postgresql_told(cause: BaseException | None) -> tuple[str, str]:
    state = getattr(cause, "sqlstate", None)
    if state in _POSTGRESQL:
        return _POSTGRESQL[state]
    # A connection that was never made carries no state; the server's refusals stand in the text.
    text = str(cause)
    for phrase, known in (("password", "28P01"), ("does not exist", "3D000"), ("too many", "53300")):
        if state is None and phrase in text:
            return _POSTGRESQL[known]
    if state is None or state.startswith(("08", "57")):
        return ("cannot be reached", "Check that the server runs and that the URL names it.")
    return ("", "")


def _first_line(exc: Exception) -> str:
    cause = getattr(exc, "orig", None) or exc
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
