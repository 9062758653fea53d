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
from monitor.stats.bank import LEAST_VARIANCE, added_variance
from monitor.stats.boundaries import OVERSHOOT, Lines, least_drop
from monitor.stats.difference import COUPLING_SAMPLES, PRIOR_SAMPLES, PRIOR_SAMPLES_WITHIN, RIDGE

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
        minimum_samples=float(minimum_samples),
        coupled=float(coupled),
    )


added = compiled(added_variance)


@compiled
def bench_of(passes: Floats, depth: float, rules: Rules) -> Bench:
    """Like ``monitor.stats.bank.summarise`` for equal depths of at least 2."""
    rates = passes / depth
    variance = float(np.mean(rates * (1.0 - rates)) * depth / (depth - 1.0))
    return Bench(rates, depth, max(variance, LEAST_VARIANCE), added(rates, rules.margin))


class State(NamedTuple):
    """What is kept of the samples so far."""

    sums: Floats
    """Of the scored ones, by :data:`M` and the names after it."""
    each: Floats
    """Per task the count and the sums of o and t."""
    lost: Floats
    """Of the UNSCORED ones, counted as failed: likewise."""
    lost_each: Floats
    seen: Floats
    """Of the test, by :data:`UNCHANGED` and the names after it."""


M, OWN, TWIN, OWN_2, TWIN_2, BOTH, SQUARED, TASKS, OWN_2_TASKS, BOTH_TASKS, TWIN_2_TASKS = range(11)
"""Sums: the samples m, of o, t, their squares and product; squared counts, seen tasks, and over tasks
(sum o)²/n, (sum o)(sum t)/n, (sum t)²/n."""

UNCHANGED, DROPPED, WEIGHT, FROZEN, DROP, LOW, HIGH, BOUNDED = range(8)
"""Information reached on either side, the coupling weight and whether it is settled, estimate and interval,
and whether a look has bounded it."""


@compiled
def new_state(tasks: int) -> State:
    """Before the first sample."""
    seen = np.zeros(8)
    seen[LOW], seen[HIGH] = -1.0, 1.0
    return State(np.zeros(11), np.zeros((tasks, 3)), np.zeros(11), np.zeros((tasks, 3)), seen)


@compiled
def add(sums: Floats, each: Floats, bench: Bench, task: int, passed: float, twin: float) -> None:
    """Take in one sample."""
    own, other = bench.rates[task] - passed, bench.rates[task] - twin
    sums[M] += 1.0
    sums[OWN] += own
    sums[TWIN] += other
    sums[OWN_2] += own * own
    sums[TWIN_2] += other * other
    sums[BOTH] += own * other
    n, o, t = each[task, 0], each[task, 1], each[task, 2]
    sums[SQUARED] += 2.0 * n + 1.0
    if n == 0.0:
        sums[TASKS] += 1.0
    else:
        sums[OWN_2_TASKS] -= o * o / n
        sums[BOTH_TASKS] -= o * t / n
        sums[TWIN_2_TASKS] -= t * t / n
    n, o, t = n + 1.0, o + own, t + other
    sums[OWN_2_TASKS] += o * o / n
    sums[BOTH_TASKS] += o * t / n
    sums[TWIN_2_TASKS] += t * t / n
    each[task, 0], each[task, 1], each[task, 2] = n, o, t


@compiled
def joined(state: State) -> tuple[Floats, Floats]:
    """Sums with the UNSCORED samples among the scored ones."""
    sums, each = state.sums + state.lost, state.each + state.lost_each
    sums[SQUARED:] = 0.0
    for n, o, t in each:
        if n > 0.0:
            sums[SQUARED] += n * n
            sums[TASKS] += 1.0
            sums[OWN_2_TASKS] += o * o / n
            sums[BOTH_TASKS] += o * t / n
            sums[TWIN_2_TASKS] += t * t / n
    return sums, each


@compiled
def estimated(sums: Floats, each: Floats, bench: Bench, b: float, more: float) -> tuple[float, float]:
    """Drop and information; ``more`` is the variance that a supposed drop adds."""
    m, tasks = sums[M], len(bench.rates)
    drop = (sums[OWN] - b * sums[TWIN]) / m
    squares = sums[OWN_2] - 2.0 * b * sums[BOTH] + b * b * sums[TWIN_2]
    remaining = (1.0 - b) ** 2 * bench.variance / bench.depth
    expected = max(bench.variance * (1.0 - b * b) + more, LEAST_VARIANCE)
    outer = squares - m * drop * drop - (m - 1.0) * remaining
    total = max((outer + PRIOR_SAMPLES * expected) / (m - 1.0 + PRIOR_SAMPLES), expected)
    inner = squares - (sums[OWN_2_TASKS] - 2.0 * b * sums[BOTH_TASKS] + b * b * sums[TWIN_2_TASKS])
    within = (inner + PRIOR_SAMPLES_WITHIN * expected) / (m - sums[TASKS] + PRIOR_SAMPLES_WITHIN)
    between, within = total - within, max(within, expected)
    concentration, repeated = sums[SQUARED] / (m * m), 1.0 / m
    if between > 0.0 and m > sums[TASKS]:
        drop, concentration, repeated = weighted(each, b, within, between)
    unevenness = max(concentration - 1.0 / tasks, 0.0)
    if between < 0.0:
        unevenness = min(unevenness, 1.0 / m)
    return drop, 1.0 / (within * repeated + between * unevenness + remaining * concentration)


