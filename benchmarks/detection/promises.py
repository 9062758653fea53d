"""Whether the gate keeps its promises all over the grid that users can configure.

``python -m benchmarks.detection --study promises``. One stratum is tested alone; every look is checked.
"""

# ruff: noqa: NPY002, PLR0917
# Compiled code draws from numba's own generator, seeded once per study,
# and takes its arguments by position.

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.compiled import compiled
from benchmarks.detection.kernel import (
    DROP,
    HIGH,
    LOW,
    OPEN,
    REGRESSED,
    STEADY,
    Bench,
    M,
    Rules,
    add,
    bench_of,
    drawn,
    look,
    new_state,
    rules,
)
from benchmarks.detection.population import (
    MEANS,
    POPULATIONS,
    churned,
    evenly,
    passes_of,
    population,
    without,
)
from benchmarks.detection.studies import Figures, Study, share
from monitor.domain.tasks import Stratum
from monitor.stats.bank import LEAST_VARIANCE, added_variance
from monitor.stats.boundaries import Lines
from monitor.stats.planning import required_information
from monitor.verdicts.policy import Policy, screening_lines

Floats = NDArray[np.float64]

CHANGES = ("unchanged", "churn", "even drop", "lost tasks", "churn and even drop")
DROPS = frozenset(CHANGES[2:])
TASKS = (10, 30, 60, 100, 200, 300)
BANKS = (8, 16, 32, 64)
MARGINS = (0.03, 0.05, 0.08, 0.10, 0.20, 0.30)
LOOKS = (1, 16, 32, 128)
"""Samples between two looks."""
RHOS = (0.0, 0.4, 0.7, 0.95)
UNSCORED = (0.0, 0.05)
"""Share of samples without a result: each of them would have failed."""
CELLS = 96
"""Cells of the grid drawn per population, of those whose bank bears the margin."""
ONWARDS = 1_000
"""A test with no more samples than this is looked at until all are drawn, whatever it has decided."""
RUNS = 1_000
AGAIN = 6
"""The worst cells are drawn again, with so many times the runs: the worst of many is partly bad luck."""
RELATIVE = Policy().relative_margin

OUTCOME, SAMPLES, BIAS, HIGH_MISSED, LOW_MISSED = range(5)


class Cell(NamedTuple):
    """One point of the grid."""

    population: int
    tasks: int
    depth: int
    margin: float
    change: int
    batch: int
    rho: float
    unscored: float

    @property
    def drop(self) -> bool:
        """Whether the candidate is worse, by the margin."""
        return CHANGES[self.change] in DROPS

    @property
    def onwards(self) -> bool:
        """Whether looks go on after the decision."""
        return self.tasks * self.depth <= ONWARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A share that must not be exceeded."""

    name: str
    """Of the figure."""
    said: str
    rate: float
    drop: bool | None
    """Whether it is about worse candidates; None for all."""


def promises() -> tuple[Promise, ...]:
    """What the default policy promises of one of three critical strata."""
    policy = Policy()
    alpha, beta = policy.alpha / len(Stratum), policy.beta
    return (
        Promise(name="regressed", said="REGRESSED without a drop", rate=alpha, drop=False),
        Promise(name="steady", said="STEADY at a drop of the margin", rate=beta, drop=True),
        Promise(name="drop_overrated", said="interval above the drop", rate=alpha, drop=None),
        Promise(name="drop_underrated", said="interval below the drop", rate=beta, drop=None),
    )


@compiled
def candidate(truth: Floats, change: int, margin: float) -> Floats:
    """The candidate's pass probabilities."""
    now = churned(truth, 1.0) if change in {1, 4} else truth
    if change in {2, 4}:
        return evenly(now, margin)
    return without(now, margin) if change == 3 else now


@compiled
def follow(
    bench: Bench,
    test: Rules,
    noise: Floats,
    truth: Floats,
    now: Floats,
    cell: Cell,
    onwards: bool,
    out: Floats,
) -> None:
    """One test, looked at after every batch and when all is drawn; figures by :data:`OUTCOME` and after."""
    tasks, indices = noise.shape
    state, true = new_state(tasks), np.mean(truth) - np.mean(now)
    start = np.random.randint(0, indices, (tasks,))
    asked = 0
    for turn in range(indices):
        for task in np.random.permutation(tasks):
            shared = noise[task, (start[task] + turn) % indices]
            passed, twin = drawn(shared, truth[task], now[task], cell.rho)
            asked += 1
            if passed == 0.0 and state.lost[M] + 1.0 <= cell.unscored * asked:
                add(state.lost, state.lost_each, bench, task, passed, twin)
            else:
                add(state.sums, state.each, bench, task, passed, twin)
            if (asked % cell.batch and asked < tasks * indices) or state.sums[M] == 0.0:
                continue
            found = look(state, bench, test)
            if state.seen[LOW] > true + 1e-9:
                out[HIGH_MISSED] = 1.0
            if state.seen[HIGH] < true - 1e-9:
                out[LOW_MISSED] = 1.0
            if out[OUTCOME] == OPEN:
                out[OUTCOME], out[SAMPLES], out[BIAS] = found, asked, state.seen[DROP] - true
                if found != OPEN and not onwards:
                    return


