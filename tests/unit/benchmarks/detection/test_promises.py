"""What the gate promises where it was found to break it, by simulation; tolerances are three errors."""

from __future__ import annotations

import pytest

from benchmarks.detection import promises as study
from benchmarks.detection.__main__ import perform
from benchmarks.detection.population import POPULATIONS
from benchmarks.detection.promises import BANKS, CELLS, CHANGES, TASKS, Cell, cells, kept, needed, promises
from benchmarks.detection.report import kept_tables, worst

RUNS = 2_000
"""Standard errors of .0067 at .10 and .0029 at .0167."""


def cell(population, change, *, tasks=60, depth=32, margin=0.10, batch=16, rho=0.0, unscored=0.0):
    return Cell(
        POPULATIONS.index(population), tasks, depth, margin, CHANGES.index(change), batch, rho, unscored
    )


@pytest.mark.parametrize(
    "broken",
    [
        cell("Beta(.1, .1)", "even drop"),
        cell("Beta(.1, .1)", "even drop", tasks=200, batch=32),
        cell(".98 and .02", "even drop", batch=1),
        cell(".98 and .02", "churn and even drop", tasks=100, depth=64, margin=0.05, batch=1),
        cell("p = .97", "even drop", tasks=10, depth=64, margin=0.05),
        cell("p = .97", "churn and even drop", tasks=30, depth=16, margin=0.20, batch=1, rho=0.7),
        cell("Beta(2, .6)", "even drop", unscored=0.05),
        cell("Beta(.1, .1)", "churn", batch=1),
        cell("Beta(.7, 1)", "unchanged", batch=1),
    ],
    ids=lambda one: f"{POPULATIONS[one.population]} {CHANGES[one.change]} {one.batch}",
)
def test_the_gate_keeps_its_promises(broken):
    figures = kept(broken, 20_261_201, RUNS)
    for promise in promises():
        if promise.drop in {None, broken.drop}:
            error = (promise.rate * (1.0 - promise.rate) / RUNS) ** 0.5
            assert figures[promise.name] <= promise.rate + 3.0 * error, promise.said


def test_the_grid_has_only_cells_whose_bank_bears_the_margin():
    assert len(cells()) == CELLS * len(POPULATIONS)
    for one in cells():
        assert one.tasks in TASKS
        assert one.depth in BANKS
        assert one.tasks * one.depth >= needed(one.population, one.margin)


def test_the_tables_hold_every_population_and_the_worst_cells_drawn_again(monkeypatch):
    few = tuple(one for place, one in enumerate(cells()) if place % CELLS < 6)
    monkeypatch.setattr(study, "cells", lambda: few)
    rows = [perform(place, 0.02, "promises") for place in range(len(few))]
    again = [perform(place, 0.02, "promises", seed=7) | {"again": True} for place in worst(rows)]
    text = kept_tables(rows + again)
    assert all(name in text for name in POPULATIONS)
    assert "bank samples" in text
