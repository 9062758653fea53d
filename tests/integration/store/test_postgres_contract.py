"""A PostgreSQL database keeps the contract of every store."""

from __future__ import annotations

import pytest

from monitor.store import open_store
from tests.unit.contracts.store_contract import StoreContract


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def store(self, postgres_url):
        store = open_store(postgres_url)
        yield store
        assert store.verify() == ()
        store.close()
