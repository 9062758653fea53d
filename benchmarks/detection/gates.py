"""Tailwatch's gate on whole simulated checkpoints: three strata, rarest first, with confirmation."""

# ruff: noqa: NPY002, PLR0917
# Compiled code draws from numba's own generator, seeded once per study,
# and takes its arguments by position.

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.compiled import compiled
from benchmarks.detection.kernel import (
    OPEN,
    REGRESSED,
    STEADY,
    Rules,
    bench_of,
    rules,
    simulate,
)
from benchmarks.detection.population import (
    HEAD,
    TAIL,
    churned,
    dropped,
    lifted,
    passes_of,
    tasks_of,
)
from monitor.domain.tasks import Stratum
from monitor.stats.boundaries import TAPER, Lines, design_lines
from monitor.verdicts.policy import (
    ALPHA_PRUDENCE,
    Policy,
    confirming_lines,
    screening_lines,
)

Floats = NDArray[np.float64]

REJECT, PROMOTE, HOLD = 1, -1, 0
MARGIN = 0.10
"""Margin of every stratum in the simulation."""
OUTCOMES = 5
"""Columns of a result: decision, whether screening regressed, tail samples, all samples, fresh ones."""


class World(NamedTuple):
    """One baseline with its bank; tuples go head, torso, tail."""

    truth: tuple[Floats, Floats, Floats]
    noise: tuple[Floats, Floats, Floats]
    """Uniform numbers of the bank, tasks by indices."""


class Change(NamedTuple):
    """What happened to the candidate."""

    drop: float
    """Points one stratum lost, as a ratio; when it is the tail, the head gains 0.01, which masks it."""
    churn: float
    """Share of the tasks of every stratum that exchanged their pass probabilities."""
    place: int = TAIL
    """The stratum that lost."""


class Gate(NamedTuple):
    """How the gate is set."""

    screening: Rules
    confirming: Rules
    confirm: bool
    batch: int
    """Samples of a stratum between two looks."""


def gate(
    *, confirm: bool, coupled: bool, batch: int = 10, taper: float = TAPER, prudent: bool = True
) -> Gate:
    """The gate under the default policy, with one margin for all strata.

    Args:
        confirm: whether a regression is tested again.
        coupled: whether samples are compared at equal seeds.
        batch: samples of a stratum between two looks.
        taper: of the lines.
        prudent: whether the lines keep a part of alpha in reserve.
    """
    policy = Policy(margin=dict.fromkeys(Stratum, MARGIN))

    def drawn(lines: Lines) -> Lines:
        alpha = lines.alpha if prudent else lines.alpha / ALPHA_PRUDENCE
        return design_lines(alpha=alpha, beta=lines.beta, margin=MARGIN, taper=taper)

    first = drawn(screening_lines(policy, Stratum.TAIL, list(Stratum)))
    second = drawn(confirming_lines(policy, Stratum.TAIL))
    return Gate(
        screening=rules(first, minimum_samples=policy.minimum_samples, coupled=coupled),
        confirming=rules(second, minimum_samples=policy.minimum_samples, coupled=coupled),
        confirm=confirm,
        batch=batch,
    )


@compiled
def new_world(sizes: tuple[int, int, int], depth: int) -> World:
    """Draw tasks and a bank; ``sizes`` are the numbers of tasks of head, torso and tail."""
    truth = (tasks_of(0, sizes[0]), tasks_of(1, sizes[1]), tasks_of(2, sizes[2]))
    noise = (
        np.random.random((sizes[0], depth)),
        np.random.random((sizes[1], depth)),
        np.random.random((sizes[2], depth)),
    )
    return World(truth, noise)


@compiled
def changed(truth: Floats, stratum: int, change: Change) -> Floats:
    """The candidate's pass probabilities in one stratum."""
    now = churned(truth, change.churn) if change.churn > 0.0 else truth
    if change.drop > 0.0 and stratum == change.place:
        return dropped(now, change.drop)
    if change.drop > 0.0 and stratum == HEAD and change.place == TAIL:
        return lifted(now, 0.01)
    return now


@compiled
def phase(world: World, stratum: int, now: Floats, rho: float, gate: Gate, second: bool) -> tuple[int, int]:
    """Screening or confirmation of one stratum; decision and samples."""
    noise, truth = world.noise[stratum], world.truth[stratum]
    half = noise.shape[1] // 2
    if gate.confirm:
        noise = noise[:, half:] if second else noise[:, :half]
    noise = np.ascontiguousarray(noise)
    test = gate.confirming if second else gate.screening
    bench = bench_of(passes_of(noise, truth), float(noise.shape[1]), test)
    return simulate(bench, test, noise, truth, now, rho, gate.batch)


@compiled
def weigh(world: World, change: Change, rho: float, gate: Gate, out: Floats) -> None:
    """One candidate through the gate, strata in turn until the decision is known."""
    out[:] = 0.0
    out[0] = PROMOTE
    for stratum in range(2, -1, -1):
        now = changed(world.truth[stratum], stratum, change)
        outcome, samples = phase(world, stratum, now, rho, gate, False)
        out[3] += samples
        if stratum == TAIL:
            out[2] = samples
        if outcome == STEADY:
            continue
        out[0] = HOLD
        if outcome == OPEN:
            continue
        out[1] = 1.0
        again = REGRESSED
        if gate.confirm:
            again, fresh = phase(world, stratum, now, rho, gate, True)
            out[3] += fresh
            out[4] += fresh
        if again == REGRESSED:
            out[0] = REJECT
            return


@compiled
def candidates(
    seed: int,
    runs: int,
    sizes: tuple[int, int, int],
    depth: int,
    change: Change,
    rho: float,
    gate: Gate,
) -> Floats:
    """Independent checkpoints, each with its own tasks and bank; one row of outcomes each."""
    np.random.seed(seed)
    found = np.zeros((runs, OUTCOMES))
    for run in range(runs):
        weigh(new_world(sizes, depth), change, rho, gate, found[run])
    return found


@compiled
def alone(
    seed: int, runs: int, tasks: int, depth: int, stratum: int, change: Change, gate: Gate
) -> tuple[Floats, Floats]:
    """Screening of one stratum with a bank of its own: decision and samples of each run."""
    np.random.seed(seed)
    outcomes, samples = np.zeros(runs), np.zeros(runs)
    for run in range(runs):
        world = new_world((tasks, tasks, tasks), depth)
        now = changed(world.truth[stratum], stratum, change)
        outcomes[run], samples[run] = phase(world, stratum, now, 0.0, gate, False)
    return outcomes, samples


@compiled
def streams(
    seed: int,
    runs: int,
    length: int,
    sizes: tuple[int, int, int],
    depth: int,
    change: Change,
    rho: float,
    gate: Gate,
) -> Floats:
    """Streams of checkpoints against one bank each; rejected and screened checkpoints per stream."""
    np.random.seed(seed)
    found = np.zeros((runs, 2))
    row = np.zeros(OUTCOMES)
    for run in range(runs):
        world = new_world(sizes, depth)
        for _ in range(length):
            weigh(world, change, rho, gate, row)
            found[run, 0] += row[0] == REJECT
            found[run, 1] += row[1]
    return found
