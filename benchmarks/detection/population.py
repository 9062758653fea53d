"""Tasks, checkpoints and banks of the simulation."""

# ruff: noqa: NPY002
# Compiled code draws from numba's own generator, seeded once per study.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.compiled import compiled

Floats = NDArray[np.float64]

HEAD, TORSO, TAIL = 0, 1, 2
SHAPES = np.array([[2.0, 0.6], [1.0, 0.8], [0.7, 1.0]])
"""Beta parameters of the pass probabilities, by stratum."""
HIT_SHARE = 0.4
"""Share of the tail's tasks on which a drop falls first."""


@compiled
def tasks_of(stratum: int, count: int) -> Floats:
    """Pass probabilities of the baseline on a stratum's tasks."""
    return np.random.beta(SHAPES[stratum, 0], SHAPES[stratum, 1], count)


POPULATIONS = (
    "Beta(2, .6)",
    "Beta(1, .8)",
    "Beta(.7, 1)",
    "Beta(.1, .1)",
    ".98 and .02",
    "p = .03",
    "p = .97",
)
"""Pass probabilities of tasks for which promises are kept: the strata's, nearly deterministic ones, and
those in which all tasks are alike."""
MEANS = (2.0 / 2.6, 1.0 / 1.8, 0.7 / 1.7, 0.5, 0.5, 0.03, 0.97)
"""Their means."""


@compiled
def population(kind: int, count: int) -> Floats:
    """Pass probabilities of so many tasks of one of :data:`POPULATIONS`."""
    if kind < 3:
        return tasks_of(kind, count)
    if kind == 3:
        return np.random.beta(0.1, 0.1, count)
    if kind == 4:
        truth = np.full(count, 0.02)
        truth[: (count + 1) // 2] = 0.98
        return truth
    return np.full(count, 0.03 if kind == 5 else 0.97)


@compiled
def evenly(truth: Floats, drop: float) -> Floats:
    """The mean lowered by ``drop``, the same share of every task's."""
    mean = float(np.mean(truth))
    return truth * (1.0 - min(1.0, drop / mean))


@compiled
def without(truth: Floats, drop: float) -> Floats:
    """The mean lowered by ``drop``: tasks are lost whole, the last one in part."""
    now, owed = truth.copy(), drop * len(truth)
    for task in np.random.permutation(len(truth)):
        taken = min(owed, now[task])
        now[task] -= taken
        owed -= taken
    return now


@compiled
def dropped(truth: Floats, drop: float) -> Floats:
    """The mean lowered by ``drop``, on about 40 % of the tasks; on the others where those have no more."""
    now = truth.copy()
    tasks = len(truth)
    hit = np.zeros(tasks)
    for task in np.random.permutation(tasks)[: round(HIT_SHARE * tasks)]:
        hit[task] = 1.0
    owed = drop * tasks
    for share in (hit, 1.0 - hit):
        there = np.sum(share * now)
        if there > 0.0 and owed > 0.0:
            taken = min(1.0, owed / there)
            owed -= taken * there
            now = now * (1.0 - taken * share)
    return now


@compiled
def lifted(truth: Floats, gain: float) -> Floats:
    """The mean raised by ``gain``, in proportion to what each task lacks."""
    lacking = np.sum(1.0 - truth)
    return truth + (1.0 - truth) * min(1.0, gain * len(truth) / max(lacking, 1e-12))


@compiled
def churned(truth: Floats, share: float) -> Floats:
    """The same mean, but a share of the tasks have exchanged their pass probabilities in pairs."""
    now = truth.copy()
    order = np.random.permutation(len(truth))
    for pair in range(int(share * len(truth)) // 2):
        one, other = order[2 * pair], order[2 * pair + 1]
        now[one], now[other] = truth[other], truth[one]
    return now


@compiled
def passes_of(noise: Floats, truth: Floats) -> Floats:
    """Passed bank samples per task."""
    passes = np.zeros(len(truth))
    for task in range(len(truth)):
        for index in range(noise.shape[1]):
            if noise[task, index] < truth[task]:
                passes[task] += 1.0
    return passes
