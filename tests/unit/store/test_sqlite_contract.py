"""A SQLite file keeps the contract of every store."""

from __future__ import annotations

import pytest

from monitor.store import open_store
from tests.unit.contracts.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        store = open_store(f"sqlite:///{tmp_path}/tailwatch.db")
        yield store
        assert store.verify() == ()
        store.close()
