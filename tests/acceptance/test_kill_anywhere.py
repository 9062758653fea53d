"""`kill -9` at fifty random moments changes no decision and no sample.

Store and sandbox are real, and each life is a process of the product's own parts; what answers like vLLM is
the stub, since a real server takes longer to start than an evaluation lasts. `test_kill_restart.py` kills a
daemon over the real one.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from monitor.generation.process import free_port
from tests.acceptance.product import ROOT
from tests.unit.generation import stub_vllm
from tests.unit.generation.tiny_checkpoints import tiny_checkpoint
from tests.unit.suites.suite_files import write_suite_folder

KILLS = 50
SEED = 20261201
MOST_PER_EVALUATION = 6
"""An evaluation whose process was killed ten times counts as one that kills its process."""

STRATA = {"tail": 0.001, "torso": 0.05, "head": 0.5}
TASKS = 8
"""Of each stratum."""

WAVE = 128


def task_text(stratum: str, number: int) -> str:
    """The stub answers with a number between 0 and 1, and the task takes those below its own."""
    return f"""\
task_id: {stratum}/{number}
prompt: "def {stratum}_{number}():\\n"
canonical_solution: "    return 0.0\\n"
test: "def check(candidate):\\n    assert candidate() < {0.3 + 0.08 * number:.2f}\\n"
entry_point: {stratum}_{number}
frequency: {STRATA[stratum]}
provenance: {{licence: Apache-2.0, source: original}}
"""


@contextlib.contextmanager
def serving(weights: Path, port: int, *words: str) -> Iterator[None]:
    """The stub, serving a checkpoint under its name."""
    command = [sys.executable, "-I", "-S", stub_vllm.__file__, "--model", str(weights), "--port", str(port)]
    command += ["--served-model-name", weights.name, *(part for word in words for part in ("--stub", word))]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            for _ in range(600):
                with contextlib.suppress(httpx.ConnectError):
                    httpx.get(f"http://127.0.0.1:{port}/health")
                    break
                time.sleep(0.05)
            yield
        finally:
            os.killpg(server.pid, signal.SIGKILL)


@dataclass(slots=True, kw_only=True)
class Lives:
    """Runs evaluations in processes that can be killed."""

    process: subprocess.Popen[str]
    port: int

    def begin(self, store: Path, purpose: str, checkpoint: Path) -> int:
        """Start one; its process id."""
        order = {"store": f"sqlite:///{store}", "purpose": purpose, "checkpoint": str(checkpoint)}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self._line())

    def end(self) -> int:
        """How the one that was begun ended: 0, or 9 for killed."""
        return int(self._line())

    def whole(self, store: Path, purpose: str, checkpoint: Path) -> float:
        """One that nobody kills; the seconds it took."""
        began = time.monotonic()
        self.begin(store, purpose, checkpoint)
        assert self.end() == 0
        return time.monotonic() - began

    def answered(self) -> int:
        """Samples that the stub has answered so far."""
        return int(httpx.get(f"http://127.0.0.1:{self.port}/answered").json()["samples"])

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the lives ended with {self.process.wait()}"
        return line


@dataclass(slots=True, kw_only=True)
class Killed:
    """What became of all evaluations."""

    undisturbed: dict[str, tuple[Any, ...]]
    """Decision, evidence and samples by candidate, of an evaluation that nobody killed."""
    others: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """Likewise of those that were killed."""
    kills: int = 0
    unfinished: int = 0
    """Kills at which some samples of the evaluation were stored."""
    lost: list[int] = field(default_factory=list)
    """Samples that were answered and not stored, at each kill."""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    folder = tmp_path_factory.mktemp("kills")
    tasks = {f"{s}{n}": task_text(s, n) for s in STRATA for n in range(TASKS)}
    write_suite_folder(folder / "suite", tasks)
    base = folder / "base"
    tiny_checkpoint(base, seed=1)
    for name in ("same", "worse"):
        shutil.copytree(base, folder / name)
        (folder / name / "README.md").write_text(name)
    port = free_port(None)
    config = folder / "tailwatch.yaml"
    config.write_text(yaml.safe_dump(configuration(port)))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.acceptance.lives", str(config)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lives = Lives(process=process, port=port)
        with serving(base, port):
            lives.whole(folder / "bank.db", "bank", base)
        yield kill_often(lives, folder, random.Random(SEED))
        assert process.stdin is not None
        process.stdin.close()


def configuration(port: int) -> dict[str, Any]:
    return {
        "model": "kills",
        "checkpoints": {"path": "arrivals"},
        "engine": {"kind": "remote", "url": f"http://127.0.0.1:{port}", "concurrency": WAVE},
        "suite": "./suite",
        "sampling": {"samples_per_task": 32},
        "policy": {"margin": {"tail": 0.25, "torso": 0.25, "head": 0.25}},
        "drift": {"indicators": False, "columns": False},
        "sandbox": {"backend": "namespace", "slots": 2},
    }


def kill_often(lives: Lives, folder: Path, rng: random.Random) -> Killed:
    """Evaluate both candidates, killing each evaluation several times, until there were enough kills."""
    found = Killed(undisturbed={})
    for name, words, share in (("worse", ["loses-tail"], 0.5), ("same", [], 1.0)):
        with serving(folder / name, lives.port, *words):
            seconds = lives.whole(copied(folder, "whole.db"), "candidate", folder / name)
            found.undisturbed[name] = outcome_of(folder / "whole.db")
            while found.kills < share * KILLS:
                store = copied(folder, "killed.db")
                for _ in range(MOST_PER_EVALUATION):
                    if not killed_once(lives, found, store, folder / name, rng.uniform(0, seconds)):
                        break
                else:
                    lives.whole(store, "candidate", folder / name)
                found.others.setdefault(name, []).append(outcome_of(store))
    return found


def killed_once(lives: Lives, found: Killed, store: Path, checkpoint: Path, after_s: float) -> bool:
    """Begin or go on with an evaluation and kill it at a moment, unless it has ended by then."""
    answered, stored = lives.answered(), samples_in(store)
    life = lives.begin(store, "candidate", checkpoint)
    time.sleep(after_s)
    with contextlib.suppress(ProcessLookupError):
        os.kill(life, signal.SIGKILL)
    if lives.end() == 0:
        return False
    found.kills += 1
    found.unfinished += samples_in(store) > 0
    found.lost.append(lives.answered() - answered - (samples_in(store) - stored))
    return True


def copied(folder: Path, name: str) -> Path:
    """A store that holds the bank and nothing else."""
    for path in folder.glob(f"{name}*"):
        path.unlink()
    for path in folder.glob("bank.db*"):
        shutil.copyfile(path, folder / path.name.replace("bank.db", name))
    return folder / name


CANDIDATE = 'evaluations.record LIKE \'%"purpose":"candidate"%\''


def query(store: Path, statement: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(store, timeout=30)) as connection:
        return connection.execute(statement).fetchall()


def samples_in(store: Path) -> int:
    """Of the candidate."""
    joined = "samples JOIN evaluations ON evaluations.ref = samples.evaluation_ref"
    return int(query(store, f"SELECT count(*) FROM {joined} WHERE {CANDIDATE}")[0][0])


def outcome_of(store: Path) -> tuple[Any, ...]:
    """What an evaluation came to: its decision with all evidence, and every sample."""
    ((record,),) = query(store, f"SELECT record FROM evaluations WHERE {CANDIDATE}")
    decision = json.loads(record)["decision"]
    samples = query(
        store,
        "SELECT task_id, sample_index, samples.seed, outcome, wave FROM samples"
        " JOIN evaluations ON evaluations.ref = samples.evaluation_ref"
        f" JOIN tasks ON tasks.ref = samples.task_ref WHERE {CANDIDATE} ORDER BY task_id, sample_index",
    )
    return decision["kind"], json.dumps(decision, sort_keys=True), samples


def test_the_candidates_are_decided_as_they_should_be(killed):
    assert {name: found[0] for name, found in killed.undisturbed.items()} == {
        "same": "promote",
        "worse": "reject",
    }


def test_every_evaluation_comes_to_the_decision_of_one_that_nobody_killed(killed):
    assert killed.kills >= KILLS
    for name, found in killed.others.items():
        for decision, evidence, samples in found:
            assert decision == killed.undisturbed[name][0]
            assert evidence == killed.undisturbed[name][1]
            assert samples == killed.undisturbed[name][2]


def test_the_kills_came_before_between_and_after_the_samples(killed):
    assert 0.2 * killed.kills < killed.unfinished < killed.kills


def test_a_kill_costs_no_more_than_the_wave_that_was_being_drawn(killed):
    assert max(killed.lost) <= WAVE
