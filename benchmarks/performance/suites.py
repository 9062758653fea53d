"""How long a suite of ten thousand tasks takes to load, and how fast a checkpoint is hashed.

Run it as ``python -m benchmarks.performance.suites``; ``--json`` prints the figures for machines.
Goals: 10 000 tasks in under 10 s and 500 MB, validation and digests included; exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from monitor.suites.format import ProvenanceEntry, SuiteFile, TaskFile, TrainingFrequency
from monitor.suites.loading import load_suite
from monitor.suites.writing import task_text, write_suite
from monitor.weights.contents import read_contents
from monitor.weights.digests import FileHashes

GOAL_S = 10.0
GOAL_MB = 500.0
BODY_LINES = 12
TEST_LINES = 10


def task(number: int) -> TaskFile:
    """A task of ordinary size: about one and a half kilobytes."""
    body = "".join(f"    value = (value * {number % 97 + line}) % 1009\n" for line in range(BODY_LINES))
    tests = "".join(
        f"    assert isinstance(candidate({line}, {number}), int)\n" for line in range(TEST_LINES)
    )
    return TaskFile(
        task_id=f"load/{number}",
        prompt=f'def compute_{number}(value, n):\n    """Work out step {number} of the series.\n    """\n',
        canonical_solution=f"{body}    return value + n\n",
        test=f"def check(candidate):\n{tests}",
        entry_point=f"compute_{number}",
        topic="arithmetic",
        frequency=1 / (number + 2),
        stop=["\ndef ", "\nclass "],
        provenance=ProvenanceEntry(
            author="Tailwatch",
            created="2026-01-01",
            licence="Apache-2.0",
            source="original",
            written_by="model",
        ),
    )


HEADER = SuiteFile(
    name="load",
    version="1",
    licence="Apache-2.0",
    seed=1,
    description="Made for measuring.",
    rarity=TrainingFrequency(method="training-frequency", head_at_least=0.01, torso_at_least=0.001),
    contamination_canary="load canary",
)


def write_tasks(folder: Path, count: int) -> None:
    """A suite of that many tasks; only the first is written with care, the others are its pattern."""
    first = write_suite(folder, HEADER, [task(0)])
    for number in range(1, count):
        (first / "tasks" / f"{number}.yaml").write_text(task_text(task(number), HEADER), encoding="utf-8")


def measure_loading(folder: Path) -> dict[str, float]:
    """Seconds and megabytes of one loading, in this process."""
    before_mb = _peak_mb()
    start, cpu_start = time.perf_counter(), time.process_time()
    suite = load_suite(folder)
    seconds, cpu_s = time.perf_counter() - start, time.process_time() - cpu_start
    return {
        "tasks": len(suite),
        "seconds": round(seconds, 2),
        "cpu_s": round(cpu_s, 2),
        "peak_mb": round(_peak_mb(), 1),
        "peak_before_mb": round(before_mb, 1),
    }


def measure_hashing(folder: Path, megabytes: int) -> dict[str, float]:
    """Megabytes per second of a first look at a checkpoint, and seconds of the next."""
    (folder / "config.json").write_text("{}")
    chunk = bytes(range(256)) * 4096
    with (folder / "model.safetensors").open("wb") as file:
        for _ in range(megabytes):
            file.write(chunk)
    hashes = FileHashes()
    start = time.perf_counter()
    hashes.digest(read_contents(folder))
    first = time.perf_counter() - start
    start = time.perf_counter()
    hashes.digest(read_contents(folder))
    return {
        "megabytes": megabytes,
        "megabytes_per_s": round(megabytes / first),
        "again_s": round(time.perf_counter() - start, 5),
    }


def missed_goals(loading: dict[str, float]) -> list[str]:
    """The goals that a loading missed, in words."""
    missed = []
    if loading["seconds"] >= GOAL_S:
        missed.append(f"loading took {loading['seconds']} s, the goal is under {GOAL_S:g} s")
    if loading["peak_mb"] >= GOAL_MB:
        missed.append(f"loading took {loading['peak_mb']} MB, the goal is under {GOAL_MB:g} MB")
    return missed


def main() -> int:
    """Measure in a fresh process, so that writing the suite does not count; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        print(json.dumps(measure_loading(options.load)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tasks(folder / "suite", options.tasks)
        command = [sys.executable, "-m", "benchmarks.performance.suites", "--load", str(folder / "suite")]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        loading = json.loads(run.stdout)
        (folder / "checkpoint").mkdir()
        hashing = measure_hashing(folder / "checkpoint", options.megabytes)
    missed = missed_goals(loading)
    if options.json:
        print(json.dumps({"loading": loading, "hashing": hashing, "missed": missed}))
    else:
        _print(loading, hashing)
    for goal in missed:
        print(f"missed: {goal}", file=sys.stderr)
    return 1 if missed else 0


def _print(loading: dict[str, float], hashing: dict[str, float]) -> None:
    print(
        f"{loading['tasks']} tasks: {loading['seconds']} s (goal {GOAL_S}), of it {loading['cpu_s']} s CPU, ",
        end="",
    )
    print(f"{loading['peak_mb']} MB at most (goal {GOAL_MB})")
    print(f"checkpoint: {hashing['megabytes_per_s']} MB/s, the next look {hashing['again_s']} s")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