@compiled
def trials(seed: int, runs: int, cell: Cell, onwards: bool, test: Rules) -> Floats:
    """Independent tasks, banks and candidates; one row of figures each."""
    np.random.seed(seed)
    found = np.zeros((runs, 5))
    for run in range(runs):
        truth = population(cell.population, cell.tasks)
        while np.mean(truth) < cell.margin:
            truth = population(cell.population, cell.tasks)
        noise = np.random.random((cell.tasks, cell.depth))
        bench = bench_of(passes_of(noise, truth), float(cell.depth), test)
        now = candidate(truth, cell.change, cell.margin)
        follow(bench, test, noise, truth, now, cell, onwards, found[run])
    return found


def lines_at(margin: float) -> Lines:
    """The gate's screening of one of three critical strata."""
    policy = Policy(margin=dict.fromkeys(Stratum, margin))
    return screening_lines(policy, Stratum.TAIL, list(Stratum))


def kept(cell: Cell, seed: int, runs: int) -> Figures:
    """How often one cell breaks each promise, and the bias of the drop that it reports."""
    test = rules(lines_at(cell.margin), minimum_samples=Policy().minimum_samples, coupled=cell.rho > 0.0)
    found = trials(seed, runs, cell, cell.onwards, test)
    figures = {
        **share(found[:, HIGH_MISSED] > 0.0, "drop_overrated"),
        **share(found[:, LOW_MISSED] > 0.0, "drop_underrated"),
        **share(found[:, OUTCOME] == OPEN, "undecided"),
        "samples": float(np.mean(found[:, SAMPLES])),
        "bias": float(np.mean(found[:, BIAS])),
    }
    wrong, name = (STEADY, "steady") if cell.drop else (REGRESSED, "regressed")
    return figures | share(found[:, OUTCOME] == wrong, name)


def margin_of(kind: int, margin: float) -> float:
    """The drop that matters there: the margin, or part of what the population passes."""
    return min(margin, RELATIVE * MEANS[kind])


def needed(kind: int, margin: float) -> int:
    """Bank samples over all tasks from which a stratum of a population can be decided."""
    lines, rates = lines_at(margin_of(kind, margin)), expected_rates(kind)
    variance = max(float(np.mean(rates * (1.0 - rates))), LEAST_VARIANCE)
    required = required_information(alpha=lines.alpha, beta=lines.beta, delta=lines.margin)
    return math.ceil((2.0 * variance + added_variance(rates, lines.margin)) * required)


@compiled
def expected_rates(kind: int) -> Floats:
    """Very many pass probabilities of one population."""
    np.random.seed(kind)
    return population(kind, 100_000)


@cache
def cells() -> tuple[Cell, ...]:
    """The cells that are simulated: so many of each population, drawn from those that its bank bears."""
    chosen: list[Cell] = []
    for kind in range(len(POPULATIONS)):
        least = {margin: needed(kind, margin) for margin in MARGINS}
        grid = [
            Cell(kind, tasks, depth, margin_of(kind, margin), *rest)
            for tasks, depth, margin in product(TASKS, BANKS, MARGINS)
            if tasks * depth >= max(least[margin], Policy().minimum_samples)
            for rest in product(range(len(CHANGES)), LOOKS, RHOS, UNSCORED)
        ]
        places = np.random.default_rng(kind).choice(len(grid), size=CELLS, replace=False)
        chosen += [grid[place] for place in places]
    return tuple(chosen)


def named(cell: Cell) -> str:
    """A cell in words."""
    said = (
        f"{cell.tasks} tasks, bank of {cell.depth}, margin {100 * cell.margin:.3g}, a look every {cell.batch}"
    )
    said += f", rho {cell.rho:g}" if cell.rho else ""
    return said + (f", {cell.unscored:.0%} UNSCORED" if cell.unscored else "")


def promise_studies() -> list[Study]:
    """One study per cell."""
    return [
        Study(
            method=POPULATIONS[cell.population],
            design=named(cell),
            change=CHANGES[cell.change],
            rho=cell.rho,
            simulate=partial(kept, cell),
            runs=RUNS,
        )
        for cell in cells()
    ]
