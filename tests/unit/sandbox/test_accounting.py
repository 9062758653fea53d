from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.sandbox.inside.accounting import Counted, GroupCounter, Sampled
from tests.requirements import require

HIDING = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range({count}):
    if os.fork() == 0:
        end = time.process_time() + {seconds}
        while time.process_time() < end:
            pass
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
"""
"""Uses a second of CPU, and its parent hears of next to nothing."""

COUNTING = """
from monitor.sandbox.inside.accounting import InheritedCounter, start_inherited
descriptor = start_inherited()
{hiding}
print(None if descriptor is None else InheritedCounter(descriptor).total_s())
"""


@pytest.fixture
def hiding(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    source = HIDING.format(count=round(1 / request.param), seconds=request.param)
    with subprocess.Popen([sys.executable, "-S", "-c", source]) as process:
        yield process


def below(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *map(int, children.read_text().split())] if children.exists() else []


@pytest.mark.parametrize("hiding", [0.01, 0.1], indirect=True)
def test_samples_tell_about_how_much_was_used_where_nothing_counts_it(
    hiding: subprocess.Popen[bytes],
) -> None:
    sampled = Sampled()
    while hiding.poll() is None:
        time.sleep(0.01 + os.urandom(1)[0] / 25500)
        used_s = sampled.used_s(below(hiding.pid))
    # Of a second and the start of an interpreter; chance makes it a tenth more or less.
    assert 0.5 / 2 < used_s < 1.5


def test_samples_of_the_last_program_say_nothing_about_the_next() -> None:
    now = iter([0.0, 10.0, 10.0, 10.0])
    sampled = Sampled(lambda: next(now))
    assert sampled.used_s([os.getpid()]) > 0
    sampled.begin()
    assert sampled.used_s([]) == 0


def test_an_inherited_counter_counts_what_ends_unnoticed() -> None:
    # In a process of its own: whatever this one starts later would be counted, too.
    source = COUNTING.format(hiding=HIDING.format(count=5, seconds=0.02))
    told = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout
    require("Counting events", told != "None\n", "Set kernel.perf_event_paranoid to 2 or less.")
    assert 0.1 <= float(told) < 1.0


def put(root: Path, name: str, text: str) -> None:
    file = root / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("cpuacct/cpuacct.usage", "{}000\n"),
        ("cpu.stat", "usage_usec {}\nuser_usec 1\nsystem_usec 1\n"),
    ],
)
def test_a_program_used_what_a_group_counts_since_it_began_and_is_not_ours(
    tmp_path: Path, name: str, form: str
) -> None:
    put(tmp_path, name, form.format(400_000))
    ours = iter([0.1, 0.3])
    account = Counted(GroupCounter(str(tmp_path)), lambda: next(ours))
    account.begin()
    put(tmp_path, name, form.format(2_600_000))
    assert account.used_s([]) == pytest.approx(2.0)


def test_what_a_hypervisor_may_have_taken_is_not_the_programs() -> None:
    class Counter:
        trusted = 0.8
        seconds = iter([1.0, 3.0])

        def total_s(self) -> float:
            return next(self.seconds)

    account = Counted(Counter(), lambda: 0.0)
    account.begin()
    assert account.used_s([]) == pytest.approx(1.6)


def test_a_group_that_is_not_ours_alone_is_not_counted_by(tmp_path: Path) -> None:
    put(tmp_path, "cpu.stat", f"usage_usec {10**12}\n")
    with pytest.raises(OSError, match="more than this sandbox"):
        GroupCounter(str(tmp_path))
    with pytest.raises(OSError, match="No such file"):
        GroupCounter(str(tmp_path / "nowhere"))
