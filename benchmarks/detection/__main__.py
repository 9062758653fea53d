"""``python -m benchmarks.detection``: run every study, write JSON, and renew the tables in the docs.

``--study promises`` goes over the grid that users can configure instead, and has tables of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, repeat
from pathlib import Path

from benchmarks.detection.promises import AGAIN, promise_studies
from benchmarks.detection.report import (
    BEGIN,
    END,
    PROMISES_BEGIN,
    PROMISES_END,
    kept_tables,
    renew,
    tables,
    worst,
)
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


STUDIES: dict[str, Callable[[], list[Study]]] = {"gates": studies, "promises": promise_studies}


def perform(place: int, share: float, name: str = "gates", seed: int = SEED) -> dict[str, object]:
    """Run one study; its seed follows from its place, so that results do not depend on workers."""
    study = STUDIES[name]()[place]
    runs = max(20, round(study.runs * share))
    figures = study.simulate(seed + place, runs)
    return {
        "place": place,
        "method": study.method,
        "design": study.design,
        "change": study.change,
        "rho": study.rho,
        "taper": study.taper,
        "runs": runs,
        "seed": seed + place,
        **figures,
    }


def run(name: str, share: float, workers: int) -> list[dict[str, object]]:
    """All studies of one name; of the promises, those that look worst once more, with other seeds."""
    with ProcessPoolExecutor(max_workers=workers) as pool:
        count = len(STUDIES[name]())
        rows = list(pool.map(perform, range(count), repeat(share), repeat(name)))
        if name == "promises":
            places = worst(rows)
            again = pool.map(perform, places, repeat(share * AGAIN), repeat(name), repeat(SEED + count))
            rows += [row | {"again": True} for row in again]
    return rows


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--study", choices=list(STUDIES), default="gates", help="which studies to run")
    parser.add_argument("--quick", action="store_true", help="a few hundred runs each, under a minute")
    parser.add_argument("--share", type=float, default=1.0, help="part of the runs to do, for more haste")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--docs", type=Path, help="renew the tables between the marks in this file")
    options = parser.parse_args()
    started = time.monotonic()
    share = QUICK_SHARE if options.quick else options.share
    rows = run(options.study, share, options.workers)
    seconds = time.monotonic() - started
    results = {"seed": SEED, "share": share, "seconds": round(seconds, 1), "rows": rows}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.study == "promises":
        text, marks = kept_tables(rows), (PROMISES_BEGIN, PROMISES_END)
    else:
        text, marks = tables(rows), (BEGIN, END)
    if options.docs:
        renew(options.docs, text, *marks)
    print(text)
    print(f"\n{len(rows)} studies in {seconds:.0f} s.")


if __name__ == "__main__":
    main()
