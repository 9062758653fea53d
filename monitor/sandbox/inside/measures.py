"""What the kernel knows about processes: CPU used, who wants a CPU, memory kills."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_REFUSED = re.compile(r"^oom [1-9]", re.MULTILINE)
"""The group once wanted more than its limit; told by the second version alone."""
_REACHED = 0.98
"""Beyond this share of its limit, a group's peak is as near as pages are handed out."""
_RECENT_S = 1.0
"""How often kills are noted between programs, at most: a look for each would cost the short ones too much."""
_NEARLY_FULL = 2 / 3
"""Beyond this share of its memory, a control group is closer to a kill than two looks are apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where a version of control groups keeps its figures; the kernel names the fields in its documents."""

    events: str
    used: str
    limit: str
    statistics: str
    cached: str
    """Field: file pages, which the kernel takes back as it needs them, but for those of tmpfs."""
    tmpfs: str
    peaks: tuple[str, ...] = ()
    """Documents with the most that was ever used, where the events do not tell that it was too much."""


_LAYOUTS = (
    _Layout(
        events="memory.events",
        used="memory.current",
        limit="memory.max",
        statistics="memory.stat",
        cached="file",
        tmpfs="shmem",
    ),
    _Layout(
        events="memory/memory.oom_control",
        used="memory/memory.usage_in_bytes",
        limit="memory/memory.limit_in_bytes",
        statistics="memory/memory.stat",
        cached="total_cache",
        tmpfs="total_shmem",
        # Not failcnt: Linux 6.18 does not count where the limit with swap is the same.
        peaks=("memory/memory.max_usage_in_bytes", "memory/memory.memsw.max_usage_in_bytes"),
    ),
    # Of the whole machine all that is told is how often it has killed.
    _Layout(events="vmstat", used="", limit="", statistics="", cached="", tmpfs=""),
)
CONTAINER, MACHINE = "/sys/fs/cgroup", "/proc"
"""Where to look, for a sandbox with a memory limit of its own, and for one that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What some processes have had of the CPUs, and whether they want more now."""

    cpu_s: float
    """Ran, all their threads together, and the children that they have collected."""
    active: bool
    """One of their threads runs, or is ready to while the machine runs something else."""
    stalled: bool
    """One of them waits where no signal reaches it: for a disk, or in a frozen control group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a process has done since it began."""

    identity: tuple[int, int]
    """Its number and when it began, since numbers are used again."""
    age_s: float
    cpu_s: float
    queued_s: float
    """Its first thread was ready to run while the machine ran something else."""


def cpu_s(pid: int) -> float:
    """CPU seconds of one live process with all its threads; 0 when it is gone."""
    with contextlib.suppress(OSError):
        # The kernel's encoding of another process's CPU clock, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def activity(pids: Iterable[int]) -> Activity:
    """Of these processes with all their threads, and of the children they have already collected."""
    ran, states = 0.0, set[bytes]()
    for pid in pids:
        ran += cpu_s(pid)
        with contextlib.suppress(OSError):
            fields = _status(f"/proc/{pid}")
            ran += (int(fields[13]) + int(fields[14])) / TICKS_PER_S
            states.add(fields[0])
            if fields[17] != b"1":
                states |= _thread_states(pid)
    return Activity(cpu_s=ran, active=b"R" in states, stalled=b"D" in states)


def _thread_states(pid: int) -> set[bytes]:
    states = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        # Threads end as they like, which says nothing about the others.
        with contextlib.suppress(OSError):
            states.add(_status(f"/proc/{pid}/task/{thread}")[0])
    return states


def stepped_back(pids: Iterable[int]) -> bool:
    """Whether one of these processes has put its session behind others, which no call is needed for."""
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/autogroup", "rb") as file:
            # Empty for a process that is in no such group.
            nicer = re.search(rb" nice (\d+)", file.read())
            if nicer and int(nicer[1]) > 0:
                return True
    return False


def life(pid: int) -> Life:
    """Of one process. Raises OSError: it is gone."""
    fields = _status(f"/proc/{pid}")
    with open(f"/proc/{pid}/schedstat", "rb") as file:
        queued = file.read().split()[1]
    began = int(fields[19])
    return Life(
        identity=(pid, began),
        age_s=time.clock_gettime(time.CLOCK_BOOTTIME) - began / TICKS_PER_S,
        cpu_s=cpu_s(pid),
        queued_s=int(queued) / 1e9,
    )


def _status(folder: str) -> list[bytes]:
    """What /proc says of a process or thread, from its state on; proc(5) counts two fields before it."""
    with open(f"{folder}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


class MemoryGroup:
    """The control group that we and the programs are in; the whole machine where there is none of our own."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._layout = next((layout for layout in _LAYOUTS if self._read(layout.events)), _LAYOUTS[0])
        self._note()

    def begin(self) -> None:
        """What was killed until now was not the next program's, but for what came since the last note."""
        if time.monotonic() - self._noted_at > _RECENT_S:
            self._note()

    def _note(self) -> None:
        self._noted_at, self._kills_before = time.monotonic(), self._kills()

    def killed(self) -> bool:
        """Whether the kernel has killed since then because the group wanted more than its limit."""
        limited = bool(self._layout.limit)
        return limited and self._kills() > self._kills_before and self._reached()

    def robbed(self) -> bool:
        """Whether it has killed since then although the group did not: somebody else needed the memory.

        Without a group of our own, what other groups killed at their own limits counts too: a program that
        ends beside it may have to be run again for nothing, and none is blamed for it.
        """
        return self._kills() > self._kills_before and not self._reached()

    def nearly_full(self) -> bool:
        """Whether so much is in use that the kernel is about to kill; never where there is no limit."""
        limit, used = self._read(self._layout.limit).strip(), self._read(self._layout.used).strip()
        if not (limit.isdigit() and used.isdigit()):
            return False
        fields = _fields(self._read(self._layout.statistics))
        reclaimable = fields.get(self._layout.cached, 0) - fields.get(self._layout.tmpfs, 0)
        return int(used) - max(reclaimable, 0) > _NEARLY_FULL * int(limit)

    def _kills(self) -> int:
        """Kills ever, for whomever; 0 when the kernel does not say."""
        return sum(map(int, _KILLS.findall(self._read(self._layout.events))))

    def _reached(self) -> bool:
        """Whether the group ever wanted more than its limit."""
        if _REFUSED.search(self._read(self._layout.events)):
            return True
        most, *peaks = (self._read(path).strip() for path in (self._layout.limit, *self._layout.peaks))
        return any(int(peak) > _REACHED * int(most) for peak in peaks if peak and most)

    def _read(self, path: str) -> str:
        with contextlib.suppress(OSError), open(f"{self._root}/{path}", encoding="ascii") as file:
            return file.read()
        return ""


def _fields(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def resident_bytes(pids: Iterable[int]) -> int:
    """Resident memory of these processes, shared pages counted for each of them."""
    pages = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/statm", "rb") as file:
            pages += int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
