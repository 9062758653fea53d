"""The store in memory keeps the contract of every store."""

from __future__ import annotations

import pytest

from monitor.testing import MemoryStore
from tests.unit.contracts.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()
