"""``python -m benchmarks.detection``: run every study, write JSON, and renew the tables in the docs."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path

from benchmarks.detection.report import renew, tables
from benchmarks.detection.studies import (
    Study,
    rival_studies,
    sequential_studies,
    shallow_studies,
    single_studies,
    stream_studies,
)

SEED = 20_240_713
QUICK_SHARE = 0.03
"""Part of the runs that ``--quick`` does."""


def studies() -> list[Study]:
    """All studies in a fixed order."""
    every: Iterator[Study] = chain(
        sequential_studies(), single_studies(), rival_studies(), stream_studies(), shallow_studies()
    )
    return list(every)


def perform(place: int, share: float) -> dict[str, object]:
    """Run one study; its seed follows from its place, so that results do not depend on workers."""
    study = studies()[place]
    runs = max(20, round(study.runs * share))
    figures = study.simulate(SEED + place, runs)
    return {
        "method": study.method,
        "design": study.design,
        "change": study.change,
        "rho": study.rho,
        "taper": study.taper,
        "runs": runs,
        "seed": SEED + place,
        **figures,
    }


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few hundred runs each, under a minute")
    parser.add_argument("--share", type=float, default=1.0, help="part of the runs to do, for more haste")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--docs", type=Path, help="renew the tables between the marks in this file")
    options = parser.parse_args()
    started = time.monotonic()
    share = QUICK_SHARE if options.quick else options.share
    with ProcessPoolExecutor(max_workers=options.workers) as pool:
        count = len(studies())
        rows = list(pool.map(perform, range(count), [share] * count))
    seconds = time.monotonic() - started
    results = {"seed": SEED, "share": share, "seconds": round(seconds, 1), "rows": rows}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.docs:
        renew(options.docs, tables(rows))
    print(tables(rows))
    print(f"\n{len(rows)} studies in {seconds:.0f} s.")


if __name__ == "__main__":
    main()
