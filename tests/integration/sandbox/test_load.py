"""A machine that is busy with other things changes no verdict."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from monitor.domain.samples import Outcome
from tests.integration.sandbox.backends import BACKENDS, adder, open_backend

THREADED = """
import threading, time
from concurrent.futures import ThreadPoolExecutor

def burn():
    end = time.thread_time() + 0.35
    while time.thread_time() < end:
        pass

def add(a, b):
    if a == 2:
        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(burn).result()
    return a + b
"""
"""Most of what it may use, all of it while its first thread waits."""
_LOOPS = 8
"""They leave a program a ninth of their CPU: it needs more time than one that sleeps is given."""


@pytest.fixture
def busy_lane() -> Iterator[None]:
    """The CPU of the first sandbox that this process opens is wanted by others."""
    cpus = sorted(os.sched_getaffinity(0))
    cpu = cpus[os.getpid() % len(cpus)]
    pinned = ["taskset", "--cpu-list", str(cpu), "sh", "-c", "while :; do :; done"]
    # Of one session, the kernel may give all together no more than the program.
    loops = [subprocess.Popen(pinned, start_new_session=True) for _ in range(_LOOPS)]
    yield
    for loop in loops:
        loop.kill()
    for loop in loops:
        loop.wait()


@pytest.mark.parametrize("kind", BACKENDS)
async def test_a_right_program_whose_threads_wait_for_a_cpu_passes(kind: str, busy_lane: None) -> None:
    async with await open_backend(kind) as sandbox:
        execution = await sandbox.execute(adder(THREADED, cpu_s=1.0))
    assert execution.outcome is Outcome.PASSED, execution
    assert 0.7 <= execution.cpu_s < 1.0
    assert execution.wall_s > 2 * execution.cpu_s


async def test_one_whose_threads_sleep_is_ended_beside_the_same_load(busy_lane: None) -> None:
    source = THREADED.replace("end = time.thread_time() + 0.35", "time.sleep(1000)")
    async with await open_backend("namespace") as sandbox:
        execution = await sandbox.execute(adder(source, cpu_s=0.1))
    assert (execution.outcome, execution.detail) == (Outcome.TIMED_OUT, "neither ended nor computed")


_BEHIND_ALL_OTHERS = """
import os, sys

LAST = "open('/proc/self/autogroup', 'w').write('19')\\nwhile True: pass"
# A process that has changed its uid may write there once it has executed something.
os.execv(sys.executable, [sys.executable, "-c", LAST])
"""


async def test_one_that_lets_all_others_go_first_is_no_fault_of_the_machine(busy_lane: None) -> None:
    # In the minute and a half until it is given up, it would not use its second.
    async with await open_backend("namespace") as sandbox:
        execution = await sandbox.execute(adder(_BEHIND_ALL_OTHERS, cpu_s=1.0))
    assert execution.outcome is Outcome.TIMED_OUT, execution
