"""PID 1 of a sandbox: takes jobs from the driver, lets them run and be judged, cleans up, reports.

It never runs candidate code, and never decides what a run means: it reports facts, and the driver on
the host turns them into outcomes and decides when a sandbox is to be replaced.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import accounting, candidate, cleanup, judge, kernel, measures, uids, wire
from .driver import Driver
from .idleness import Idleness

_DRIVER_IN, _DRIVER_OUT = 0, 1
_IDLE_BASE_S = 2.0
"""A program that neither computes nor waits for a CPU for this long, plus its limit, is stuck."""
_WALL_BASE_S, _WALL_PER_CPU = 60.0, 30.0
"""Watchdog for a machine that is too busy to say anything about a program."""
_JUDGE_BASE_S = 2.0
"""CPU seconds that the tests may take beside what the program may."""
_PATIENCE_S = 5.0
"""How long our own processes may take to answer while nothing keeps them."""
_LOOK_EVERY_S = 0.05
"""At the latest: memory can be filled this quickly; and of a pause of the machine no more is ever counted as
idle. Mostly sooner, at moments that no program can foresee."""
_SLICE_S = 0.05
_FREED_S = 1.0
"""How long the kernel may take to give back what killed processes held, in sockets for example."""


class Broken(Exception):
    """This sandbox cannot go on; the driver replaces it."""


@dataclass(slots=True, kw_only=True)
class Helper:
    """A process of ours, and the socket we talk to it by."""

    pid: int
    control: socket.socket
    spent_s: float = 0.0

    def cpu_s(self) -> float:
        """CPU that it has used, also once it is gone."""
        self.spent_s = max(self.spent_s, measures.cpu_s(self.pid))
        return self.spent_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a look at a run shows."""

    now: float
    processes: list[int]
    """Of the program."""
    program_s: float
    """CPU that the program has used, as far as is known yet."""
    tests_s: float
    """CPU that its tests have used since the first look."""
    idle_s: float
    """Time since the first look in which neither it nor anything of ours worked or wanted a CPU."""


@dataclass(slots=True, kw_only=True)
class Run:
    """What is known so far about the job that runs."""

    job: dict[str, Any]
    started_at: float
    idleness: Idleness | None = None
    """Counted from the first look; most programs are over before that."""
    tests_began_s: float = 0.0
    """CPU that the judge had used at the first look."""
    exit: dict[str, Any] | None = None
    """How it ended and what it used; None while it lives."""
    program_s: float = 0.0
    """CPU that it was last seen to have used."""
    verdict: dict[str, Any] | None = None
    ended_by: str = ""
    """Which limit we ended it for: cpu, idle, memory, judge_cpu or wall; empty when none."""
    events: list[str] | None = None

    @property
    def did_well(self) -> bool:
        """Whether the program passed its tests, or ended without an error where its end is what tells."""
        assert self.exit is not None
        assert self.verdict is not None
        wanted = {"passed"} if self.exit["status"] else {"passed", "finished"}
        return self.verdict["verdict"] in wanted


def main(counter: int | None = None) -> None:
    """Serve the driver on standard input and output until it closes.

    Args:
        counter: of :func:`.accounting.start_inherited`, where it could be started before this process.
    """
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    driver = Driver(_DRIVER_IN, _DRIVER_OUT)
    supervisor = Supervisor(driver.settings(), counter=counter, on_wait=driver.flush)
    driver.report(supervisor.start())
    while True:
        try:
            job = driver.next_job()
        except wire.Ended:
            return
        try:
            report = supervisor.run(job)
        except (Broken, OSError, wire.Ended) as exc:
            driver.report({"id": job["id"], "broken": str(exc) or type(exc).__name__}, at_once=True)
            return
        # After anything noteworthy the driver replaces this sandbox.
        driver.report(report, at_once=bool(report["events"]))