@compiled
def weighted(each: Floats, b: float, within: float, between: float) -> tuple[float, float, float]:
    """Mean over tasks by the inverse of their means' variance, sum of squared weights, and that over n."""
    whole = mean = square = repeated = 0.0
    for n, o, t in each:
        if n > 0.0:
            weight = 1.0 / (within / n + between)
            whole += weight
            mean += weight * (o - b * t) / n
            square += weight * weight
            repeated += weight * weight / n
    return mean / whole, square / whole**2, repeated / whole**2


@compiled
def look(state: State, bench: Bench, rules: Rules) -> int:
    """One look at the sums: REGRESSED, STEADY or OPEN; estimate and interval are in the state."""
    sums, seen = state.sums, state.seen
    if rules.coupled > 0.0 and seen[FROZEN] == 0.0 and sums[M] >= COUPLING_SAMPLES:
        seen[WEIGHT] = min(max(sums[BOTH] / (sums[TWIN_2] + RIDGE), 0.0), 1.0)
        seen[FROZEN] = 1.0
    drop, unchanged = estimated(sums, state.each, bench, seen[WEIGHT], 0.0)
    worst, dropped = estimated(sums, state.each, bench, seen[WEIGHT], bench.added)
    above = reach(rules.upper_intercept, rules.upper_slope, unchanged, seen[UNCHANGED])
    below = reach(rules.lower_intercept, rules.lower_slope, dropped, seen[DROPPED])
    if state.lost[M] > 0.0:
        whole, every = joined(state)
        doubted, less = estimated(whole, every, bench, seen[WEIGHT], bench.added)
        further = reach(rules.lower_intercept, rules.lower_slope, less, seen[DROPPED])
        if doubted + further > worst + below:
            worst, dropped, below = doubted, less, further
    wider = max(reach(rules.upper_intercept, rules.upper_slope, dropped, seen[DROPPED]), above)
    seen[UNCHANGED] = max(unchanged, seen[UNCHANGED])
    seen[DROPPED] = max(dropped, seen[DROPPED])
    seen[DROP] = drop
    if sums[M] < rules.minimum_samples:
        return OPEN
    narrow(seen, lowest(drop, above, wider, rules.margin), worst + below)
    upper, lower = above, rules.margin - below
    if lower > upper:
        upper = lower = (upper + lower) / 2.0
    if drop >= upper:
        return REGRESSED
    return STEADY if worst <= lower else OPEN


@compiled
def reach(intercept: float, slope: float, information: float, previous: float) -> float:
    """How far from the estimate a line leaves drops credible."""
    correction = OVERSHOOT * math.sqrt(max(information - previous, 0.0))
    return (intercept + slope * information - correction) / information


lowest = compiled(least_drop)


@compiled
def narrow(seen: Floats, low: float, high: float) -> None:
    """Intersect the interval with another one, around the estimate."""
    if seen[BOUNDED] > 0.0:
        low, high = max(seen[LOW], low), min(seen[HIGH], high)
    seen[LOW], seen[HIGH] = min(low, seen[DROP]), max(high, seen[DROP])
    seen[BOUNDED] = 1.0


class Seen(NamedTuple):
    """How a test ended."""

    outcome: int
    samples: int
    weight: float
    low: float
    high: float


@compiled
def replay(bench: Bench, rules: Rules, task: Integers, passed: Floats, twin: Floats, looks: Integers) -> Seen:
    """Decision, samples, coupling weight and interval for samples that are already there.

    ``passed`` is negative where a sample is UNSCORED.
    """
    state = new_state(len(bench.rates))
    taken, outcome = 0, OPEN
    for end in looks:
        for place in range(taken, end):
            if passed[place] < 0.0:
                add(state.lost, state.lost_each, bench, task[place], 0.0, twin[place])
            else:
                add(state.sums, state.each, bench, task[place], passed[place], twin[place])
        taken = end
        if state.sums[M] == 0.0:
            continue
        outcome = look(state, bench, rules)
        if outcome != OPEN:
            break
    seen = state.seen
    return Seen(outcome, int(state.sums[M]), seen[WEIGHT], seen[LOW], seen[HIGH])


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
    state = new_state(tasks)
    start = np.random.randint(0, indices, (tasks,))
    for turn in range(indices):
        for task in np.random.permutation(tasks):
            passed, twin = drawn(noise[task, (start[task] + turn) % indices], truth[task], now[task], rho)
            add(state.sums, state.each, bench, task, passed, twin)
            if int(state.sums[M]) % batch == 0:
                outcome = look(state, bench, rules)
                if outcome != OPEN:
                    return outcome, int(state.sums[M])
    return OPEN, int(state.sums[M])


@compiled
def drawn(shared: float, truth: float, now: float, rho: float) -> tuple[float, float]:
    """One sample of the candidate, and the bank's at the same seed."""
    own = shared if np.random.random() < rho else np.random.random()
    return 1.0 if own < now else 0.0, 1.0 if shared < truth else 0.0
