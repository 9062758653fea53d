"""Servers that must not outlive their holder, whatever kills whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.generation import leash
from monitor.generation.orphans import end_orphans, record_leash

FAMILY = """
import subprocess, sys, time
# Like vLLM's: a child that stays when its parent is killed, and that asks for time when it is asked to end.
subprocess.Popen([sys.executable, "-I", "-S", "-c",
    "import signal, time; signal.signal(signal.SIGTERM, lambda *_: None); print('up', flush=True); "
    "time.sleep(60); time.sleep(60)  # vllm MARK"])
time.sleep(60)  # MARK
"""

HOLDER = """
import subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], stdin=-1, stdout=-1, start_new_session=True)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(60)
"""
# The children here never end when asked: what is waited for is the last resort.
GRACE_S = "0.2"
PYTHON = [sys.executable, "-I", "-S"]


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    return f"{request.node.name}-{os.getpid()}"


def family(mark: str) -> list[str]:
    source = FAMILY.replace("MARK", mark)
    return [*PYTHON, leash.__file__, GRACE_S, *PYTHON, "-c", source]


def members(mark: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdecimal() else ""
        except OSError:
            continue
        if mark in line and "leash.py" not in line and "HOLDER" not in line:
            found.append(int(entry.name))
    return found


def until(condition: Callable[[], object], *, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def start(mark: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        family(mark), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    assert len(members(mark)) >= 2
    return process


def finish(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait(timeout=20)


def test_letting_go_ends_the_server_and_its_children(mark: str) -> None:
    process = start(mark)
    finish(process)
    assert members(mark) == []


def test_asking_the_leash_to_end_ends_the_server_and_its_children(mark: str) -> None:
    process = start(mark)
    process.terminate()
    process.wait(timeout=20)
    assert members(mark) == []
    finish(process)


def test_a_holder_killed_by_force_takes_the_server_and_its_children_along(mark: str) -> None:
    holder = subprocess.Popen([*PYTHON, "-c", HOLDER, *family(mark)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    assert len(members(mark)) >= 2
    holder.kill()
    holder.wait()
    holder.stdout.close()
    until(lambda: not members(mark))


def test_a_server_that_dies_takes_its_children_along_and_its_status_is_passed_on(mark: str) -> None:
    process = start(mark)
    (server,) = [pid for pid in members(mark) if "subprocess" in Path(f"/proc/{pid}/cmdline").read_text()]
    os.kill(server, signal.SIGKILL)
    process.wait(timeout=20)
    assert process.returncode == 128 + signal.SIGKILL
    assert members(mark) == []
    finish(process)


def test_the_children_of_a_leash_killed_by_force_are_ended_by_the_next_engine(
    mark: str, tmp_path: Path
) -> None:
    process = start(mark)
    record_leash(tmp_path, process.pid)
    process.kill()
    process.wait()
    # The kernel ends the server itself; what it started stays, as vLLM's engine process would.
    until(lambda: len(members(mark)) == 1)
    assert end_orphans(tmp_path) == members(mark) or not members(mark)
    until(lambda: not members(mark))
    assert list(tmp_path.iterdir()) == []
    finish(process)


def test_a_leash_that_lives_is_left_alone(mark: str, tmp_path: Path) -> None:
    process = start(mark)
    record_leash(tmp_path, process.pid)
    assert end_orphans(tmp_path) == []
    assert len(members(mark)) >= 2
    assert len(list(tmp_path.iterdir())) == 1
    finish(process)


def test_a_process_that_took_over_the_number_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        path = record_leash(tmp_path, other.pid)
        path.write_text(path.read_text().replace('"started": ', '"started": 1'))
        assert end_orphans(tmp_path) == []
        assert other.poll() is None
        assert not path.exists()
        other.kill()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
def test_a_record_that_cannot_be_read_is_removed(tmp_path: Path, content: str) -> None:
    (tmp_path / "server-1.json").write_text(content)
    assert end_orphans(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