class Supervisor:
    """Runs one job at a time with a zygote and a judge that live as long as it does."""

    def __init__(self, settings: dict[str, Any], *, counter: int | None, on_wait: Callable[[], None]) -> None:
        self._uids = iter(uids.draw(1 + settings["uids"]) if settings["fresh_uids"] else ())
        self._settings = settings | {"judge_uid": next(self._uids, None)}
        self._on_wait = on_wait
        """Called when a program takes longer than most."""
        self._whole_namespace: bool = os.getpid() == 1
        self._memory = measures.MemoryGroup(measures.CONTAINER if settings["own_group"] else measures.MACHINE)
        self._retired_s = 0.0
        """CPU of judges that were replaced."""
        self._account = self._opened(counter)

    def _opened(self, counter: int | None) -> accounting.Account:
        if counter is not None:
            return accounting.Counted(accounting.InheritedCounter(counter), self._ours_s)
        if self._settings["own_group"]:
            with contextlib.suppress(OSError):
                return accounting.Counted(accounting.GroupCounter(), self._ours_s)
        return accounting.Sampled()

    def _ours_s(self) -> float:
        """CPU of all that is in this sandbox and no program's."""
        return time.process_time() + self._zygote.cpu_s() + self._judge.cpu_s() + self._retired_s

    def start(self) -> dict[str, Any]:
        """Fork zygote and judge; what this sandbox is, for the driver."""
        self._zygote = self._fork(candidate.serve)
        self._judge = self._fork(judge.serve)
        ready, _ = wire.receive_message(self._zygote.control)
        wire.receive_message(self._judge.control)
        if not self._settings["fresh_uids"]:
            kernel.hide_memory()
        self._places_used = self._usage()
        return {
            "ready": True,
            "python": ".".join(map(str, sys.version_info[:3])),
            "seccomp": ready["seccomp"],
            "own_processes": self._whole_namespace,
            "fresh_uids": self._settings["fresh_uids"],
            "accounting": self._account.kind,
        }

    def _fork(self, serve: Callable[[socket.socket, dict[str, Any]], None]) -> Helper:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                ours.close()
                kernel.die_with_parent()
                # Copies of our other sockets would keep them open, or let a child use them.
                os.closerange(3, theirs.fileno())
                os.closerange(theirs.fileno() + 1, 256)
                gc.freeze()
                serve(theirs, self._settings)
                status = 0
            finally:
                os._exit(status)
        theirs.close()
        return Helper(pid=pid, control=ours)

    # ------------------------------------------------------------------------------------- one job

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Run one job to its end, clean up after it, and report the facts."""
        kernel.stay_in_lane(job["lane"])
        run = Run(job=job, started_at=time.monotonic(), events=[])
        uid = next(self._uids) if self._settings["fresh_uids"] else None
        self._begin(run, uid)
        self._watch(run)
        self._end(run, uid)
        wall_s = time.monotonic() - run.started_at
        self._clean(run, uid)
        if self._settings["leashed"]:
            # Acting under other uids for a moment has made the kernel forget it.
            kernel.die_with_parent()
        assert run.verdict is not None
        if run.verdict["verdict"] == "unfit" and not run.ended_by:
            raise Broken(f"a program's process could not be set up: {run.verdict['detail']}")
        if not run.ended_by and not run.did_well and self._memory.robbed():
            raise Broken("the kernel ended a process for want of memory, and not for this program's")
        if run.ended_by == "memory" and self._stays_full():
            raise Broken("its memory stays nearly full although the program has ended")
        return self._report(run, wall_s)

    def _begin(self, run: Run, uid: int | None) -> None:
        job = run.job
        self._account.begin()
        self._memory.begin()
        if job["mode"] == "answer":
            run.exit = {"status": 0, "cpu_s": 0.0, "peak_bytes": 0}
            wire.send_message(self._judge.control, job)
            return
        for_judge, for_candidate = socket.socketpair()
        with for_judge, for_candidate:
            order = {
                "uid": uid,
                "lane": job["lane"],
                "cpu_s": job["cpu_s"],
                "memory_bytes": job["memory_bytes"],
            }
            wire.send_message(self._zygote.control, order, for_candidate.fileno())
            wire.send_message(self._judge.control, job, for_judge.fileno())

    def _watch(self, run: Run) -> None:
        """Wait for the verdict or the end of the process; end it ourselves when a limit is reached."""
        poll = select.poll()
        poll.register(self._zygote.control, select.POLLIN)
        poll.register(self._judge.control, select.POLLIN)
        wait_s = self._first_look_s(run.job)
        while run.verdict is None and not (run.exit and run.job["mode"] != "answer"):
            ready = poll.poll(wait_s * 1000)
            if ready:
                self._hear(run, [descriptor for descriptor, _ in ready])
            else:
                self._on_wait()
                run.ended_by, wait_s = self._look(run, wait_s)
            if run.ended_by:
                return

    def _first_look_s(self, job: dict[str, Any]) -> float:
        return min(float(job["cpu_s"]) / (os.cpu_count() or 1), _LOOK_EVERY_S)

    def _hear(self, run: Run, descriptors: list[int]) -> None:
        if self._zygote.control.fileno() in descriptors:
            try:
                run.exit, _ = wire.receive_message(self._zygote.control)
            except wire.Ended as exc:
                if not self._memory.killed():
                    raise Broken("the zygote ended") from exc
                # Killed for the memory that the program used: that is its end, too, and this sandbox's.
                run.exit = {"status": int(signal.SIGKILL), "cpu_s": 0.0, "peak_bytes": 0}
        if self._judge.control.fileno() in descriptors:
            try:
                run.verdict, _ = wire.receive_message(self._judge.control)
            except wire.Ended:
                self._replace_judge(run)

    def _look(self, run: Run, asked_s: float) -> tuple[str, float]:
        """Which limit has been reached, if any, and when to look again, seconds."""
        limit, sight = float(run.job["cpu_s"]), self._see(run, asked_s)
        left = {
            "cpu": limit - sight.program_s,
            "judge_cpu": limit + _JUDGE_BASE_S - sight.tests_s,
            "idle": limit + _IDLE_BASE_S - sight.idle_s,
            "wall": _WALL_BASE_S + _WALL_PER_CPU * limit - (sight.now - run.started_at),
        }
        for name, seconds in left.items():
            if seconds <= 0:
                return name, 0
        if self._short_of_memory(run.job, sight.processes):
            return "memory", 0
        waits = [left["cpu"] / (os.cpu_count() or 1), left["judge_cpu"], left["idle"], _next_look_s()]
        return "", max(min(waits), 0.002)

    def _short_of_memory(self, job: dict[str, Any], processes: list[int]) -> bool:
        """Whether the program uses more than it may where nothing limits it, or soon all that there is.

        The kernel kills who seems largest, which what a program keeps in sockets and pipes does not show.
        """
        if self._settings["watch_memory"]:
            return measures.resident_bytes(processes) > 2 * int(job["memory_bytes"])
        return self._memory.nearly_full()

    def _stays_full(self) -> bool:
        """Whether it is ours, as what a test leaves in the judge, that fills the memory."""
        give_up_at = time.monotonic() + _FREED_S
        while self._memory.nearly_full():
            if time.monotonic() > give_up_at:
                return True
            time.sleep(_SLICE_S)
        return False

    def _see(self, run: Run, asked_s: float) -> Sight:
        now, processes = time.monotonic(), self._program_processes()
        program = measures.activity(processes)
        tests = measures.activity([self._judge.pid])
        zygote = measures.activity([self._zygote.pid])
        cpu_s = program.cpu_s + tests.cpu_s + zygote.cpu_s + time.process_time()
        if run.idleness is None:
            run.idleness = Idleness(at=now, cpu_s=cpu_s)
            run.tests_began_s = tests.cpu_s
        run.idleness.note(
            at=now,
            cpu_s=cpu_s,
            asked_s=asked_s,
            active=(program.active and not measures.stepped_back(processes)) or tests.active or zygote.active,
            stalled=program.stalled or tests.stalled or zygote.stalled,
        )
        run.program_s = max(run.program_s, program.cpu_s, self._account.used_s(processes))
        return Sight(
            now=now,
            processes=processes,
            program_s=run.program_s,
            tests_s=tests.cpu_s - run.tests_began_s,
            idle_s=run.idleness.idle_s,
        )

    def _program_processes(self) -> list[int]:
        return cleanup.strays(self._known(), whole_namespace=self._whole_namespace)

    def _known(self) -> set[int]:
        return {os.getpid(), self._zygote.pid, self._judge.pid}

    # ----------------------------------------------------------------------------------- afterwards

    def _end(self, run: Run, uid: int | None) -> None:
        """Kill everything of the program, then hear what zygote and judge still have to say."""
        if run.job["mode"] != "answer":
            self._kill(uid)
        if run.ended_by == "judge_cpu":
            os.kill(self._judge.pid, signal.SIGKILL)
        poll = select.poll()
        poll.register(self._zygote.control, select.POLLIN)
        if run.verdict is None:
            poll.register(self._judge.control, select.POLLIN)
        idle_before_s = run.idleness.idle_s if run.idleness else 0.0
        while run.exit is None or run.verdict is None:
            # In slices: a child that had not yet taken its uid is out of the first kill's reach.
            ready = poll.poll(_SLICE_S * 1000)
            self._hear(run, [descriptor for descriptor, _ in ready])
            if run.exit is None:
                self._kill(uid)
            if not ready:
                self._outwait(run, idle_before_s)
        if run.job["mode"] != "answer":
            run.program_s = max(run.program_s, run.exit["cpu_s"], self._account.used_s([]))

    def _outwait(self, run: Run, idle_before_s: float) -> None:
        """End the judge when the tests compute for too long, and this sandbox when nobody works at all."""
        sight = self._see(run, _SLICE_S)
        if run.verdict is None and sight.tests_s >= float(run.job["cpu_s"]) + _JUDGE_BASE_S:
            run.ended_by = run.ended_by or "judge_cpu"
            os.kill(self._judge.pid, signal.SIGKILL)
        elif sight.idle_s - idle_before_s >= _PATIENCE_S:
            silent = "the program's process did not end" if run.exit is None else "the judge fell silent"
            raise Broken(silent)

    def _kill(self, uid: int | None) -> None:
        if uid is not None:
            cleanup.kill_uid(uid)
            return
        cleanup.kill_strays(self._known())

    def _replace_judge(self, run: Run) -> None:
        """The judge died or hangs: the verdict is lost, the next program gets a new one."""
        assert run.events is not None
        run.events.append("judge_restart")
        run.verdict = {"verdict": "lost", "detail": ""}
        self._judge.control.close()
        # A test may have closed its end and live on.
        os.kill(self._judge.pid, signal.SIGKILL)
        self._retired_s += self._judge.cpu_s()
        os.waitpid(self._judge.pid, 0)
        self._judge = self._fork(judge.serve)
        wire.receive_message(self._judge.control)

    def _clean(self, run: Run, uid: int | None) -> None:
        assert run.events is not None
        left = self._program_processes()
        # Without a uid of its own, what a program left has only now been told to end.
        if left and uid is not None:
            run.events.append("strays")
        if left and cleanup.await_calm(self._known(), uid=uid, whole_namespace=self._whole_namespace):
            raise Broken("processes survived being killed")
        if not cleanup.wipe(self._settings["places"]) or self._usage() > self._places_used:
            run.events.append("residue")

    def _usage(self) -> int:
        """Inodes in use in the writable places, or names where they are on somebody else's file system."""
        if self._settings["own_places"]:
            stats = [os.statvfs(place) for place in self._settings["places"]]
            return sum(stat.f_files - stat.f_ffree for stat in stats)
        return sum(len(os.listdir(place)) for place in self._settings["places"])

    def _report(self, run: Run, wall_s: float) -> dict[str, Any]:
        assert run.exit is not None
        assert run.verdict is not None
        assert run.events is not None
        # Asked every time: what the kernel killed may have been a child, and is this program's in any case.
        killed_for_memory = self._memory.killed()
        if killed_for_memory:
            run.events.append("oom")
        if run.verdict["verdict"] == "flooded":
            run.events.append("flood")
        return {
            "id": run.job["id"],
            "verdict": run.verdict["verdict"],
            "detail": run.verdict["detail"],
            "ended_by": run.ended_by,
            "oom": killed_for_memory,
            "status": run.exit["status"],
            "cpu_s": run.program_s,
            "wall_s": wall_s,
            "peak_bytes": run.exit["peak_bytes"],
            "events": run.events,
        }


def _next_look_s() -> float:
    """From half of to all of the longest time between two looks."""
    return _LOOK_EVERY_S * (1 + os.urandom(1)[0] / 255) / 2
