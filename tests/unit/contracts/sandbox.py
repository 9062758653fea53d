"""What every sandbox does, however it runs programs."""

from __future__ import annotations

import asyncio
from typing import Protocol

from monitor.domain.samples import Outcome, Program
from monitor.ports import Sandbox


class Bench(Protocol):
    """A sandbox, and programs of known outcome for it."""

    sandbox: Sandbox

    def program(self, outcome: Outcome, mark: object = 0) -> Program:
        """A program that comes to this outcome; another mark makes another program."""
        ...


class SandboxContract:
    """Inherit, and give a fixture ``bench``."""

    async def test_a_program_comes_to_its_outcome(self, bench: Bench) -> None:
        for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.REJECTED):
            assert (await bench.sandbox.execute(bench.program(outcome))).outcome is outcome

    async def test_many_at_once_come_to_their_own_outcomes(self, bench: Bench) -> None:
        wanted = [(Outcome.PASSED, Outcome.FAILED, Outcome.REJECTED)[n % 3] for n in range(24)]
        programs = [bench.program(outcome, mark) for mark, outcome in enumerate(wanted)]
        found = await asyncio.gather(*(bench.sandbox.execute(program) for program in programs))
        assert [execution.outcome for execution in found] == wanted

    async def test_an_equal_program_comes_to_the_same_again_also_when_run_afresh(self, bench: Bench) -> None:
        program = bench.program(Outcome.FAILED)
        first = await bench.sandbox.execute(program)
        assert await bench.sandbox.execute(program) == first
        assert (await bench.sandbox.execute(program, fresh=True)).outcome is first.outcome

    async def test_an_execution_is_measured_and_described_in_one_line(self, bench: Bench) -> None:
        execution = await bench.sandbox.execute(bench.program(Outcome.FAILED, "measured"))
        assert execution.cpu_s > 0
        assert execution.wall_s > 0
        assert execution.peak_bytes > 0
        assert len(execution.detail) <= 300
        assert "\n" not in execution.detail

    async def test_its_identity_is_stable(self, bench: Bench) -> None:
        assert bench.sandbox.identity
        assert bench.sandbox.identity == bench.sandbox.identity
