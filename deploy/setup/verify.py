"""Runs every check of the project one after the other and ends with a table of what came out.

``make check`` runs the static ones, ``make test`` all of them. A failing check does not keep the next
one from running, so one run tells everything.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One check: a program of ``.venv`` with its arguments."""

    name: str
    command: tuple[str, ...]
    limit_s: float = 300.0
    """A check that takes longer than this hangs, and counts as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one check."""

    step: Step
    passed: bool
    seconds: float
    last_line: str
    """The last thing it said; pytest and mypy sum up there."""


STATIC = (
    Step(name="ruff check", command=("ruff", "check", ".")),
    Step(name="ruff format", command=("ruff", "format", "--check", ".")),
    Step(name="mypy", command=("mypy",)),
    Step(name="import contracts", command=("lint-imports",)),
)
HOSTILE = "tests/integration/hostile"
TESTS = (
    Step(name="unit tests", command=("pytest", "-n", "2", "tests/unit", "monitor"), limit_s=600),
    # They mostly wait: for limits to be reached, for sandboxes to be replaced.
    Step(name="hostile programs", command=("pytest", "-n", "4", HOSTILE), limit_s=600),
    Step(
        name="integration tests",
        command=("pytest", "tests/integration", f"--ignore={HOSTILE}"),
        limit_s=900,
    ),
    Step(name="pandas 2.2", command=("python", "deploy/setup/older_pandas.py")),
    Step(name="acceptance tests", command=("pytest", "tests/acceptance"), limit_s=1200),
)


def main() -> None:
    """Run what was asked for; the exit code is 0 only when every check passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--static", action="store_true", help="only what needs no test to run")
    options = parser.parse_args()
    results = [attempt(step) for step in (STATIC if options.static else STATIC + TESTS)]
    summarise(results)
    sys.exit(0 if all(result.passed for result in results) else 1)


def attempt(step: Step) -> Result:
    """Run one check in sight of the reader, and end it with all its children when it hangs."""
    print(f"\n── {step.name} ──", flush=True)
    began = time.monotonic()
    process = subprocess.Popen(
        [str(BIN / step.command[0]), *step.command[1:]],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    hung = threading.Event()

    def give_up() -> None:
        hung.set()
        end_group(process.pid)

    timer = threading.Timer(step.limit_s, give_up)
    timer.start()
    last_line = ""
    try:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                sys.stdout.write(line)
                sys.stdout.flush()
                last_line = line.strip() or last_line
        code = process.wait()
    finally:
        timer.cancel()
        end_group(process.pid)
    if hung.is_set():
        last_line = f"ended after {step.limit_s:.0f} s, the longest it may take"
    seconds = time.monotonic() - began
    return Result(step=step, passed=code == 0 and not hung.is_set(), seconds=seconds, last_line=last_line)


def end_group(group: int) -> None:
    """Kill a check's processes, those it forgot included."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def summarise(results: list[Result]) -> None:
    """Print the table."""
    print(f"\n{'─' * 100}")
    for result in results:
        mark = "ok    " if result.passed else "FAILED"
        text = result.last_line.strip("= ")[:70]
        print(f"{mark}  {result.step.name:<18} {result.seconds:6.0f} s   {text}")
    failed = [result.step.name for result in results if not result.passed]
    print(f"{'─' * 100}\n{'failed: ' + ', '.join(failed) if failed else 'everything passed'}", flush=True)


if __name__ == "__main__":
    main()
