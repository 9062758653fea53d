"""Run a server that must not outlive the one who started it.

Started as a program of its own: ``python leash.py GRACE_S COMMAND…``, as leader of a new session, with a pipe
as standard input that nobody ever writes to. When that pipe ends, because its holder closed it or died
in whatever way, or when the command ends, or on SIGTERM, every process of the group is ended: first
asked, then killed. vLLM needs this, since its engine and worker processes survive the death of the API
server that started them.

It imports nothing but the standard library, so that it costs a few milliseconds and megabytes.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.05
_REAP_S = 2.0
_WIDOWED_S = 1.0
"""How long the others may take when the command itself has ended: nobody waits for what they do."""


def _die_with_parent() -> None:
    """Let the kernel kill this process when the leash itself is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run(command: Sequence[str], *, grace_s: float) -> int:
    """Run the command until it ends or the pipe on standard input does, then end the whole group.

    Args:
        command: the program and its arguments.
        grace_s: how long the group may take to end itself before it is killed.

    Returns:
        The command's exit status, negative for the signal that ended it.
    """
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, ask)
    # Grandchildren whose parent died become ours, and not those of an init that may never reap them.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - this program has one thread
    )
    while child.poll() is None and not asked and not _pipe_ended():
        pass
    _end_group(child, grace_s if child.returncode is None else min(grace_s, _WIDOWED_S))
    status = child.wait()
    _reap()
    return status


def _pipe_ended() -> bool:
    """Wait a moment for the pipe to end."""
    ready, _, _ = select.select([0], [], [], 4 * _POLL_S)
    return bool(ready) and not os.read(0, 4096)


def _end_group(child: subprocess.Popen[bytes], grace_s: float) -> None:
    group = os.getpgrp()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and (child.poll() is None or _others(group)):
        time.sleep(_POLL_S)
    for pid in _others(group):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _reap() -> None:
    """Take leave of the grandchildren, as long as they are ending."""
    deadline = time.monotonic() + _REAP_S
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            time.sleep(_POLL_S)


def _others(group: int) -> list[int]:
    """Living processes of the group beside this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                state, _, pgrp = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            except (OSError, ValueError):
                continue
            if int(pgrp) == group and state != "Z":
                found.append(int(entry.name))
    return found


if __name__ == "__main__":
    status = run(sys.argv[2:], grace_s=float(sys.argv[1]))
    sys.exit(status if status >= 0 else 128 - status)
