from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.samples import SampleRequest
from monitor.generation.managed import ManagedEngine
from tests.integration.generation.servers import running_engine
from tests.unit.generation.benches import request
from tests.unit.generation.tiny_checkpoints import half_written, tiny_checkpoint


@dataclass
class VllmBench:
    """One running vLLM and what it is asked to serve."""

    engine: ManagedEngine
    first: Checkpoint
    second: Checkpoint
    unloadable: Checkpoint

    def request(self, task_id: str, *, count: int, seed: int, first_index: int = 0) -> SampleRequest:
        return request(task_id, count=count, seed=seed, first_index=first_index, temperature=1.0)

    def refused(self, *, count: int) -> SampleRequest:
        return request("refused", prompt="x" * 1000, count=count)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of tiny random checkpoints: two untied ones, a tied one, a half-written one."""
    folder = tmp_path_factory.mktemp("checkpoints")
    tiny_checkpoint(folder / "first", seed=1)
    tiny_checkpoint(folder / "second", seed=2)
    tiny_checkpoint(folder / "tied", seed=3, tied=True)
    tiny_checkpoint(folder / "half", seed=4)
    half_written(folder / "half" / "model.safetensors")
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ManagedEngine]:
    """The session's engine; its server starts with the first checkpoint that is served."""
    async with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine
