"""The gates others use, on the same simulated checkpoints.

All test the tail, torso and head at alpha/3 one-sided; the aggregate gate compares two plain means.
Where two runs are compared, the baseline is given as many samples as the candidate.
"""

# ruff: noqa: NPY002, PLR0917
# Compiled code draws from numba's own generator, seeded once per study,
# and takes its arguments by position.

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from benchmarks.detection.compiled import compiled
from benchmarks.detection.gates import MARGIN, OUTCOMES, REJECT, Change, Gate, changed, new_world
from benchmarks.detection.kernel import OPEN, REGRESSED, STEADY, rules
from benchmarks.detection.population import TAIL, passes_of
from monitor.stats.boundaries import Lines
from monitor.stats.decline import BETS

Floats = NDArray[np.float64]

AGGREGATE = 0
THRESHOLD = 0.02
"""Drop of the mean pass rate at which the aggregate gate rejects."""


def triangular_gate(*, alpha: float, beta: float) -> Gate:
    """Whitehead's triangular test (1997, section 4.5) in each stratum, alpha being one stratum's."""
    high, low = float(norm.isf(alpha)), float(norm.isf(beta))
    reach = 2.0 * high / (high + low) * MARGIN
    intercept, slope = 2.0 / reach * math.log(1.0 / (2.0 * alpha)), reach / 4.0
    lines = Lines(
        alpha=alpha,
        beta=beta,
        margin=MARGIN,
        upper_intercept=intercept,
        upper_slope=slope,
        lower_intercept=intercept,
        lower_slope=MARGIN - 3.0 * slope,
    )
    test = rules(lines, minimum_samples=10, coupled=False)
    return Gate(screening=test, confirming=test, confirm=False, batch=10)


class Levels(NamedTuple):
    """Critical values at one alpha."""

    alpha: float
    z: float
    t: tuple[float, float, float]
    """Student's, by stratum."""


def levels(sizes: tuple[int, int, int], *, alpha: float) -> Levels:
    """Critical values for these strata, alpha being one stratum's."""
    quantiles = [float(student.isf(alpha, size - 1)) for size in sizes]
    return Levels(alpha=alpha, z=float(norm.isf(alpha)), t=(quantiles[0], quantiles[1], quantiles[2]))


@compiled
def mcnemar_p(lost: int, gained: int) -> float:
    """Exact one-sided p-value, P(Bin(lost + gained, 1/2) >= lost)."""
    total = lost + gained
    if total == 0:
        return 1.0
    term = math.exp(
        math.lgamma(total + 1.0) - math.lgamma(lost + 1.0) - math.lgamma(gained + 1.0) - total * math.log(2.0)
    )
    tail = 0.0
    for count in range(lost, total + 1):
        tail += term
        term *= (total - count) / (count + 1.0)
    return min(tail, 1.0)


@compiled
def stratum_flags(
    noise: Floats, truth: Floats, now: Floats, repeats: int, z: float, t: float, alpha: float
) -> tuple[float, float, float, float]:
    """Mean difference, and whether z, McNemar and paired t call a regression in one stratum."""
    tasks, depth = noise.shape
    bank = passes_of(noise, truth) / depth
    before, after = np.zeros(tasks), np.zeros(tasks)
    lost = gained = 0
    for task in range(tasks):
        for _ in range(repeats):
            old = np.random.random() < truth[task]
            new = np.random.random() < now[task]
            before[task] += old / repeats
            after[task] += new / repeats
            lost += old and not new
            gained += new and not old
    error = math.sqrt((np.var(before) + np.var(after)) / (tasks - 1.0))
    difference = before.mean() - after.mean()
    paired = bank - after
    spread = max(math.sqrt(np.var(paired) / (tasks - 1.0)), 1e-12)
    return (
        difference,
        1.0 if difference > z * error else 0.0,
        1.0 if mcnemar_p(lost, gained) <= alpha else 0.0,
        1.0 if paired.mean() / spread >= t else 0.0,
    )


@compiled
def fixed(
    seed: int,
    runs: int,
    sizes: tuple[int, int, int],
    depth: int,
    change: Change,
    repeats: int,
    levels: Levels,
) -> Floats:
    """Rejections (columns: the four gates) with a fixed number of samples per task."""
    np.random.seed(seed)
    found = np.zeros((runs, 4))
    for run in range(runs):
        world = new_world(sizes, depth)
        lost = 0.0
        for stratum in range(3):
            truth = world.truth[stratum]
            now = changed(truth, stratum, change)
            flags = stratum_flags(
                world.noise[stratum], truth, now, repeats, levels.z, levels.t[stratum], levels.alpha
            )
            lost += flags[0] * sizes[stratum] / (sizes[0] + sizes[1] + sizes[2])
            for rival in range(1, 4):
                found[run, rival] = max(found[run, rival], flags[rival])
        found[run, AGGREGATE] = 1.0 if lost > THRESHOLD else 0.0
    return found


@compiled
def bet(noise: Floats, truth: Floats, now: Floats, alpha: float, beta: float, batch: int) -> tuple[int, int]:
    """A mixture betting test of one stratum (Waudby-Smith & Ramdas 2024, section 4)."""
    tasks, depth = noise.shape
    bank = passes_of(noise, truth) / depth
    worse, steady = np.zeros(len(BETS)), np.zeros(len(BETS))
    taken = 0
    for _ in range(depth):
        for task in np.random.permutation(tasks):
            drop = bank[task] - (1.0 if np.random.random() < now[task] else 0.0)
            for place, share in enumerate(BETS):
                worse[place] += math.log1p(share * drop)
                steady[place] += math.log1p(share * (MARGIN - drop) / (1.0 - MARGIN + 2.0 * MARGIN))
            taken += 1
            if taken % batch == 0:
                if np.mean(np.exp(worse)) >= 1.0 / alpha:
                    return REGRESSED, taken
                if np.mean(np.exp(steady)) >= 1.0 / beta:
                    return STEADY, taken
    return OPEN, taken


@compiled
def bets(
    seed: int,
    runs: int,
    sizes: tuple[int, int, int],
    depth: int,
    change: Change,
    alpha: float,
    beta: float,
) -> Floats:
    """Checkpoints through the betting gate, strata in turn; outcome rows as our own gate's."""
    np.random.seed(seed)
    found = np.zeros((runs, OUTCOMES))
    for run in range(runs):
        world = new_world(sizes, depth)
        found[run, 0] = -1.0
        for stratum in range(2, -1, -1):
            truth = world.truth[stratum]
            now = changed(truth, stratum, change)
            outcome, samples = bet(world.noise[stratum], truth, now, alpha, beta, 10)
            found[run, 3] += samples
            if stratum == TAIL:
                found[run, 2] = samples
            if outcome == OPEN:
                found[run, 0] = 0.0
            if outcome == REGRESSED:
                found[run, 0], found[run, 1] = REJECT, 1.0
                break
    return found
