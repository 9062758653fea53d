"""What `tailwatch demo` takes: seconds, where they go, memory; it also draws the README's picture.

    python -m benchmarks.performance.demo

runs the demo once, as `make demo` does, and prints JSON. Goals: 240 s, 3 GB, and 15 s from settled to
decided. Figures move with everything else the machine does: the load average stands beside them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships none

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path("docs/images/demo.svg")
GOALS = {"seconds": 240.0, "settled_to_decided_s": 15.0, "peak_mb": 3000.0}
PAUSE_S = 0.5


@dataclass(slots=True, kw_only=True)
class Peaks:
    """The most that was seen while the demo ran."""

    peak_mb: float = 0.0
    """Proportional set sizes of all its processes together: what they share counts once."""
    cpu_s: float = 0.0
    """User and system seconds of the same processes: what other work on the machine hardly changes."""
    load: float = 0.0
    """The machine's load average, which counts what others do too."""

    def watch(self, process: psutil.Process, over: threading.Event) -> None:
        """Look until it is over."""
        while not over.wait(PAUSE_S):
            family = _family(process)
            self.peak_mb = max(self.peak_mb, sum(_memory_mb(each) for each in family))
            self.cpu_s = max(self.cpu_s, sum(_cpu_s(each) for each in family))
            self.load = max(self.load, os.getloadavg()[0])


def main() -> None:
    """Run, measure, print; the exit code is 1 when a goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--picture", type=Path, default=PICTURE, help="default: %(default)s")
    figures = measure(parser.parse_args().picture)
    print(json.dumps(figures, indent=2))
    sys.exit(any(figures[name] > goal for name, goal in GOALS.items()))


def measure(picture: Path) -> dict[str, Any]:
    """Run the demo from the checkout's root and sum up."""
    program = os.path.relpath(Path(sys.executable).with_name("tailwatch"), ROOT)
    peaks, over, load = Peaks(), threading.Event(), os.getloadavg()[0]
    command = [program, "demo", "--json", "--picture", str(picture)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as running:
        watching = threading.Thread(target=peaks.watch, args=(psutil.Process(running.pid), over))
        watching.start()
        out, _ = running.communicate()
        over.set()
        watching.join()
    if running.returncode:
        sys.exit(f"the demo ended with {running.returncode}")
    document = json.loads(out)
    return {
        **_summary(document),
        "cpu_s": round(peaks.cpu_s),
        "peak_mb": round(peaks.peak_mb),
        "load": [load, peaks.load],
    }


def _summary(document: dict[str, Any]) -> dict[str, Any]:
    checkpoints = document["checkpoints"]
    return {
        "seconds": round(document["seconds"], 1),
        "start_and_bank_s": round(document["seconds"] - sum(each["seconds"] for each in checkpoints), 1),
        "settled_to_decided_s": round(document["median_seconds"], 1),
        "stage_medians_s": {
            name: round(seconds, 2) for name, seconds in document["median_stage_seconds"].items()
        },
        "sandbox": document["sandbox"],
        "bank": {name: round(stratum["baseline"], 4) for name, stratum in checkpoints[0]["strata"].items()},
        "checkpoints": {
            each["name"]: {
                "decision": each["decision"],
                "average_only": each["average_only_decision"],
                "seconds": round(each["seconds"], 1),
                "drift_s": round(each["stage_seconds"].get("drift", 0.0), 2),
                "samples": sum(stratum["samples"] for stratum in each["strata"].values()),
            }
            for each in checkpoints
        },
    }


def _family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all its descendants; containers are the engine's and not among them."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def _memory_mb(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return float(process.memory_full_info().pss) / 2**20
    return 0.0


def _cpu_s(process: psutil.Process) -> float:
    """Its own and those of its children that have ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return float(sum(process.cpu_times()[:4]))
    return 0.0


if __name__ == "__main__":
    main()
