from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.samples import SampleRequest
from monitor.generation.managed import ManagedEngine
from tests.unit.contracts.engine import EngineContract
from tests.unit.generation.benches import request, stub_engine, unloadable_checkpoint
from tests.unit.generation.tiny_checkpoints import tiny_checkpoint


@dataclass
class StubBench:
    engine: ManagedEngine
    first: Checkpoint
    second: Checkpoint
    unloadable: Checkpoint

    def request(self, task_id: str, *, count: int, seed: int, first_index: int = 0) -> SampleRequest:
        return request(task_id, count=count, seed=seed, first_index=first_index)

    def refused(self, *, count: int) -> SampleRequest:
        return request("refused", prompt="x" * 1000, count=count)


class TestManagedEngine(EngineContract):
    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[StubBench]:
        engine = stub_engine(tmp_path / "engine")
        yield StubBench(
            engine=engine,
            first=tiny_checkpoint(tmp_path / "first", seed=1),
            second=tiny_checkpoint(tmp_path / "second", seed=2),
            unloadable=unloadable_checkpoint(tmp_path / "unloadable"),
        )
        await engine.close()
