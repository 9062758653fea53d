"""The gate's sequential test in numba, sample by sample; a unit test proves it equal to ``monitor.stats``.

A simulated test draws its samples as it goes, so sums are kept that any coupling weight can be applied
to afterwards: of the candidate's residual o = p - X, the bank's t = p - X', and their products.
"""

# ruff: noqa: NPY002, PLR0917
# Compiled code draws from numba's own generator, seeded once per study,
# and takes its arguments by position.

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.compiled import compiled
from monitor.stats.bank import least_variance
from monitor.stats.boundaries import OVERSHOOT, Lines
from monitor.stats.difference import COUPLING_SAMPLES, PRIOR_SAMPLES, RIDGE

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REGRESSED, STEADY, OPEN = 1, -1, 0


class Rules(NamedTuple):
    """A test's lines and constants as plain numbers."""

    margin: float
    upper_intercept: float
    upper_slope: float
    lower_intercept: float
    lower_slope: float
    floor: float
    minimum_samples: float
    coupled: float
    """1 when samples are coupled with the bank's, 0 when not."""


class Bench(NamedTuple):
    """A stratum's bank in one phase."""

    rates: Floats
    depth: float
    """Bank samples per task in this phase."""
    variance: float
    added: float
    """What a drop by the margin would add to it."""


def rules(lines: Lines, *, minimum_samples: int, coupled: bool) -> Rules:
    """The numbers behind a test's lines."""
    return Rules(
        margin=lines.margin,
        upper_intercept=lines.upper_intercept,
        upper_slope=lines.upper_slope,
        lower_intercept=lines.lower_intercept,
        lower_slope=lines.lower_slope,
        floor=least_variance(lines.margin),
        minimum_samples=float(minimum_samples),
        coupled=float(coupled),
    )


@compiled
def bench_of(passes: Floats, depth: float, rules: Rules) -> Bench:
    """Like ``monitor.stats.bank.summarise`` for equal depths of at least 2."""
    rates = passes / depth
    variance = float(np.mean(rates * (1.0 - rates)) * depth / (depth - 1.0))
    added = max(rules.margin * (2.0 * float(np.mean(rates)) - 1.0) - rules.margin**2, 0.0) / 2.0
    return Bench(rates, depth, max(variance, rules.floor), added)


@compiled
def new_state(tasks: int) -> tuple[Floats, Floats]:
    """Sums over all samples, and per task the count and the sums of o and t.

    The sums: m, o, t, oo, tt, ot, squared counts, seen tasks, information, weight, frozen, and over
    tasks (sum o)²/n, (sum o)(sum t)/n, (sum t)²/n.
    """
    return np.zeros(14), np.zeros((tasks, 3))


@compiled
def add(sums: Floats, each: Floats, bench: Bench, task: int, passed: float, twin: float) -> None:
    """Take in one sample."""
    own, other = bench.rates[task] - passed, bench.rates[task] - twin
    sums[0] += 1.0
    sums[1] += own
    sums[2] += other
    sums[3] += own * own
    sums[4] += other * other
    sums[5] += own * other
    n, o, t = each[task, 0], each[task, 1], each[task, 2]
    sums[6] += 2.0 * n + 1.0
    if n == 0.0:
        sums[7] += 1.0
    else:
        sums[11] -= o * o / n
        sums[12] -= o * t / n
        sums[13] -= t * t / n
    n, o, t = n + 1.0, o + own, t + other
    sums[11] += o * o / n
    sums[12] += o * t / n
    sums[13] += t * t / n
    each[task, 0], each[task, 1], each[task, 2] = n, o, t


