from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from monitor.domain.samples import Outcome, Program
from tests.integration.sandbox.backends import AnySandbox, adder, open_backend
from tests.unit.contracts.sandbox import SandboxContract

_SOURCES = {
    Outcome.PASSED: "def add(a, b):\n    return a + b\n",
    Outcome.FAILED: "def add(a, b):\n    return a\n",
    Outcome.REJECTED: "def add(a, b)\n    return a\n",
}


@dataclass
class RealBench:
    sandbox: AnySandbox

    def program(self, outcome: Outcome, mark: object = 0) -> Program:
        return adder(f"{_SOURCES[outcome]}# {mark}\n")


class _OnARealSandbox(SandboxContract):
    kind: str

    @pytest_asyncio.fixture
    async def bench(self) -> AsyncIterator[RealBench]:
        async with await open_backend(self.kind, slots=2) as sandbox:
            yield RealBench(sandbox)


class TestDockerSandbox(_OnARealSandbox):
    kind = "docker"


class TestNamespaceSandbox(_OnARealSandbox):
    kind = "namespace"


class TestRlimitSandbox(_OnARealSandbox):
    kind = "rlimit"
