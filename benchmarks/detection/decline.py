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
TAIL_SAMPLES = {0.0: 84, 0.4: 74, 0.7: 58, 0.95: 41, 1.0: 41}
"""Tail samples of each checkpoint that the e-process sees, by rho: as many as the gate draws."""


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
def draw_drops(rates: Floats, noise: Floats, now: Floats, rho: float, drops: Floats) -> None:
    """Draw one checkpoint's tail in place, as an evaluation does: in its own order, at its own indices.

    Args:
        rates: the bank's, per task.
        noise: the bank's uniform numbers, tasks by indices, of which the first half screens.
        now: the checkpoint's pass probabilities.
        rho: how often its sample uses the noise of the bank's at the same seed; 1 is a copy.
        drops: filled with rate minus outcome.
    """
    tasks, half = noise.shape[0], noise.shape[1] // 2
    start = np.random.randint(0, half, (tasks,))
    order = np.random.permutation(tasks)
    for place in range(len(drops)):
        if place % tasks == 0:
            order = np.random.permutation(tasks)
        task = order[place % tasks]
        shared = noise[task, (start[task] + place // tasks) % half]
        own = shared if np.random.random() < rho else np.random.random()
        drops[place] = rates[task] - (1.0 if own < now[task] else 0.0)


@compiled
def alarm_at(world: World, length: int, step: float, rho: float, samples: int) -> int:
    """First checkpoint (from 1) at which the e-process alarms; 0 when it never does.

    The anchor's bank stays; each checkpoint has lost ``step`` of the tail against the one before.
    """
    truth, noise = world.truth[TAIL], world.noise[TAIL]
    tasks, depth = noise.shape
    rates = passes_of(noise, truth) / depth
    variance = max(np.mean(rates * (1.0 - rates)) * depth / (depth - 1.0), 0.02)
    tolerated = NOISE_MARGIN * math.sqrt(variance / (depth * tasks))
    capitals = np.zeros(len(BETS))
    drops = np.zeros(samples)
    now = truth.copy()
    for checkpoint in range(1, length + 1):
        if step > 0.0:
            now = dropped(now, step)
        draw_drops(rates, noise, now, rho, drops)
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
    """First rejection per stream of declining checkpoints: previous one as baseline, frozen baseline."""
    np.random.seed(seed)
    found = np.zeros((runs, 2))
    for run in range(runs):
        world = new_world(sizes, depth)
        found[run, 0] = rejected_at(world, length, gate, True)
        found[run, 1] = rejected_at(world, length, gate, False)
    return found


@compiled
def alarms(
    seed: int,
    runs: int,
    length: int,
    sizes: tuple[int, int, int],
    depth: int,
    step: float,
    rho: float,
    samples: int,
) -> Floats:
    """First alarm of the e-process per stream, 0 for none."""
    np.random.seed(seed)
    found = np.zeros(runs)
    for run in range(runs):
        found[run] = alarm_at(new_world(sizes, depth), length, step, rho, samples)
    return found