@compiled
def look(sums: Floats, bench: Bench, rules: Rules) -> int:
    """One look at the sums: REGRESSED, STEADY or OPEN."""
    m = sums[0]
    if rules.coupled > 0.0 and sums[10] == 0.0 and m >= COUPLING_SAMPLES:
        sums[9] = min(max(sums[5] / (sums[4] + RIDGE), 0.0), 1.0)
        sums[10] = 1.0
    b = sums[9]
    tasks = len(bench.rates)
    drop = (sums[1] - b * sums[2]) / m
    squares = sums[3] - 2.0 * b * sums[5] + b * b * sums[4] - m * drop * drop
    remaining = (1.0 - b) ** 2 * bench.variance / bench.depth
    squares = max(squares - (m - 1.0) * remaining, 0.0)
    expected = bench.variance * (1.0 - b * b) + bench.added
    total = (squares + PRIOR_SAMPLES * bench.variance) / (m - 1.0 + PRIOR_SAMPLES)
    total = max(total, expected, rules.floor)
    squares = sums[3] - 2.0 * b * sums[5] + b * b * sums[4]
    squares = max(squares - (sums[11] - 2.0 * b * sums[12] + b * b * sums[13]), 0.0)
    within = (squares + PRIOR_SAMPLES * expected) / (m - sums[7] + PRIOR_SAMPLES)
    within = max(within, rules.floor)
    concentration = sums[6] / (m * m)
    between = total - within
    unevenness = max(concentration - 1.0 / tasks, 0.0)
    if between < 0.0:
        unevenness = min(unevenness, 1.0 / m)
    variance = within / m + between * unevenness + remaining * concentration
    information = 1.0 / variance
    outcome = decide(drop * information, information, sums[8], rules)
    sums[8] = max(information, sums[8])
    return outcome if m >= rules.minimum_samples else OPEN


@compiled
def decide(score: float, information: float, previous: float, rules: Rules) -> int:
    """Where a score stands between the lines."""
    correction = OVERSHOOT * math.sqrt(max(information - previous, 0.0))
    upper = rules.upper_intercept + rules.upper_slope * information - correction
    lower = (
        rules.margin * information - (rules.lower_intercept + rules.lower_slope * information) + correction
    )
    if lower > upper:
        upper = lower = (upper + lower) / 2.0
    if score >= upper:
        return REGRESSED
    return STEADY if score <= lower else OPEN


@compiled
def replay(
    bench: Bench, rules: Rules, task: Integers, passed: Floats, twin: Floats, looks: Integers
) -> tuple[int, int, float]:
    """Decision, samples and coupling weight for samples that are already there."""
    sums, each = new_state(len(bench.rates))
    taken = 0
    for end in looks:
        for place in range(taken, end):
            add(sums, each, bench, task[place], passed[place], twin[place])
        taken = end
        outcome = look(sums, bench, rules)
        if outcome != OPEN:
            return outcome, end, sums[9]
    return OPEN, taken, sums[9]


@compiled
def simulate(
    bench: Bench, rules: Rules, noise: Floats, truth: Floats, now: Floats, rho: float, batch: int
) -> tuple[int, int]:
    """Draw and test one stratum in one phase; decision and samples.

    Args:
        bench: the bank's share of this phase.
        rules: the test.
        noise: the bank's uniform numbers, tasks by indices; its outcomes are ``noise < truth``.
        truth: the baseline's pass probability per task.
        now: the candidate's.
        rho: how often the candidate's sample uses the noise of the bank's at the same seed.
        batch: samples between two looks.
    """
    tasks, indices = noise.shape
    sums, each = new_state(tasks)
    start = np.random.randint(0, indices, (tasks,))
    for turn in range(indices):
        for task in np.random.permutation(tasks):
            shared = noise[task, (start[task] + turn) % indices]
            own = shared if np.random.random() < rho else np.random.random()
            passed = 1.0 if own < now[task] else 0.0
            twin = 1.0 if shared < truth[task] else 0.0
            add(sums, each, bench, task, passed, twin)
            if int(sums[0]) % batch == 0:
                outcome = look(sums, bench, rules)
                if outcome != OPEN:
                    return outcome, int(sums[0])
    return OPEN, int(sums[0])
