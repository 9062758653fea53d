"""Memory that somebody else has used up is no fault of a program."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.domain.samples import Outcome
from tests.requirements import require

Run = Callable[..., list[str]]

_KILLED = """
import asyncio, sys
from dataclasses import replace
from monitor.domain.samples import Limits
from tests.integration.sandbox.backends import adder, open_backend

SOURCE = "def add(a, b):\\n    bytearray(300 * 2**20)\\n    return a + b\\n"

async def main():
    async with await open_backend(sys.argv[1]) as sandbox:
        modest = replace(adder(SOURCE), limits=Limits(cpu_s=3.0, memory_bytes=2**30))
        print((await sandbox.execute(modest)).outcome.value)

asyncio.run(main())
"""


@pytest.fixture
def in_small_group() -> Iterator[Run]:
    """Runs a script where there is little memory, in a control group that it takes for a container's."""
    controller = Path("/sys/fs/cgroup/memory")
    controller = controller if controller.is_dir() else controller.parent
    group = controller / f"tailwatch-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as exc:
        require("A control group of one's own", False, f"Run as root ({exc}).")
    limits = [group / name for name in ("memory.limit_in_bytes", "memory.max") if (group / name).exists()]

    def run(limit_bytes: int, script: str, *arguments: str) -> list[str]:
        limits[0].write_text(str(limit_bytes))
        enter = f'mount --bind {group} {controller}; echo $$ > {controller}/cgroup.procs; exec "$@"'
        command = ["unshare", "--mount", "sh", "-ec", enter, "sh", sys.executable, "-c", script, *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()

    try:
        require("A control group for memory", bool(limits), "Mount its controller.")
        yield run
    finally:
        # What a sandbox leaves to the kernel to end is gone a moment later.
        for _ in range(100):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


@pytest.mark.parametrize("kind", ["namespace", "rlimit"])
def test_a_program_that_is_killed_since_the_machine_has_no_memory_left_is_not_to_blame(
    in_small_group: Run, kind: str
) -> None:
    assert in_small_group(250 * 2**20, _KILLED, kind) == [Outcome.UNSCORED]
