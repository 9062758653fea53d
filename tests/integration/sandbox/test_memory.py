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
_BESIDE_A_FULL_JUDGE = """
import asyncio, os, tempfile
from dataclasses import replace
from asyncio.subprocess import PIPE
from monitor.sandbox import bundle
from monitor.sandbox.booting import boot
from monitor.sandbox.links import ProcessLink
from monitor.sandbox.pool import Pool
from monitor.sandbox.process_sandbox import interpreter
from monitor.sandbox.settings import ENVIRONMENT, inside_settings
from tests.integration.sandbox.backends import adder

KEEPING = "import json, time\\ndef check(candidate):\\n    json.kept = bytearray(260 * 2**20)\\n"
SLOW = "import time\\ndef add(a, b):\\n    while time.process_time() < 0.3: pass\\n    return a + b\\n"

async def start():
    command = [interpreter(), *bundle.INTERPRETER_OPTIONS, bundle.BOOT]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=ENVIRONMENT, cwd="/"
    )
    link = ProcessLink(process)
    settings = inside_settings(uids=9, places=[place], own_places=False, fresh_uids=True, contained=True)
    await boot(link, settings, "inside.supervisor:main")
    return link

async def main():
    pool = Pool(start, slots=1, recycle_after=8)
    await pool.open()
    keeping = KEEPING + "    time.sleep(0.5)\\n    assert candidate(2, 3) == 5\\n"
    print((await pool.execute(replace(adder(), test=keeping))).outcome.value)
    # All sandboxes are in one group here: until those before have ended.
    await asyncio.sleep(2)
    print((await pool.execute(adder(SLOW))).outcome.value)
    await pool.close()

with tempfile.TemporaryDirectory() as place:
    os.chmod(place, 0o1777)
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


def test_what_a_test_leaves_in_the_judge_is_not_charged_to_programs(in_small_group: Run) -> None:
    full, next_one = in_small_group(420 * 2**20, _BESIDE_A_FULL_JUDGE)
    assert full == Outcome.UNSCORED
    assert next_one == Outcome.PASSED
