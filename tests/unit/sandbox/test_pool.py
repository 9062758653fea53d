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
        self.pieces: list[int] = []
        self.ended = False

    async def send(self, *messages: dict[str, Any]) -> None:
        assert not self.ended
        self._sent += messages
        self.pieces.append(len(messages))
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
        self.startable = startable
        self.starts_go_on = asyncio.Event()
        self.starts_go_on.set()
        self._behave = behave
        self.pool = Pool(self._start, slots=slots, recycle_after=recycle_after, on_event=self.events.append)

    async def _start(self) -> ScriptedLink:
        if len(self.links) >= self.startable:
            raise SandboxTrouble("none left", next_step="wait")
        await self.starts_go_on.wait()
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
    monkeypatch.setattr("monitor.sandbox.starts._PAUSE_S", 0)


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
        found = await asyncio.gather(*(bench.pool.execute(program("same")) for _ in range(9)))
        found.append(await bench.pool.execute(program("same")))
    assert bench.ran == ["same"]
    assert [execution.ran for execution in found] == [True, *[False] * 9]


async def test_a_fresh_execution_runs_again() -> None:
    async with Bench(well) as bench:
        await bench.pool.execute(program("same"))
        await bench.pool.execute(program("same"), fresh=True)
    assert bench.ran == ["same", "same"]


async def test_a_sandbox_is_given_several_programs_at_once_while_many_wait() -> None:
    async with Bench(well) as bench:
        await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(100)))
    link = bench.links[0]
    assert link.most_held == 16
    assert link.pieces[0] == 16
    assert len(link.pieces) <= 100 / 8 + 10


async def test_a_sandbox_is_given_one_program_ahead_where_few_wait() -> None:
    async with Bench(well, slots=4) as bench:
        await asyncio.gather(*(bench.pool.execute(program(n)) for n in range(16)))
    assert [link.most_held for link in bench.links[:4]] == [2, 2, 2, 2]


async def test_a_sandbox_is_not_given_more_text_than_it_can_keep() -> None:
    async with Bench(well) as bench:
        asked = (bench.pool.execute(program(n, test="#" * 2**20)) for n in range(40))
        await asyncio.gather(*asked)
    assert bench.links[0].most_held == 4


async def test_a_slow_program_keeps_few_from_the_other_sandboxes() -> None:
    goes_on = asyncio.Event()

    class Stuck(ScriptedLink):
        async def receive(self) -> dict[str, Any]:
            if self._sent[0]["source"] == "0":
                await goes_on.wait()
            return await super().receive()

    async def start() -> ScriptedLink:
        return Stuck(well)

    pool = Pool(start, slots=2, recycle_after=500)
    await pool.open()
    asked = [asyncio.ensure_future(pool.execute(program(n))) for n in range(40)]
    await asyncio.sleep(0.05)
    assert sum(not each.done() for each in asked) <= 40 / 4
    goes_on.set()
    await asyncio.gather(*asked)
    await pool.close()


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


async def test_a_program_that_takes_its_sandbox_with_it_costs_nobody_beside_it_an_outcome() -> None:
    together: list[int] = []

    class Reporting(ScriptedLink):
        """Reports come several at a time: what ran before the culprit is lost with it."""

        async def receive(self) -> dict[str, Any]:
            together.append(len(self._sent))
            if any(job["source"] == "3" for job in self._sent):
                raise LinkLost("killed")
            return await super().receive()

    async def start() -> ScriptedLink:
        return Reporting(well)

    pool = Pool(start, slots=1, recycle_after=500)
    await pool.open()
    found = await asyncio.gather(*(pool.execute(program(n)) for n in range(30)))
    await pool.close()
    assert [n for n, each in enumerate(found) if each.outcome is not Outcome.PASSED] == [3]
    assert found[3].outcome is Outcome.UNSCORED
    # Once for all that were there, then each of them by itself.
    assert together[:15] == [14, *[1] * 14]


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


