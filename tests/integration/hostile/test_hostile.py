"""No hostile program passes, none is blamed on us, and an honest one passes after each."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.domain.samples import Outcome
from monitor.ports import Sandbox
from tests.integration.hostile.attack import MARKER, Attack, canary
from tests.integration.hostile.escapes import ESCAPES
from tests.integration.hostile.exhaustion import EXHAUSTION
from tests.integration.hostile.forgeries import FORGERIES
from tests.integration.hostile.hidden_cpu import HIDDEN_CPU
from tests.integration.hostile.neighbours import NEIGHBOURS
from tests.integration.hostile.nonsense import NONSENSE
from tests.integration.sandbox.backends import (
    BACKENDS,
    containers,
    descendants,
    gone,
    lost_processes,
    open_backend,
)

ATTACKS = (*FORGERIES, *EXHAUSTION, *HIDDEN_CPU, *ESCAPES, *NEIGHBOURS, *NONSENSE)
CASES = [
    pytest.param(backend, attack, id=f"{attack.name}-{backend}")
    for backend in BACKENDS
    for attack in ATTACKS
    # Only the image has every interpreter.
    if attack.language == "python" or backend == "docker"
]
_numbers = itertools.count()
_NOISE_BYTES, _NOISE_INODES = 2**30, 50_000
"""What the rest of the machine may write meanwhile; programs that fill disks would take all there is."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    before, disk_before = descendants(), os.statvfs("/")
    opened = await open_backend(request.param)
    yield opened
    await opened.close()
    assert await gone(containers)
    assert descendants() <= before
    assert await gone(lost_processes)
    disk = os.statvfs("/")
    assert (disk_before.f_bfree - disk.f_bfree) * disk.f_frsize < _NOISE_BYTES
    assert disk_before.f_ffree - disk.f_ffree < _NOISE_INODES


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("sandbox", "attack"), CASES, indirect=["sandbox"])
async def test_a_hostile_program_neither_passes_nor_harms_the_next(sandbox: Sandbox, attack: Attack) -> None:
    execution = await sandbox.execute(attack.program)
    assert execution.outcome in attack.outcomes, execution
    assert len(execution.detail) <= 300
    assert execution.detail.isprintable()
    after = await sandbox.execute(canary(next(_numbers)))
    assert after.outcome is Outcome.PASSED, after


def test_there_are_enough_of_them_and_each_has_its_own_name() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) >= 80
    assert len(set(names)) == len(names)


def test_the_marker_is_nowhere_on_this_machine() -> None:
    assert not any(
        Path(place, MARKER).exists() for place in ("/", "/tmp", "/etc", "/root", "/run", "/dev/shm")
    )
