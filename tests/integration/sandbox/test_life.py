"""Sandboxes over time: replaced, lost, killed with their driver, refused where they cannot be had."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest

from monitor.domain.errors import SandboxTrouble
from monitor.domain.samples import Outcome
from monitor.ports import SandboxEvent
from monitor.processes import identify
from monitor.sandbox.diagnosis import diagnose
from monitor.sandbox.docker_sandbox import OWNER_LABEL, DockerSandbox, sweep
from tests.integration.sandbox.backends import (
    BACKENDS,
    adder,
    collector,
    containers,
    descendants,
    gone,
    is_zombie,
    open_backend,
)

DRIVER = """
import asyncio, sys
from tests.integration.sandbox.backends import adder, open_backend

async def main():
    async with await open_backend(sys.argv[1], slots=2) as sandbox:
        print("open", flush=True)
        for n in range(10**6):
            sources = [f"def add(a, b):\\n    return a + b\\n# {n} {i}" for i in range(4)]
            await asyncio.gather(*(sandbox.execute(adder(source)) for source in sources))

asyncio.run(main())
"""


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("kind", BACKENDS)
async def test_worn_sandboxes_are_replaced_and_nothing_is_left(kind: str) -> None:
    before = descendants()
    before_descriptors = descriptors()
    events, tell = collector()
    async with await open_backend(kind, slots=2, recycle_after=10, on_event=tell) as sandbox:
        programs = [adder(f"def add(a, b):\n    return a + b\n# {n}\n") for n in range(60)]
        found = await asyncio.gather(*(sandbox.execute(program) for program in programs))
    assert {execution.outcome for execution in found} == {Outcome.PASSED}
    assert events.count(SandboxEvent.RECYCLED) >= 4
    assert await gone(containers)
    assert descendants() <= before
    assert descriptors() <= before_descriptors + 2


async def test_a_container_that_vanishes_costs_nobody_an_outcome() -> None:
    events, tell = collector()
    async with await open_backend("docker", on_event=tell) as sandbox:
        programs = [adder(f"def add(a, b):\n    return a + b\n# {n}\n") for n in range(40)]
        running = [asyncio.ensure_future(sandbox.execute(program)) for program in programs]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for container in containers():
            subprocess.run(["docker", "kill", container], capture_output=True, check=False)
        found = await asyncio.gather(*running)
    assert {execution.outcome for execution in found} == {Outcome.PASSED}
    assert SandboxEvent.LOST in events


def start_driver(kind: str) -> subprocess.Popen[bytes]:
    """A process that opens sandboxes, says so, and keeps them busy for ever."""
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, kind], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )


def killed_after(driver: subprocess.Popen[bytes], after_s: float) -> None:
    """Kill a driver so many seconds after its sandboxes were open; before, where the time is negative."""
    assert driver.stdout is not None
    if after_s >= 0:
        driver.stdout.readline()
    time.sleep(abs(after_s))
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    driver.stdout.close()


async def test_drivers_killed_at_any_moment_leave_no_container_after_the_next_start() -> None:
    moments = random.Random(20_260)
    async with await open_backend("docker"):
        pass
    for _ in range(5):
        drivers = [start_driver("docker") for _ in range(4)]
        owners = [identify(driver.pid) for driver in drivers]
        # Half of them while they are starting, which takes a second or two.
        after_s = [moments.uniform(-2.0, 2.0) for _ in drivers]
        await asyncio.gather(*map(asyncio.to_thread, [killed_after] * 4, drivers, after_s))
        async with await open_backend("docker"):
            pass
        assert await gone(lambda owners=owners: set().union(*map(containers, owners)))


async def test_a_killed_driver_takes_its_namespaces_along() -> None:
    async with await open_backend("namespace"):
        pass
    driver = start_driver("namespace")
    assert driver.stdout is not None
    await asyncio.to_thread(driver.stdout.readline)
    children = descendants(driver.pid)
    await asyncio.to_thread(killed_after, driver, -0.2)
    assert await gone(
        lambda: {pid for pid in children if Path(f"/proc/{pid}").exists() and not is_zombie(pid)}
    )


CROWD = """
import os, time

def add(a, b):
    children = []
    for _ in range(30):
        children.append(os.fork())
        if children[-1] == 0:
            time.sleep(0.5)
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)
    return a + b
"""
"""Within what one program may start; two such programs of one uid would not be."""


@pytest.mark.parametrize("kind", BACKENDS)
async def test_sandboxes_that_do_not_know_of_each_other_leave_each_other_their_processes(kind: str) -> None:
    async with await open_backend(kind) as one, await open_backend(kind) as other:
        found = await asyncio.gather(*(sandbox.execute(adder(CROWD)) for sandbox in (one, other)))
    assert [(execution.outcome, execution.detail) for execution in found] == [(Outcome.PASSED, "")] * 2


async def test_containers_of_living_processes_are_not_swept() -> None:
    async with await open_backend("docker") as sandbox:
        client = docker.from_env()
        mine = containers()
        sweep(client)
        client.close()
        assert containers() >= mine
        assert (await sandbox.execute(adder())).outcome is Outcome.PASSED


async def test_a_container_is_as_hard_as_it_is_said_to_be() -> None:
    async with await open_backend("docker"):
        client = docker.from_env()
        (container,) = client.containers.list(filters={"label": f"{OWNER_LABEL}={identify()}"})[:1]
        host = container.attrs["HostConfig"]
        client.close()
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert sorted(cap.removeprefix("CAP_") for cap in host["CapAdd"]) == ["KILL", "SETGID", "SETUID"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["PidsLimit"] > 0
    assert host["AutoRemove"]
    assert host["LogConfig"]["Type"] == "none"
    assert all("noexec" in options and "nr_inodes" in options for options in host["Tmpfs"].values())


async def test_an_image_that_is_missing_is_named_with_the_way_to_build_it() -> None:
    async with await open_backend("docker"):
        pass
    with pytest.raises(SandboxTrouble, match="no-such-image") as caught:
        await DockerSandbox.open(slots=1, image="no-such-image:latest")
    assert "build-image" in caught.value.next_step


async def test_an_engine_that_does_not_answer_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(SandboxTrouble, match="No Docker engine answers"):
        await DockerSandbox.open(slots=1)
    (check,) = await diagnose(backend="docker")
    assert (check.name, check.ok) == ("docker engine", False)
    assert check.next_step


@pytest.mark.parametrize("kind", BACKENDS)
async def test_a_diagnosis_finds_nothing_wrong_where_sandboxes_open(kind: str) -> None:
    async with await open_backend(kind):
        pass
    checks = await diagnose(backend=kind)
    assert len(checks) >= 4
    assert [check for check in checks if not check.ok] == []


async def test_a_loop_is_stopped_soon_after_its_limit() -> None:
    async with await open_backend("docker") as sandbox:
        execution = await sandbox.execute(adder("def add(a, b):\n    while True: pass\n", cpu_s=0.3))
    assert execution.outcome is Outcome.TIMED_OUT
    # The goal is 0.05; the rest is for a machine that is busy with other tests.
    assert 0.3 <= execution.cpu_s < 0.5
