from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.domain.checkpoint import Checkpoint, Unusable
from monitor.domain.identity import content_digest
from monitor.testing import FakeSource
from tests.unit.contracts.source import CheckpointSourceContract


class ListedCheckpoints:
    def __init__(self) -> None:
        self.source = FakeSource()

    def settle(self, name: str, weights: str) -> None:
        digest = content_digest(weights)
        self.source.settled.append(Checkpoint(digest=digest, name=name, location=f"/models/{name}"))

    def begin(self, name: str) -> None:
        self.source.unsettled.append(name)

    def spoil(self, name: str) -> None:
        problem = "It is empty. Copy a checkpoint there."
        self.source.unusable.append(Unusable(name=name, location=f"/models/{name}", problem=problem))

    def now(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC)


class TestFakeSource(CheckpointSourceContract):
    @pytest.fixture
    def stage(self) -> ListedCheckpoints:
        return ListedCheckpoints()
