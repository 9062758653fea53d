"""CPU seconds that comparing outputs takes, by the size of the evaluation.

    python -m benchmarks.collapse.costs --docs docs/drift.md

The samples are those of a made-up author (:mod:`benchmarks.collapse.unchanged`) against another one who
writes longer, so that columns drift and the bank is split against itself; Evidently is imported before the
clock runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.collapse.unchanged import BANK_DEPTH, SEED, Author
from benchmarks.detection.report import renewed, table
from monitor.domain.samples import Sample
from monitor.drift.columns import EvidentlyDetector
from monitor.drift.comparing import ColumnComparison
from monitor.drift.meter import OutputMeter
from monitor.drift.pages import Pages
from monitor.suites.loading import load_suite

BEGIN = "<!-- begin: python -m benchmarks.collapse.costs -->"
END = "<!-- end: python -m benchmarks.collapse.costs -->"
DEPTHS = (1, 4, 16)
TOKENS = (40, 44)
"""Of each sample of the bank and of the candidate, on average."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collapse.costs", description=__doc__)
    parser.add_argument("--docs", type=Path, help="renew the table between the marks in this file")
    options = parser.parse_args()
    author = Author(load_suite("lab"), np.random.default_rng(SEED))
    text = table(
        ["candidate samples", "signs", "columns as well", "and Evidently's page"],
        [_row(author, depth) for depth in DEPTHS],
    )
    if options.docs:
        page = options.docs.read_text(encoding="utf-8")
        options.docs.write_text(renewed(page, text, begin=BEGIN, end=END), encoding="utf-8")
    print(text)


def _row(author: Author, depth: int) -> list[str]:
    rng = np.random.default_rng(SEED)
    bank = _lengthened(author.draw(author.tasks, BANK_DEPTH, rng), TOKENS[0], rng)
    candidate = _lengthened(author.draw(author.tasks, depth, rng), TOKENS[1], rng)
    with tempfile.TemporaryDirectory() as folder:
        columns = ColumnComparison(EvidentlyDetector(), None, Pages(folder=Path(folder)), seed=SEED)
        signs, both = (OutputMeter(read=author.read, seed=SEED, columns=c) for c in (None, columns))
        both.prepare()
        found = both.measure(bank, candidate, report="")
        assert any(signal.detected for signal in found.signals)
        spent = [
            _cpu_s(lambda: signs.measure(bank, candidate, report="")),
            _cpu_s(lambda: both.measure(bank, candidate, report="")),
            _cpu_s(lambda: both.measure(bank, candidate, report="page.html")),
        ]
    return [str(len(candidate)), *(f"{each:.1f}" for each in spent)]


def _cpu_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _lengthened(samples: Sequence[Sample], tokens: int, rng: np.random.Generator) -> list[Sample]:
    return [
        replace(each, completion=replace(each.completion, tokens=int(rng.poisson(tokens))))
        for each in samples
    ]


if __name__ == "__main__":
    main()
