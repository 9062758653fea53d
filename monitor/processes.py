"""Processes of this machine, known in a way that no other process can ever share.

A process id alone comes again; with the machine's boot, the id's namespace and the time the process
started it does not. Leases, containers and servers of a killed process are recognised by it.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def identify(pid: int | None = None) -> str:
    """The identity of a process, this one by default: boot, namespace, process id, start.

    >>> is_gone(identify())
    False
    """
    pid = os.getpid() if pid is None else pid
    return f"{_machine()}:{pid}:{_started(pid)}"


def is_gone(identity: str) -> bool:
    """Whether a process of this machine has ended; False for those of other machines.

    >>> is_gone("another machine:1:1")
    False
    """
    machine, _, process = identity.rpartition(":")[0].rpartition(":")
    started = identity.rpartition(":")[2]
    return machine == _machine() and process.isdigit() and _started(int(process)) != started


def _machine() -> str:
    boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{boot}/{(_PROC / 'self/ns/pid').readlink()}".replace(":", "")


def _started(pid: int) -> str:
    """Start in clock ticks since boot (proc(5), stat field 22); empty when it has ended."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
