"""CPU seconds that a program has used, those of processes included that ended and told nobody.

A process whose parent ignores SIGCHLD takes its CPU time with it: no wait adds it up, and /proc shows it
only while it lives. What counts it nevertheless is the control group of a container; elsewhere an event
counter that every process inherits; and where the kernel offers neither, samples taken by chance.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from . import measures

_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
_SOFTWARE, _TASK_CLOCK = 1, 1
_ATTRIBUTES = struct.Struct("=IIQQQQQQQ")
"""Of perf_event_attr, its first version: type, size, config, period, samples, format, flags, two unused."""
_INHERIT, _EXCLUDE_KERNEL, _EXCLUDE_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6
"""Ordinary users may count nothing else; the clock itself runs in the kernel as well."""
_CLOSE_ON_EXEC = 8
_FOREIGN_S = 1.0
"""A control group in which so much was computed before us is not ours alone."""
_START_ERROR_S = 2 / measures.TICKS_PER_S
"""How much younger a process can be than its entry in /proc says."""


class Counter(Protocol):
    """Counts the CPU seconds of a whole sandbox, whatever its processes do."""

    trusted: float
    """Share of what it counts that no error of its own can explain."""

    def total_s(self) -> float:
        """CPU seconds until now, ours included."""
        ...


class Account(Protocol):
    """Knows what one program after the other has used."""

    kind: str
    """exact, inherited or sampled: how far it can be believed."""

    def begin(self) -> None:
        """The next program is about to start."""
        ...

    def used_s(self, processes: Iterable[int]) -> float:
        """CPU seconds that it has used at the least; to be asked again and again while it runs."""
        ...


class GroupCounter:
    """The control group that a container engine has made for this container: exact."""

    trusted = 1.0

    def __init__(self, root: str = "/sys/fs/cgroup") -> None:
        """Raises OSError: there is none, or it holds more than this container."""
        self._nanoseconds = os.path.exists(f"{root}/cpuacct/cpuacct.usage")
        path = "cpuacct/cpuacct.usage" if self._nanoseconds else "cpu.stat"
        self._file = os.open(f"{root}/{path}", os.O_RDONLY | os.O_CLOEXEC)
        if self.total_s() - time.process_time() > _FOREIGN_S:
            os.close(self._file)
            raise OSError(f"{root}/{path} counts more than this sandbox")

    def total_s(self) -> float:
        """CPU seconds of the group."""
        text = os.pread(self._file, 4096, 0)
        if self._nanoseconds:
            return int(text) / 1e9
        return int(text.split()[1]) / 1e6


class InheritedCounter:
    """An event counter of one process and of all that will ever descend from it."""

    trusted = 0.8
    """It runs on while a hypervisor runs somebody else, which the clocks of processes do not."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def total_s(self) -> float:
        """CPU seconds of all of them."""
        return int.from_bytes(os.read(self._descriptor, 8), "little") / 1e9


def start_inherited() -> int | None:
    """Begin to count this process and what it will start; a descriptor, or None where the kernel refuses."""
    number = _PERF_EVENT_OPEN.get(os.uname().machine)
    if number is None:
        return None
    flags = _INHERIT | _EXCLUDE_KERNEL | _EXCLUDE_HYPERVISOR
    attributes = _ATTRIBUTES.pack(_SOFTWARE, _ATTRIBUTES.size, _TASK_CLOCK, 0, 0, 0, flags, 0, 0)
    descriptor = int(ctypes.CDLL(None).syscall(number, attributes, 0, -1, -1, _CLOSE_ON_EXEC))
    return descriptor if descriptor >= 0 else None


class Counted:
    """What a counter counts beside our own processes."""

    def __init__(self, counter: Counter, ours_s: Callable[[], float]) -> None:
        self.kind = "exact" if counter.trusted == 1.0 else "inherited"
        self._counter = counter
        self._ours_s = ours_s
        self._before_s = 0.0

    def begin(self) -> None:
        """Whatever was counted until now was not the next program's."""
        self._before_s = self._others_s()

    def used_s(self, processes: Iterable[int]) -> float:  # noqa: ARG002
        """As far as the counter can be trusted."""
        return max(self._others_s() - self._before_s, 0.0) * self._counter.trusted

    def _others_s(self) -> float:
        # In this order: asking for our own clock brings the other up to date.
        ours_s = self._ours_s()
        return self._counter.total_s() - ours_s


class Sampled:
    """An estimate from the processes that happen to be there.

    A process that lives for a part of the time between two looks is seen by as many of them. One that is
    seen for the first time therefore stands for all of its kind: it is charged the whole time since the
    last look at its own rate.
    """

    kind = "sampled"
    _TRUSTED = 0.6

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Forget the last program."""
        self._looked_at = self._clock()
        self._seen: dict[tuple[int, int], float] = {}
        self._estimate_s = 0.0

    def used_s(self, processes: Iterable[int]) -> float:
        """As much as can hardly be chance."""
        now = self._clock()
        for pid in processes:
            with contextlib.suppress(OSError, IndexError):
                self._note(measures.life(pid), now - self._looked_at)
        self._looked_at = now
        return self._estimate_s * self._TRUSTED

    def _note(self, life: measures.Life, elapsed_s: float) -> None:
        known_s = self._seen.get(life.identity)
        self._seen[life.identity] = life.cpu_s
        if known_s is not None:
            self._estimate_s += life.cpu_s - known_s
            return
        age_s = max(life.cpu_s + life.queued_s, life.age_s - _START_ERROR_S)
        rate = life.cpu_s / age_s if age_s > 0 else 0.0
        self._estimate_s += max(life.cpu_s, elapsed_s * rate)
