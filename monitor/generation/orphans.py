"""Ends servers whose leash was killed together with its holder.

A leash ends its server in every case but one: when the leash itself is killed by force. Each leash is
therefore recorded in a file, and the next engine that uses the folder ends what such a record still
points to. A record whose leash is alive belongs to a living engine and is left alone.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from monitor.atomic_files import write_file

_PATTERN = "server-*.json"
_PROC = Path("/proc")


def record_leash(folder: Path, pid: int) -> Path:
    """Write down that this process, leader of its group, holds a server."""
    path = folder / f"server-{pid}.json"
    write_file(path, json.dumps({"pid": pid, "started": _started(pid), "boot": _boot()}))
    return path


def end_orphans(folder: Path) -> list[int]:
    """End the servers of dead leashes and forget their records.

    Returns:
        The processes that were killed.
    """
    killed: list[int] = []
    for path in sorted(folder.glob(_PATTERN)):
        try:
            record = json.loads(path.read_text())
            pid, started, boot = int(record["pid"]), record["started"], record["boot"]
        except (OSError, ValueError, KeyError, TypeError):
            path.unlink(missing_ok=True)
            continue
        if boot == _boot() and _started(pid) == started:
            continue
        # A group's number is not given to a new process while the group has members; a process that
        # has this number as its own by now shows that the group had ended.
        if boot == _boot() and _started(pid) is None:
            killed += _kill_servers(pid)
        path.unlink(missing_ok=True)
    return killed


def _kill_servers(group: int) -> list[int]:
    killed = []
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and _group(entry) == group and _serves(entry):
            try:
                os.kill(int(entry.name), signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
            killed.append(int(entry.name))
    return killed


def _serves(entry: Path) -> bool:
    """Whether the process is one of vLLM's, or a child of Python's that vLLM starts beside them."""
    try:
        line = (entry / "cmdline").read_bytes().lower()
    except OSError:
        return False
    return b"vllm" in line or b"multiprocessing" in line


def _started(pid: int) -> int | None:
    """Start of a process in clock ticks since boot; None when there is no such process."""
    fields = _stat(_PROC / str(pid))
    return int(fields[19]) if fields and fields[0] != "Z" else None


def _group(entry: Path) -> int | None:
    fields = _stat(entry)
    return int(fields[2]) if fields else None


def _stat(entry: Path) -> list[str]:
    """Fields of a process's stat file from its state on; empty when it is gone."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