async def test_a_program_that_waits_for_a_sandbox_when_the_pool_is_closed_is_told_and_no_start_is_lost() -> (
    None
):
    def behave(_job: dict[str, Any]) -> dict[str, Any]:
        raise LinkLost("gone")

    async with Bench(behave) as bench:
        bench.starts_go_on.clear()
        waiting = asyncio.ensure_future(bench.pool.execute(program("x")))
        while SandboxEvent.LOST not in bench.events:
            await asyncio.sleep(0)
        closing = asyncio.ensure_future(bench.pool.close())
        with pytest.raises(SandboxTrouble, match="closed"):
            await asyncio.wait_for(waiting, 5)
        bench.starts_go_on.set()
        await closing
        assert all(link.ended for link in bench.links)
        assert len(bench.links) >= 2


async def test_starting_that_is_given_up_midway_leaves_no_sandbox() -> None:
    bench = Bench(well, slots=2)
    bench.starts_go_on.clear()
    opening = asyncio.ensure_future(bench.pool.open())
    await asyncio.sleep(0.01)
    opening.cancel()
    bench.starts_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert len(bench.links) == 2
    assert all(link.ended for link in bench.links)


async def test_a_closed_pool_takes_no_programs() -> None:
    async with Bench(well) as bench:
        pass
    with pytest.raises(SandboxTrouble, match="closed"):
        await asyncio.wait_for(bench.pool.execute(program("x")), 5)


async def test_a_spare_that_could_not_be_started_in_an_outage_is_tried_again_when_it_is_needed() -> None:
    async with Bench(well, recycle_after=1, startable=2) as bench:
        await bench.pool.execute(program("1"))
        await bench.pool.execute(program("2"))
        # The next spare fails now, while nobody asks for it.
        await asyncio.sleep(0.01)
        bench.startable = 99
        assert (await bench.pool.execute(program("3"))).outcome is Outcome.PASSED


async def test_one_who_counts_events_badly_costs_nobody_an_outcome() -> None:
    def fail(_event: SandboxEvent) -> None:
        raise RuntimeError("the store is locked")

    async def start() -> ScriptedLink:
        return ScriptedLink(well)

    pool = Pool(start, slots=1, recycle_after=1, on_event=fail)
    await pool.open()
    found = await asyncio.wait_for(asyncio.gather(*(pool.execute(program(n)) for n in range(4))), 5)
    await pool.close()
    assert {execution.outcome for execution in found} == {Outcome.PASSED}


@pytest.mark.parametrize("odd", [{"events": ["unheard-of"]}, {"cpu_s": "much"}, {"verdict": "perhaps"}])
async def test_a_slot_goes_on_after_a_report_that_nobody_foresaw(odd: dict[str, Any]) -> None:
    async with Bench(lambda job: odd if job["source"] == "odd" else {}) as bench:
        asked = [asyncio.ensure_future(bench.pool.execute(program(source))) for source in ("odd", "plain")]
        await asyncio.wait_for(asyncio.wait(asked), 5)
        assert (await asyncio.wait_for(bench.pool.execute(program("later")), 5)).outcome is Outcome.PASSED


async def test_a_supervisor_that_takes_no_program_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.sandbox.pool._WATCHDOG_BASE_S", 0.0)
    monkeypatch.setattr("monitor.sandbox.pool._WATCHDOG_PER_CPU", 0.01)

    class Deaf(ScriptedLink):
        async def send(self, *messages: dict[str, Any]) -> None:
            await asyncio.Event().wait()

    async def start() -> ScriptedLink:
        return Deaf(well)

    pool = Pool(start, slots=1, recycle_after=9)
    await pool.open()
    execution = await asyncio.wait_for(pool.execute(program("x")), 5)
    await pool.close()
    assert execution.outcome is Outcome.UNSCORED
    assert "silent" in execution.detail


async def test_last_words_of_several_lines_become_one_printable_line() -> None:
    async with Bench(lambda _job: {"broken": "Traceback:\n  \x1b[31mat line 3"}) as bench:
        execution = await bench.pool.execute(program("x"))
    assert execution.outcome is Outcome.UNSCORED
    assert execution.detail.isprintable()


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
