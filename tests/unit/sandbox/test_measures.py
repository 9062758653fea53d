from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.sandbox.inside import measures
from monitor.sandbox.inside.measures import MemoryGroup
from tests.requirements import require

KILLS = {
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n",
    "memory.events": "low 0\nhigh 0\nmax 31\noom 4\noom_kill {}\noom_group_kill 0\n",
}
LIMIT = {
    "memory/memory.oom_control": {
        "memory/memory.limit_in_bytes": "805306368\n",
        "memory/memory.max_usage_in_bytes": "805289984\n",
    },
    "memory.events": {"memory.max": "805306368\n"},
}
"""Beside the events of a group that has met its limit."""
USE = {
    "memory/memory.": ("usage_in_bytes", "limit_in_bytes", "total_cache", "total_shmem"),
    "memory.": ("current", "max", "file", "shmem"),
}


def put(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize("events", KILLS)
def test_a_kill_is_the_groups_own_when_it_has_wanted_more_than_its_limit(tmp_path: Path, events: str) -> None:
    put(tmp_path, events, KILLS[events].format(2))
    for name, text in LIMIT[events].items():
        put(tmp_path, name, text)
    group = MemoryGroup(str(tmp_path))
    assert not group.killed()
    assert not group.robbed()
    put(tmp_path, events, KILLS[events].format(5))
    assert group.killed()
    assert not group.robbed()


@pytest.mark.parametrize("events", KILLS)
def test_a_kill_below_the_groups_limit_was_for_somebody_else(tmp_path: Path, events: str) -> None:
    below = KILLS[events].replace("oom 4", "oom 0")
    put(tmp_path, events, below.format(2))
    for name, text in LIMIT[events].items():
        put(tmp_path, name, text.replace("805289984", "600000000"))
    group = MemoryGroup(str(tmp_path))
    put(tmp_path, events, below.format(3))
    assert group.robbed()
    assert not group.killed()


def test_of_a_whole_machine_no_kill_is_the_sandboxs_own(tmp_path: Path) -> None:
    put(tmp_path, "vmstat", "drop_slab 0\noom_kill 1\noom_kill_all 9\n")
    machine = MemoryGroup(str(tmp_path))
    assert not machine.robbed()
    put(tmp_path, "vmstat", "drop_slab 0\noom_kill 2\noom_kill_all 9\n")
    assert machine.robbed()
    assert not machine.killed()
    assert not machine.nearly_full()


def test_a_kill_long_before_a_program_began_does_not_concern_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "vmstat", "oom_kill 1\n")
    machine = MemoryGroup(str(tmp_path))
    put(tmp_path, "vmstat", "oom_kill 2\n")
    machine.begin()
    assert machine.robbed()
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    machine.begin()
    assert not machine.robbed()


def test_this_machine_tells_how_often_it_has_killed() -> None:
    assert "oom_kill " in Path(measures.MACHINE, "vmstat").read_text()


@pytest.mark.parametrize(
    ("events", "prefix"), [("memory.events", "memory."), ("memory/memory.oom_control", "memory/memory.")]
)
@pytest.mark.parametrize(
    ("used", "cached", "tmpfs", "full"),
    [(70, 0, 0, True), (60, 0, 0, False), (80, 20, 0, False), (80, 20, 20, True), (70, 5, 9, True)],
)
def test_a_group_is_nearly_full_of_what_cannot_be_taken_back(
    *, tmp_path: Path, events: str, prefix: str, used: int, cached: int, tmpfs: int, full: bool
) -> None:
    current, most, file, shmem = USE[prefix]
    put(tmp_path, events, KILLS[events].format(0))
    put(tmp_path, prefix + current, f"{used}\n")
    put(tmp_path, prefix + most, "100\n")
    put(tmp_path, f"{prefix}stat", f"anon 1\n{file} {cached}\n{shmem} {tmpfs}\n")
    assert MemoryGroup(str(tmp_path)).nearly_full() is full


def test_a_group_without_a_limit_is_never_full(tmp_path: Path) -> None:
    put(tmp_path, "memory.events", KILLS["memory.events"].format(0))
    put(tmp_path, "memory.current", "90\n")
    put(tmp_path, "memory.max", "max\n")
    assert not MemoryGroup(str(tmp_path)).nearly_full()


def test_a_kernel_that_says_nothing_has_killed_nobody(tmp_path: Path) -> None:
    group = MemoryGroup(str(tmp_path))
    assert not group.killed()
    assert not group.nearly_full()


def test_a_process_is_active_when_any_of_its_threads_is() -> None:
    burn = "threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()"
    source = f"import threading, time; {burn}; print(flush=True); time.sleep(99)"
    with subprocess.Popen([sys.executable, "-S", "-c", source], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            seen = [measures.activity([process.pid]) for _ in range(100) if not time.sleep(0.005)]
        finally:
            process.kill()
    assert all(activity.active for activity in seen)
    assert seen[-1].cpu_s > seen[0].cpu_s


def test_a_process_that_sleeps_is_not_active_and_one_that_is_gone_has_done_nothing() -> None:
    with subprocess.Popen(["sleep", "99"]) as process:
        try:
            seen = [measures.activity([process.pid]).active for _ in range(100) if not time.sleep(0.005)]
        finally:
            process.kill()
    assert not any(seen[-20:])
    assert measures.activity([process.pid]) == measures.Activity(cpu_s=0.0, active=False, stalled=False)


def test_a_process_that_steps_behind_others_is_known_by_it() -> None:
    groups = Path("/proc/self/autogroup").exists()
    require("The scheduler's grouping of sessions", groups, "Use a kernel with CONFIG_SCHED_AUTOGROUP.")
    process = subprocess.Popen(["sleep", "99"], start_new_session=True)
    try:
        assert not measures.stepped_back([process.pid])
        own = Path(f"/proc/{process.pid}/autogroup")
        own.write_text("19")
        assert measures.stepped_back([os.getpid(), process.pid])
    finally:
        process.kill()
        process.wait()
    # One that is gone, and one that is in no group.
    assert not measures.stepped_back([process.pid, 2])
