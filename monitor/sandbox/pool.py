"""Keeps several sandboxes busy: one program at a time each, replaced when worn or dirty."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from monitor.domain.errors import SandboxTrouble
from monitor.domain.samples import Execution, Outcome, Program, Trust
from monitor.domain.tasks import TaskKind
from monitor.ports import SandboxEvent
from monitor.programs.languages import PYTHON
from monitor.sandbox import verdict
from monitor.sandbox.languages import LANGUAGES
from monitor.sandbox.links import Link, LinkLost
from monitor.sandbox.starts import StartLink, Starts

_log = logging.getLogger(__name__)

_LEAST_HELD, _MOST_HELD = 2, 16
"""Programs a sandbox holds, the running one included: it starts the next, and reports, without asking us."""
_MUCH_TEXT = 4 * 2**20
"""Characters of what a sandbox holds beyond which it is given no more: it keeps them in its memory."""
_ATTEMPTS = 2
"""How often a program may lose a sandbox under it before it is given up as UNSCORED."""
_WATCHDOG_BASE_S, _WATCHDOG_PER_CPU = 90.0, 32.0
"""Beyond the supervisor's own watchdog: a supervisor silent for longer is lost."""
_RETURNED, _NEW = 0, 1
"""Order of service: what lost its sandbox goes first."""
RECYCLE_AFTER = 500
"""Programs after which a sandbox is replaced, unless somebody wants another number."""
_KEPT = 10_000
"""Executions remembered, newest last."""


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A program somebody waits for."""

    program: Program
    done: asyncio.Future[Execution]
    number: int
    """By which its report is recognised."""
    attempts: int = 0
    """Sandboxes lost while it ran, or may have run."""


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
        self._starts = Starts(start)
        self._recycle_after = recycle_after
        self._on_event = on_event
        self._arrivals = itertools.count()
        self._queue: asyncio.PriorityQueue[tuple[int, int, _Pending]] = asyncio.PriorityQueue()
        # Pools of several drivers on one machine do not all begin with the same CPU.
        self._slots = [_Slot(lane=os.getpid() + number) for number in range(slots)]
        self._workers: list[asyncio.Task[None]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False
        self._known: OrderedDict[str, asyncio.Future[Execution]] = OrderedDict()

    async def open(self) -> None:
        """Start all sandboxes. Raises SandboxTrouble when that fails."""
        try:
            await self._fill()
        except BaseException:
            await self.close()
            raise
        self._workers = [asyncio.create_task(self._work(slot)) for slot in self._slots]
        self._starts.prepare()

    async def _fill(self) -> None:
        async def fill(slot: _Slot) -> None:
            slot.link = await self._starts.fresh()

        for failure in await asyncio.gather(*map(fill, self._slots), return_exceptions=True):
            if failure is not None:
                raise failure

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        """Run a program; unless ``fresh``, wait for an equal one that runs already or recall what it did.

        Raises:
            SandboxTrouble: no sandbox can be had, or the pool is closed.
        """
        if self._closed:
            raise _trouble_closed()
        if not program.source.strip() and program.kind is TaskKind.PROGRAM:
            trust = verdict.trust_of(program)
            return Execution(outcome=Outcome.REJECTED, detail="empty", trust=trust, ran=False)
        if not can_run(program):
            found = verdict.unscored(f"no language {program.language!r} is declared", program)
            return replace(found, ran=False)
        digest = program.digest
        done = self._known.get(digest)
        ran = fresh or done is None or (done.done() and _forgettable(done))
        if done is None or ran:
            done = asyncio.get_running_loop().create_future()
            # Whoever asked may be gone by the time it fails; that is no reason for a warning.
            done.add_done_callback(lambda future: future.cancelled() or future.exception())
            self._known[digest] = done
            self._enqueue(_NEW, _Pending(program=program, done=done, number=next(self._arrivals)))
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        execution = await asyncio.shield(done)
        return execution if ran else replace(execution, ran=False)

    def _enqueue(self, order: int, *pendings: _Pending) -> None:
        for pending in pendings:
            self._queue.put_nowait((order, pending.number, pending))

    async def close(self) -> None:
        """End every sandbox; programs still waiting are told that there is none."""
        self._closed = True
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers = []
        _refuse(self._all_pending(), _trouble_closed())
        for slot in self._slots:
            self._discard(slot)
        await self._starts.close()
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
            # Held from here on: whatever becomes of this worker, the program is answered for.
            slot.held.append(pending)
            try:
                if slot.link is None:
                    slot.link = await self._starts.take()
                await self._converse(slot)
            except LinkLost as exc:
                self._lost(slot, str(exc))
            except SandboxTrouble as exc:
                self._give_up(slot, exc)
            except Exception as exc:  # noqa: BLE001
                _log.exception("a slot of the sandbox failed; it goes on with a new sandbox")
                self._give_up(slot, _trouble_ours(exc))

    async def _converse(self, slot: _Slot) -> None:
        """Hand over what is held, keep some more in hand, and take the reports, until none is held."""
        assert slot.link is not None
        sent = 0
        while slot.held:
            self._fill_up(slot)
            async with _watchdog(slot.held[0].program):
                if unsent := list(slot.held)[sent:]:
                    await slot.link.send(*(_message(pending, slot.lane) for pending in unsent))
                    sent = len(slot.held)
                report = await slot.link.receive()
            if "broken" in report:
                raise LinkLost(str(report["broken"]))
            if report.get("id") != slot.held[0].number:
                raise LinkLost("the supervisor reported on another program")
            execution = verdict.weigh(report, slot.held[0].program)
            self._settle(slot.held.popleft(), execution)
            sent -= 1
            slot.executed += 1
            if self._worn(slot, report["events"]):
                return

    def _fill_up(self, slot: _Slot) -> None:
        """Take a fair share of what waits, several at once; one that has lost a sandbox stays alone."""
        room = min(self._share(), self._recycle_after - slot.executed)
        if slot.held[0].attempts or len(slot.held) > room // 2:
            return
        while len(slot.held) < room and not self._queue.empty() and _text(slot.held) < _MUCH_TEXT:
            order, number, pending = self._queue.get_nowait()
            if pending.attempts:
                self._queue.put_nowait((order, number, pending))
                return
            slot.held.append(pending)

    def _share(self) -> int:
        """Programs a sandbox may hold now: fewer towards the end, so that nobody waits behind a slow one.

        Guided self-scheduling (Polychronopoulos and Kuck, 1987), with half of its shares.
        """
        share = self._queue.qsize() // (2 * len(self._slots))
        return max(_LEAST_HELD, min(share, _MOST_HELD))

    def _worn(self, slot: _Slot, events: list[str]) -> bool:
        """Replace the sandbox when something noteworthy happened in it, or after enough programs."""
        for event in events:
            self._tell(SandboxEvent(event))
        if not events and slot.executed < self._recycle_after:
            return False
        self._tell(SandboxEvent.RECYCLED)
        # What it had been given ahead must not run where something may have been left.
        self._enqueue(_RETURNED, *slot.held)
        self._discard(slot)
        return True

    def _lost(self, slot: _Slot, why: str) -> None:
        """The sandbox is gone: what it held gets a second try, each by itself, since any may be the cause."""
        self._tell(SandboxEvent.LOST)
        for pending in slot.held:
            pending.attempts += 1
            if pending.attempts < _ATTEMPTS:
                self._enqueue(_RETURNED, pending)
                continue
            detail = f"the sandbox was lost {pending.attempts} times while it ran: {why}"
            self._settle(pending, verdict.unscored(detail, pending.program))
        self._discard(slot)

    def _give_up(self, slot: _Slot, trouble: SandboxTrouble) -> None:
        """There is no sandbox for what the slot holds."""
        _refuse(slot.held, trouble)
        self._discard(slot)

    def _tell(self, event: SandboxEvent) -> None:
        try:
            self._on_event(event)
        except Exception:  # noqa: BLE001
            # Who counts events must not cost anybody an outcome.
            _log.exception("the event %s was not counted", event.value)

    def _settle(self, pending: _Pending, execution: Execution) -> None:
        if execution.trust is Trust.IN_PROCESS:
            self._tell(SandboxEvent.IN_PROCESS)
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


def _text(held: Iterable[_Pending]) -> int:
    return sum(len(pending.program.source) + len(pending.program.test) for pending in held)


def _message(pending: _Pending, lane: int) -> dict[str, Any]:
    return job_of(pending.program) | {"id": pending.number, "lane": lane}


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


@contextlib.asynccontextmanager
async def _watchdog(program: Program) -> AsyncIterator[None]:
    """Lose a supervisor that neither takes a program nor reports on the one it runs."""
    try:
        async with asyncio.timeout(_WATCHDOG_BASE_S + _WATCHDOG_PER_CPU * program.limits.cpu_s):
            yield
    except TimeoutError as exc:
        raise LinkLost("the supervisor fell silent") from exc


def _refuse(pendings: Iterable[_Pending], trouble: SandboxTrouble) -> None:
    for pending in pendings:
        if not pending.done.done():
            pending.done.set_exception(trouble)


def _trouble_closed() -> SandboxTrouble:
    return SandboxTrouble("The sandbox was closed while programs waited.", next_step="Run them again.")


def _trouble_ours(exc: Exception) -> SandboxTrouble:
    return SandboxTrouble(
        f"The sandbox's driver failed ({type(exc).__name__}: {exc}).",
        next_step="Run the programs again; the log has the traceback, which makes a good bug report.",
    )
