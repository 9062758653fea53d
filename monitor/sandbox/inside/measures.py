"""What the kernel knows about processes: CPU used, time spent waiting for a CPU, memory kills."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_OOM_FILES = ("memory.events", "memory/memory.oom_control")
"""Of control groups of version 2, of version 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What some processes have had and wanted of the CPUs, seconds."""

    cpu_s: float
    """Ran."""
    queued_s: float
    """Was ready to run while the machine ran something else."""
    stalled: bool
    """One of them waits where no signal reaches it: for a disk, or in a frozen control group."""

    @property
    def busy_s(self) -> float:
        """Was not asleep."""
        return self.cpu_s + self.queued_s


def cpu_s(pid: int) -> float:
    """CPU seconds of one live process with all its threads; 0 when it is gone."""
    with contextlib.suppress(OSError):
        # The kernel's encoding of another process's CPU clock, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def activity(pids: Iterable[int]) -> Activity:
    """Of these processes and of the children they have already collected."""
    ran = queued = 0.0
    stalled = False
    for pid in pids:
        ran += cpu_s(pid)
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            ran += (int(fields[13]) + int(fields[14])) / _TICKS_PER_S
            stalled |= fields[0] == b"D"
        with contextlib.suppress(OSError), open(f"/proc/{pid}/schedstat", "rb") as file:
            queued += int(file.read().split()[1]) / 1e9
    return Activity(cpu_s=ran, queued_s=queued, stalled=stalled)


class MemoryKills:
    """Counts how often the kernel kills for memory in this control group."""

    def __init__(self, root: str = "/sys/fs/cgroup") -> None:
        self._root = root
        self._seen = self._total()

    def since_last(self) -> int:
        """Kills since this was last asked, or since the beginning."""
        before, self._seen = self._seen, self._total()
        return self._seen - before

    def _total(self) -> int:
        """Kills ever; 0 when the kernel does not say."""
        for path in _OOM_FILES:
            with contextlib.suppress(OSError), open(f"{self._root}/{path}", encoding="ascii") as file:
                for line in file:
                    name, _, value = line.partition(" ")
                    if name == "oom_kill":
                        return int(value)
        return 0


def resident_bytes(pids: Iterable[int]) -> int:
    """Resident memory of these processes, shared pages counted for each of them."""
    pages = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/statm", "rb") as file:
            pages += int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
