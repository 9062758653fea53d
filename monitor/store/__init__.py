"""Keeping everything: schema, migrations, queries."""

from __future__ import annotations

from monitor.store.sql_store import SqlStore, open_store
from monitor.store.verification import Difference

__all__ = ["Difference", "SqlStore", "open_store"]
