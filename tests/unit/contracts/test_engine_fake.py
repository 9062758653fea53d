from __future__ import annotations

from dataclasses import dataclass

import pytest

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.identity import content_digest
from monitor.domain.samples import SampleRequest
from monitor.testing import Failings, FakeEngine
from tests.unit.contracts.engine import EngineContract
from tests.unit.generation.benches import request


def checkpoint(name: str) -> Checkpoint:
    return Checkpoint(digest=content_digest(name), name=name, location=f"/models/{name}")


@dataclass
class FakeBench:
    engine: FakeEngine
    first = checkpoint("first")
    second = checkpoint("second")
    unloadable = checkpoint("unloadable")

    def request(self, task_id: str, *, count: int, seed: int, first_index: int = 0) -> SampleRequest:
        return request(task_id, count=count, seed=seed, first_index=first_index)

    def refused(self, *, count: int) -> SampleRequest:
        return request("refused", count=count)


class TestFakeEngine(EngineContract):
    @pytest.fixture
    def bench(self) -> FakeBench:
        failings = Failings(aborted_tasks={"refused"}, refused_digests={FakeBench.unloadable.digest})
        return FakeBench(engine=FakeEngine(lambda _checkpoint, _task: 0.5, failings))
