"""Sandboxes on this machine for tests, and what they could leave behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitor.domain.errors import SandboxTrouble
from monitor.domain.samples import Limits, Program
from monitor.ports import SandboxEvent
from monitor.processes import identify
from monitor.sandbox.docker_sandbox import OWNER_LABEL, DockerSandbox
from monitor.sandbox.pool import Tell, ignore_event
from monitor.sandbox.process_sandbox import NamespaceSandbox, RlimitSandbox
from tests.requirements import require

AnySandbox = DockerSandbox | NamespaceSandbox | RlimitSandbox

BACKENDS = ("docker", "namespace")
SANDBOX_UIDS = 0x7000_0000
"""The first uid on the host that programs may have."""
_KINDS = {"docker": DockerSandbox, "namespace": NamespaceSandbox, "rlimit": RlimitSandbox}
_HOW = {
    "docker": "Start a Docker engine and build the image with deploy/sandbox/build-image.",
    "namespace": "Allow user namespaces.",
    "rlimit": "Look at the message.",
}


async def open_backend(
    name: str, *, slots: int = 1, recycle_after: int = 500, on_event: Tell = ignore_event
) -> AnySandbox:
    """A sandbox of this kind; skips the test where there can be none."""
    try:
        opened = await _KINDS[name].open(slots=slots, recycle_after=recycle_after, on_event=on_event)
    except SandboxTrouble as trouble:
        require(f"The {name} sandbox", False, f"{_HOW[name]} ({trouble.message})")
        raise
    assert isinstance(opened, AnySandbox)
    return opened


def containers(of: str | None = None) -> set[str]:
    """Ids of the containers that this process has made for sandboxes, or the process of a label."""
    command = ["docker", "ps", "--all", "--quiet", "--filter", f"label={OWNER_LABEL}={of or identify()}"]
    return set(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())


def descendants(pid: int | None = None) -> set[int]:
    """Processes below this one, or below another."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(
                path.read_text("ascii", "replace").rpartition(")")[2].split()[1]
            )
    found: set[int] = set()
    frontier = {pid or os.getpid()}
    while frontier:
        frontier = {child for child, parent in parents.items() if parent in frontier}
        found |= frontier
    return found


def lost_processes() -> set[int]:
    """Processes of uids that only sandboxes use, of no container and below no driver that lives."""
    running = subprocess.run(
        ["docker", "ps", "--quiet", "--no-trunc"], capture_output=True, text=True, check=False
    )
    known = set(running.stdout.split())
    lost = set()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            pid, contained = int(path.name), re.search(r"[0-9a-f]{64}", (path / "cgroup").read_text())
            claimed = contained.group() in known if contained else _owner(pid) != 1
            if path.stat().st_uid >= SANDBOX_UIDS and not claimed and not is_zombie(pid):
                lost.add(pid)
    return lost


def _owner(pid: int) -> int:
    """The nearest process above that no sandbox's uid owns."""
    while pid > 1 and Path(f"/proc/{pid}").stat().st_uid >= SANDBOX_UIDS:
        pid = int(Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
    return pid


def is_zombie(pid: int) -> bool:
    """Whether a process has ended, and only waits for somebody to ask how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def gone(remaining: Callable[[], set[Any]]) -> bool:
    """Whether nothing remains, at once or a moment later: engine and kernel remove on their own as well."""
    for _ in range(100):
        if not remaining():
            return True
        await asyncio.sleep(0.1)
    raise AssertionError(remaining())


def adder(
    source: str = "def add(a, b):\n    return a + b\n", *, cpu_s: float = 1.0, in_process: bool = False
) -> Program:
    """A program for the smallest task there is."""
    test = "def check(candidate):\n    assert candidate(2, 3) == 5\n    assert candidate('a', 'b') == 'ab'\n"
    return Program(
        language="python",
        source=source,
        test=test,
        entry_point="add",
        limits=Limits(cpu_s=cpu_s),
        in_process=in_process,
    )


def collector() -> tuple[list[SandboxEvent], Tell]:
    """A list, and what fills it with events."""
    events: list[SandboxEvent] = []
    return events, events.append
