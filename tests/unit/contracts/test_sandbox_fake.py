from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from monitor.domain.samples import Outcome, Program
from monitor.testing import FakeSandbox, marked
from tests.unit.contracts.sandbox import SandboxContract


@dataclass
class FakeBench:
    sandbox: FakeSandbox = field(default_factory=FakeSandbox)

    def program(self, outcome: Outcome, mark: object = 0) -> Program:
        source = f"def f():\n{marked(outcome)}# {mark}\n"
        return Program(language="python", source=source, test="def check(f): ...", entry_point="f")


class TestFakeSandbox(SandboxContract):
    @pytest.fixture
    def bench(self) -> FakeBench:
        return FakeBench()
