"""Keeps several sandboxes busy: one program at a time each, replaced when worn or dirty."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from monitor.domain.errors import SandboxTrouble
from monitor.domain.samples import Execution, Outcome, Program, Trust
from monitor.domain.tasks import TaskKind
from monitor.ports import SandboxEvent
from monitor.sandbox import verdict
from monitor.sandbox.languages import LANGUAGES, PYTHON
from monitor.sandbox.links import Link, LinkLost

_AHEAD = 2
"""Programs a sandbox holds, the running one included: the next starts without asking us."""
_ATTEMPTS = 2
"""How often a program may lose a sandbox under it before it is given up as UNSCORED."""
_STARTS = 3
"""How often a sandbox is tried to be started before there is none to be had."""
_START_PAUSE_S = 0.5
_WATCHDOG_BASE_S, _WATCHDOG_PER_CPU = 90.0, 32.0
"""Beyond the supervisor's own watchdog: a supervisor silent for longer is lost."""
_RETURNED, _NEW = 0, 1
"""Order of service: what lost its sandbox goes first."""
_KEPT = 10_000
"""Executions remembered, newest last."""

StartLink = Callable[[], Awaitable[Link]]
"""Starts a sandbox. Raises SandboxTrouble."""


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A program somebody waits for."""

    program: Program
    done: asyncio.Future[Execution]
    number: int
    """By which its report is recognised."""
    attempts: int = 0
    """Sandboxes lost while it ran."""


@dataclass(slots=True, kw_only=True)
class _Slot:
    """One sandbox and what it holds."""

    lane: int
    """Its sandboxes run on the CPU of this number, counted round and round."""
    link: Link | None = None
    executed: int = 0
    held: deque[_Pending] = field(default_factory=deque)


Tell = Callable[[SandboxEvent], None]
"""Is told of every noteworthy event."""


def ignore_event(_event: SandboxEvent) -> None:
    """For callers who do not count events."""


class Pool:
    """Runs programs on ``slots`` sandboxes that ``start`` makes.

    Args:
        start: makes one sandbox, ready to take jobs.
        slots: programs that run at the same time.
        recycle_after: programs after which a sandbox is replaced.
        on_event: told of every noteworthy event.
    """

    def __init__(
        self,
        start: StartLink,
        *,
        slots: int,
        recycle_after: int,
        on_event: Tell = ignore_event,
    ) -> None:
        self._start = start
        self._recycle_after = recycle_after
        self._on_event = on_event
        self._arrivals = itertools.count()
        self._queue: asyncio.PriorityQueue[tuple[int, int, _Pending]] = asyncio.PriorityQueue()
        # Pools of several drivers on one machine do not all begin with the same CPU.
        self._slots = [_Slot(lane=os.getpid() + number) for number in range(slots)]
        self._workers: list[asyncio.Task[None]] = []
        self._spare: asyncio.Task[Link] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._known: OrderedDict[str, asyncio.Future[Execution]] = OrderedDict()

    async def open(self) -> None:
        """Start all sandboxes. Raises SandboxTrouble when that fails."""
        links = await asyncio.gather(*(self._fresh() for _ in self._slots), return_exceptions=True)
        failures = [link for link in links if isinstance(link, BaseException)]
        for slot, link in zip(self._slots, links, strict=True):
            if not isinstance(link, BaseException):
                slot.link = link
        if failures:
            await self.close()
            raise failures[0]
        self._workers = [asyncio.create_task(self._work(slot)) for slot in self._slots]
        self._spare = asyncio.create_task(self._fresh())

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        """Run a program; unless ``fresh``, wait for an equal one that runs already or recall what it did."""
        if not program.source.strip() and program.kind is TaskKind.PROGRAM:
            return Execution(outcome=Outcome.REJECTED, detail="empty", trust=verdict.trust_of(program))
        if not can_run(program):
            return verdict.unscored(f"no language {program.language!r} is declared", program)
        digest = program.digest
        done = self._known.get(digest)
        if fresh or done is None or (done.done() and _forgettable(done)):
            done = asyncio.get_running_loop().create_future()
            # Whoever asked may be gone by the time it fails; that is no reason for a warning.
            done.add_done_callback(lambda future: future.cancelled() or future.exception())
            self._known[digest] = done
            self._enqueue(_NEW, _Pending(program=program, done=done, number=next(self._arrivals)))
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return await asyncio.shield(done)

    def _enqueue(self, order: int, *pendings: _Pending) -> None:
        for pending in pendings:
            self._queue.put_nowait((order, pending.number, pending))

    async def close(self) -> None:
        """End every sandbox; programs still waiting are told that there is none."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers = []
        for pending in self._all_pending():
            if not pending.done.done():
                pending.done.set_exception(_closed())
        for slot in self._slots:
            self._discard(slot)
        if self._spare is not None:
            # Not cancelled: half a sandbox is harder to remove than a whole one.
            with contextlib.suppress(SandboxTrouble):
                await (await self._spare).end()
            self._spare = None
        await asyncio.gather(*self._ending)

    def _all_pending(self) -> list[_Pending]:
        waiting = []
        while not self._queue.empty():
            waiting.append(self._queue.get_nowait()[2])
        for slot in self._slots:
            waiting += slot.held
        return waiting

    # -------------------------------------------------------------------------------------- a slot

    async def _work(self, slot: _Slot) -> None:
        while True:
            _, _, pending = await self._queue.get()
            try:
                if slot.link is None:
                    slot.link = await self._take_spare()
            except SandboxTrouble as exc:
                if not pending.done.done():
                    pending.done.set_exception(exc)
                continue
            slot.held.append(pending)
            try:
                await self._converse(slot)
            except LinkLost as exc:
                self._lost(slot, str(exc))

    async def _converse(self, slot: _Slot) -> None:
        """Hand over what is held, keep one more in hand, and take the reports, until none is held."""
        assert slot.link is not None
        sent = 0
        while slot.held:
            while slot.executed + len(slot.held) < self._recycle_after and len(slot.held) < _AHEAD:
                more = self._at_hand()
                if more is None:
                    break
                slot.held.append(more)
            for pending in list(slot.held)[sent:]:
                await slot.link.send(job_of(pending.program) | {"id": pending.number, "lane": slot.lane})
                sent += 1
            report = await self._report(slot.link, slot.held[0].program)
            if "broken" in report:
                raise LinkLost(str(report["broken"]))
            if report.get("id") != slot.held[0].number:
                raise LinkLost("the supervisor reported on another program")
            pending = slot.held.popleft()
            sent -= 1
            slot.executed += 1
            self._settle(pending, verdict.weigh(report, pending.program))
            if self._worn(slot, report["events"]):
                return

    def _at_hand(self) -> _Pending | None:
        with contextlib.suppress(asyncio.QueueEmpty):
            return self._queue.get_nowait()[2]
        return None

    async def _report(self, link: Link, program: Program) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_WATCHDOG_BASE_S + _WATCHDOG_PER_CPU * program.limits.cpu_s):
                return await link.receive()
        except TimeoutError as exc:
            raise LinkLost("the supervisor fell silent") from exc

    def _worn(self, slot: _Slot, events: list[str]) -> bool:
        """Replace the sandbox when something noteworthy happened in it, or after enough programs."""
        for event in events:
            self._on_event(SandboxEvent(event))
        if not events and slot.executed < self._recycle_after:
            return False
        self._on_event(SandboxEvent.RECYCLED)
        # What it had been given ahead must not run where something may have been left.
        self._enqueue(_RETURNED, *slot.held)
        self._discard(slot)
        return True

    def _lost(self, slot: _Slot, why: str) -> None:
        """The sandbox is gone: its running program gets a second try, those behind it a first."""
        self._on_event(SandboxEvent.LOST)
        running = slot.held.popleft()
        running.attempts += 1
        if running.attempts >= _ATTEMPTS:
            detail = f"the sandbox was lost {running.attempts} times while it ran: {why}"
            self._settle(running, verdict.unscored(detail[:300], running.program))
        else:
            self._enqueue(_RETURNED, running)
        self._enqueue(_RETURNED, *slot.held)
        self._discard(slot)

    def _settle(self, pending: _Pending, execution: Execution) -> None:
        if execution.trust is Trust.IN_PROCESS:
            self._on_event(SandboxEvent.IN_PROCESS)
        if not pending.done.done():
            pending.done.set_result(execution)

    def _discard(self, slot: _Slot) -> None:
        """End a slot's sandbox in the background."""
        slot.held.clear()
        slot.executed = 0
        if slot.link is not None:
            task = asyncio.ensure_future(slot.link.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            slot.link = None

    # ------------------------------------------------------------------------------------ sandboxes

    async def _take_spare(self) -> Link:
        """The warm spare; the next one is started at once, while this one may still be starting."""
        taken = self._spare or asyncio.create_task(self._fresh())
        self._spare = asyncio.create_task(self._fresh())
        return await taken

    async def _fresh(self) -> Link:
        for attempt in itertools.count(1):
            try:
                return await self._start()
            except SandboxTrouble:
                if attempt == _STARTS:
                    raise
                await asyncio.sleep(_START_PAUSE_S * attempt)
        raise AssertionError("unreachable")


def job_of(program: Program) -> dict[str, Any]:
    """A program as the supervisor is told of it. Raises KeyError for an unknown language."""
    limits = program.limits
    job: dict[str, Any] = {
        "source": program.source,
        "test": program.test,
        "entry_point": program.entry_point,
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "output_bytes": limits.output_bytes,
    }
    if program.kind is TaskKind.ANSWER:
        return job | {"mode": "answer"}
    if program.language == PYTHON:
        return job | {"mode": "beside" if program.in_process else "split"}
    return job | {"mode": "command", "command": LANGUAGES[program.language].order}


def can_run(program: Program) -> bool:
    """Whether a language is declared for it."""
    return program.kind is TaskKind.ANSWER or program.language == PYTHON or program.language in LANGUAGES


def _forgettable(done: asyncio.Future[Execution]) -> bool:
    """Our trouble is not worth remembering: the next try may succeed."""
    return done.cancelled() or done.exception() is not None or done.result().outcome is Outcome.UNSCORED


def _closed() -> SandboxTrouble:
    return SandboxTrouble("The sandbox was closed while programs waited.", next_step="Run them again.")
