"""What several processes do to one store, and what is left when one of them is killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from monitor.store import open_store
from tests.unit.contracts.store_nouns import an_evaluation

ROOT = Path(__file__).resolve().parents[3]
KILLS = 6

RECORDER = """
import sys
from itertools import count
from monitor.domain.samples import Outcome
from monitor.store import open_store
from tests.unit.contracts.store_nouns import a_sample, an_evaluation

store = open_store(sys.argv[1])
evaluation_id = an_evaluation().key.evaluation_id
store.save(an_evaluation())
print("ready", flush=True)
for wave in count():
    outcome = Outcome.PASSED if wave % 2 else Outcome.FAILED
    # Every batch overlaps with the one before, as a retry after a crash would.
    batch = [a_sample(f"t{task}", index, outcome=outcome, wave=wave)
             for task in range(20) for index in (wave, wave + 1)]
    store.record(evaluation_id, batch)
"""

LEASER = """
import sys
from monitor.store import open_store
from tests.unit.contracts.store_nouns import NOON

store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
while (evaluation := store.lease(worker=sys.argv[2], now=NOON, lease_s=60)) is not None:
    print(evaluation.checkpoint.name)
store.close()
"""

OPENER = """
import sys
from monitor.store import open_store

print("ready", flush=True)
sys.stdin.readline()
open_store(sys.argv[1]).close()
"""


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def released_together(processes: list[subprocess.Popen[str]]) -> list[str]:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [line for output in outputs for line in output.splitlines()]


def test_a_recorder_killed_at_any_moment_leaves_aggregates_that_count_what_is_stored(url):
    rng = random.Random(20260301)
    evaluation_id = an_evaluation().key.evaluation_id
    stored_before = 0
    for _ in range(KILLS):
        process = started(RECORDER, url)
        time.sleep(rng.uniform(0.0, 0.3))
        process.kill()
        process.communicate()
        store = open_store(url)
        samples = store.samples(evaluation_id)
        assert len({(sample.task_id, sample.index) for sample in samples}) == len(samples)
        assert len(samples) % 20 == 0, "a batch was stored in part"
        assert len(samples) >= stored_before, "something that had been stored was lost"
        assert sum(store.tallies(evaluation_id).values()) == len(samples)
        assert store.verify() == ()
        stored_before = len(samples)
        store.close()
    assert stored_before > 0


def test_two_processes_lease_each_evaluation_once(url):
    names = [f"c{number}" for number in range(30)]
    store = open_store(url)
    for name in names:
        store.enqueue(an_evaluation(name))
    leased = released_together([started(LEASER, url, worker) for worker in ("first", "second")])
    assert sorted(leased) == sorted(names)
    assert store.depth("acme") == {"running": len(names)}
    store.close()


def test_processes_that_open_a_new_store_together_make_it_once(url):
    released_together([started(OPENER, url) for _ in range(3)])
    store = open_store(url)
    assert store.models() == ()
    store.close()


def test_a_writer_waits_for_another_process_instead_of_failing(tmp_path):
    url = f"sqlite:///{tmp_path}/tailwatch.db"
    store = open_store(url)
    holder = started(
        "import sqlite3, sys, time\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "print('ready', flush=True)\n"
        "time.sleep(0.3)\n"
        "connection.close()\n",
        f"{tmp_path}/tailwatch.db",
    )
    store.save(an_evaluation())
    holder.communicate(timeout=10)
    assert store.depth("acme") == {"queued": 1}
    store.close()
