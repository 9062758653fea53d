"""A model that loses one point of its tail per checkpoint, and who notices when."""

# ruff: noqa: NPY002, PLR0917
# Compiled code draws from numba's own generator, seeded once per study,
# and takes its arguments by position.

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.compiled import compiled
from benchmarks.detection.gates import Gate, World, new_world, phase
from benchmarks.detection.kernel import REGRESSED
from benchmarks.detection.population import TAIL, dropped, passes_of
from monitor.stats.decline import ALARM, BETS, NOISE_MARGIN

Floats = NDArray[np.float64]

STEP = 0.01
"""Loss of the tail's mean per checkpoint."""
TAIL_SAMPLES = 80
"""Tail samples of each checkpoint that the e-process sees: what the gate draws anyway."""


@compiled
def accumulate(capitals: Floats, drops: Floats, tolerated: float) -> float:
    """One checkpoint's step of the e-process, in place; the evidence after it."""
    for place, share in enumerate(BETS):
        growth = 0.0
        for drop in drops:
            growth += math.log1p(share * (drop - tolerated) / (1.0 + tolerated))
        capitals[place] = (1.0 + capitals[place]) * math.exp(growth)
    return float(np.mean(capitals))


@compiled
def alarm_at(world: World, length: int, step: float, start: int) -> int:
    """First checkpoint (from 1) at which the e-process alarms; 0 when it never does.

    The anchor's bank stays; checkpoints lose ``step`` each after the first ``start``.
    """
    truth, noise = world.truth[TAIL], world.noise[TAIL]
    tasks, depth = noise.shape
    rates = passes_of(noise, truth) / depth
    variance = max(np.mean(rates * (1.0 - rates)) * depth / (depth - 1.0), 0.02)
    tolerated = NOISE_MARGIN * math.sqrt(variance / (depth * tasks))
    capitals = np.zeros(len(BETS))
    drops = np.zeros(TAIL_SAMPLES)
    now = truth.copy()
    for checkpoint in range(1, length + 1):
        if checkpoint > start and step > 0.0:
            now = dropped(now, step)
        order = np.random.permutation(tasks)
        for place in range(TAIL_SAMPLES):
            task = order[place % tasks]
            drops[place] = rates[task] - (1.0 if np.random.random() < now[task] else 0.0)
        if accumulate(capitals, drops, tolerated) >= ALARM:
            return checkpoint
    return 0


@compiled
def rejected_at(world: World, length: int, gate: Gate, renewed: bool) -> int:
    """First checkpoint whose tail the gate calls regressed; 0 when none.

    Args:
        world: the first baseline.
        length: number of checkpoints, each losing :data:`STEP`.
        gate: used without confirmation.
        renewed: whether each checkpoint, once passed, becomes the next one's baseline.
    """
    tasks, depth = world.noise[TAIL].shape
    now = world.truth[TAIL]
    base = world
    for checkpoint in range(1, length + 1):
        now = dropped(now, STEP)
        outcome, _ = phase(base, TAIL, now, 0.0, gate, False)
        if outcome == REGRESSED:
            return checkpoint
        if renewed:
            fresh = np.random.random((tasks, depth))
            base = World((now, now, now), (fresh, fresh, fresh))
    return 0


@compiled
def detections(
    seed: int, runs: int, length: int, sizes: tuple[int, int, int], depth: int, gate: Gate
) -> Floats:
    """First detection per stream: previous checkpoint as baseline, frozen one, e-process, its null."""
    np.random.seed(seed)
    found = np.zeros((runs, 4))
    for run in range(runs):
        world = new_world(sizes, depth)
        found[run, 0] = rejected_at(world, length, gate, True)
        found[run, 1] = rejected_at(world, length, gate, False)
        found[run, 2] = alarm_at(world, length, STEP, 0)
        found[run, 3] = alarm_at(world, 50, 0.0, 0)
    return found
