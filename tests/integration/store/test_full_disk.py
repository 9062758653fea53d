"""A disk that really fills up under a store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import require

ROOT = Path(__file__).resolve().parents[3]

FILLER = """
import sys
from itertools import count
from pathlib import Path
from monitor.domain.errors import StoreTrouble
from monitor.store import open_store
from tests.unit.contracts.store_nouns import a_sample, an_evaluation

folder = Path(sys.argv[1])
ballast = folder / "ballast"
ballast.write_bytes(bytes(2**19))
store = open_store(f"sqlite:///{folder}/tailwatch.db")
store.save(an_evaluation())
evaluation_id = an_evaluation().key.evaluation_id
stored = 0
try:
    for task in count():
        stored += store.record(evaluation_id, [a_sample(f"t{task}", index) for index in range(100)])
except StoreTrouble as trouble:
    print(trouble)
assert len(store.samples(evaluation_id)) == stored > 0
assert store.verify() == ()
ballast.unlink()
assert store.record(evaluation_id, [a_sample("after")]) == 1
store.close()
again = open_store(f"sqlite:///{folder}/tailwatch.db")
assert len(again.samples(evaluation_id)) == stored + 1
assert again.verify() == ()
"""


EVALUATION = """
import asyncio
import contextlib
import sys
from pathlib import Path
from monitor.cli.logs import start_logging
from monitor.domain.evaluation import State
from monitor.rounds.watching import baseline_of, candidate
from monitor.rounds.worker import work
from monitor.store import open_store
from tests.unit.rounds.conftest import World, checkpoint

folder = Path(sys.argv[1])
ballast = folder / "ballast"


class Filling:
    "Fills the disk to the last byte when the candidate has begun to draw."

    filled = False

    def append(self, progress):
        if progress.expected is None and progress.samples and not self.filled:
            self.filled = True
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass


async def decided(world, *, on_full_disk):
    await world.with_baseline()
    wanted = candidate(world.watch, checkpoint("worse"), baseline_of(world.watch), now=world.clock())
    world.store.enqueue(wanted)
    finished = []

    async def done(evaluation):
        finished.append(evaluation)

    working = asyncio.create_task(work(world.bench, worker="w:1:1", idle_s=0.05, done=done))
    if on_full_disk:
        while not world.progress.filled:
            await asyncio.sleep(0.01)
        await asyncio.sleep(1)
        assert not working.done() and not finished
        print(len(world.store.samples(wanted.key.evaluation_id)), "samples were kept")
        ballast.unlink()
    while not (finished and finished[-1].state is State.DECIDED):
        world.clock.pass_s(10)
        await asyncio.sleep(0.05)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return finished[-1].decision, world.store.observations(wanted.key.evaluation_id)


async def main():
    world = World(open_store(f"sqlite:///{folder}/tailwatch.db", patience_s=1))
    world.progress = Filling()
    expected = await decided(World(), on_full_disk=False)
    assert await decided(world, on_full_disk=True) == expected
    assert world.store.verify() == ()


start_logging("json")
asyncio.run(main())
"""


def in_small_disk(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run with a disk of four megabytes mounted on the folder, for this process only."""
    mounted = 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"'
    return subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", mounted, str(folder), *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(autouse=True)
def _mountable(tmp_path):
    possible = in_small_disk(tmp_path, "true").returncode == 0
    require("A mount namespace", possible, "Run as root, or allow unprivileged user namespaces.")


def test_a_disk_that_fills_up_is_trouble_and_what_was_stored_stays(tmp_path):
    done = in_small_disk(tmp_path, sys.executable, "-c", FILLER, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "has no space left on its disk" in done.stdout


def test_an_evaluation_that_fills_the_disk_goes_on_when_there_is_room_and_decides_the_same(tmp_path):
    done = in_small_disk(tmp_path, sys.executable, "-c", EVALUATION, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "has no space left on its disk" in done.stderr
    assert "samples were kept" in done.stdout
