from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Self

import pytest

from monitor.domain.errors import SandboxTrouble
from monitor.domain.samples import Limits, Outcome, Program, Trust
from monitor.domain.tasks import TaskKind
from monitor.ports import SandboxEvent
from monitor.sandbox.links import LinkLost
from monitor.sandbox.pool import Pool

PASSED = {"verdict": "passed", "detail": "", "ended_by": "", "oom": False, "status": 9}
PASSED |= {"cpu_s": 0.1, "wall_s": 0.1, "peak_bytes": 1, "events": []}

Behaviour = Callable[[dict[str, Any]], dict[str, Any]]


class ScriptedLink:
    """A sandbox whose reports a function makes; it may raise LinkLost."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave
        self._sent: deque[dict[str, Any]] = deque()
        self.ran: list[str] = []
        self.most_held = 0
        self.ended = False

    async def send(self, message: dict[str, Any]) -> None:
        assert not self.ended
        self._sent.append(message)
        self.most_held = max(self.most_held, len(self._sent))

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        assert not self.ended
        job = self._sent.popleft()
        self.ran.append(job["source"])
        return {**PASSED, "id": job["id"], **self._behave(job)}

    async def end(self) -> None:
        self.ended = True


class Bench:
    def __init__(
        self, behave: Behaviour, *, slots: int = 1, recycle_after: int = 500, startable: int = 99
    ) -> None:
        self.links: list[ScriptedLink] = []
        self.events: list[SandboxEvent] = []
        self._behave = behave
        self._startable = startable
        self.pool = Pool(self._start, slots=slots, recycle_after=recycle_after, on_event=self.events.append)

    async def _start(self) -> ScriptedLink:
        if len(self.links) >= self._startable:
            raise SandboxTrouble("none left", next_step="wait")
        self.links.append(ScriptedLink(self._behave))
        return self.links[-1]

    async def __aenter__(self) -> Self:
        await self.pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.pool.close()
        assert all(link.ended for link in self.links)

    @property
    def ran(self) -> list[str]:
        return [source for link in self.links for source in link.ran]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.sandbox.pool._START_PAUSE_S", 0)


def program(source: object, **changes: Any) -> Program:
    fields = {"language": "python", "test": "t", "entry_point": "f", "limits": Limits(cpu_s=1.0)}
    return Program(source=str(source), **{**fields, **changes})


def well(_job: dict[str, Any]) -> dict[str, Any]:
    return {}


async def test_every_program_gets_its_own_execution_in_any_order() -> None:
    async with Bench(lambda job: {"detail": job["source"], "verdict": "failed"}, slots=3) as bench:
        found = await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(50)))
    assert [execution.detail for execution in found] == [str(n) for n in range(50)]


async def test_equal_programs_run_once_even_at_the_same_time() -> None:
    async with Bench(well) as bench:
        await asyncio.gather(*(bench.pool.execute(program("same")) for _ in range(9)))
        await bench.pool.execute(program("same"))
    assert bench.ran == ["same"]


async def test_a_fresh_execution_runs_again() -> None:
    async with Bench(well) as bench:
        await bench.pool.execute(program("same"))
        await bench.pool.execute(program("same"), fresh=True)
    assert bench.ran == ["same", "same"]


async def test_a_sandbox_is_given_one_program_ahead_and_no_more() -> None:
    async with Bench(well) as bench:
        await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(20)))
    assert bench.links[0].most_held == 2


async def test_a_worn_sandbox_is_replaced_by_the_spare() -> None:
    async with Bench(well, recycle_after=5) as bench:
        await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(20)))
        assert [len(link.ran) for link in bench.links[:4]] == [5, 5, 5, 5]
    assert bench.events.count(SandboxEvent.RECYCLED) == 4


async def test_what_a_dirty_sandbox_was_given_ahead_runs_in_a_clean_one() -> None:
    def behave(job: dict[str, Any]) -> dict[str, Any]:
        return {"events": ["strays"] if job["source"] == "0" else []}

    async with Bench(behave) as bench:
        found = await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(3)))
        assert bench.links[0].ran == ["0"]
    assert all(execution.outcome is Outcome.PASSED for execution in found)
    assert bench.events == [SandboxEvent.STRAYS, SandboxEvent.RECYCLED]


async def test_a_program_whose_sandbox_is_lost_gets_a_second_try() -> None:
    lives = iter([True])

    def behave(job: dict[str, Any]) -> dict[str, Any]:
        if job["source"] == "0" and next(lives, False):
            raise LinkLost("gone")
        return {}

    async with Bench(behave) as bench:
        found = await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(3)))
    assert all(execution.outcome is Outcome.PASSED for execution in found)
    assert bench.events == [SandboxEvent.LOST]


async def test_a_program_that_loses_two_sandboxes_is_unscored_and_its_neighbours_are_not() -> None:
    def behave(job: dict[str, Any]) -> dict[str, Any]:
        if job["source"] == "1":
            return {"broken": "the zygote ended"}
        return {}

    async with Bench(behave) as bench:
        found = await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(4)))
    outcomes = [execution.outcome for execution in found]
    assert outcomes == [Outcome.PASSED, Outcome.UNSCORED, Outcome.PASSED, Outcome.PASSED]
    assert "the zygote ended" in found[1].detail


async def test_an_unscored_execution_is_not_remembered() -> None:
    lost = iter([True, True])

    def behave(_job: dict[str, Any]) -> dict[str, Any]:
        if next(lost, False):
            raise LinkLost("gone")
        return {}

    async with Bench(behave) as bench:
        first = await bench.pool.execute(program("x"))
        second = await bench.pool.execute(program("x"))
    assert (first.outcome, second.outcome) == (Outcome.UNSCORED, Outcome.PASSED)


async def test_no_sandbox_at_the_start_is_trouble() -> None:
    bench = Bench(well, startable=0)
    with pytest.raises(SandboxTrouble, match="none left"):
        await bench.pool.open()


async def test_no_sandbox_to_be_had_later_is_trouble_for_those_who_wait() -> None:
    def behave(_job: dict[str, Any]) -> dict[str, Any]:
        raise LinkLost("gone")

    async with Bench(behave, startable=1) as bench:
        with pytest.raises(SandboxTrouble, match="none left"):
            await bench.pool.execute(program("x"))


async def test_programs_that_wait_when_the_pool_is_closed_are_told() -> None:
    async with Bench(well) as bench:
        waiting = [asyncio.ensure_future(bench.pool.execute(program(n))) for n in range(30)]
        await asyncio.sleep(0)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, SandboxTrouble) or result.outcome is Outcome.PASSED for result in results)
    assert any(isinstance(result, SandboxTrouble) for result in results)


async def test_one_who_stops_waiting_does_not_stop_the_others() -> None:
    async with Bench(well) as bench:
        impatient = asyncio.ensure_future(bench.pool.execute(program("same")))
        patient = asyncio.ensure_future(bench.pool.execute(program("same")))
        await asyncio.sleep(0)
        impatient.cancel()
        assert (await patient).outcome is Outcome.PASSED


async def test_an_empty_program_is_rejected_and_an_unknown_language_is_ours() -> None:
    async with Bench(well) as bench:
        assert (await bench.pool.execute(program(" \n"))).outcome is Outcome.REJECTED
        assert (await bench.pool.execute(program("x", language="cobol"))).outcome is Outcome.UNSCORED
    assert bench.ran == []


async def test_verdicts_of_lower_trust_are_counted() -> None:
    async with Bench(well) as bench:
        execution = await bench.pool.execute(program("x", in_process=True))
        answer = await bench.pool.execute(program("x", kind=TaskKind.ANSWER))
    assert (execution.trust, answer.trust) == (Trust.IN_PROCESS, Trust.SPLIT)
    assert bench.events == [SandboxEvent.IN_PROCESS]


async def test_a_report_on_another_program_is_a_lost_sandbox() -> None:
    async with Bench(lambda job: {"id": job["id"] + 1}) as bench:
        assert (await bench.pool.execute(program("x"))).outcome is Outcome.UNSCORED


async def test_each_slot_keeps_to_its_own_cpu_whichever_sandbox_it_has() -> None:
    lanes: dict[str, int] = {}

    def behave(job: dict[str, Any]) -> dict[str, Any]:
        lanes[job["source"]] = job["lane"]
        return {}

    async with Bench(behave, slots=2, recycle_after=3) as bench:
        await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(30)))
        for link in bench.links:
            assert len({lanes[source] for source in link.ran}) <= 1
    first, second = sorted(set(lanes.values()))
    assert second == first + 1
