"""What is simulated: each study is a seed, a number of runs and a row of figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.decline import STEP, TAIL_SAMPLES, alarms, detections
from benchmarks.detection.gates import HOLD, REJECT, Change, alone, candidates, gate, streams
from benchmarks.detection.kernel import OPEN, REGRESSED, STEADY
from benchmarks.detection.population import TAIL
from benchmarks.detection.rivals import bets, fixed, levels, triangular_gate
from monitor.stats.boundaries import TAPER

ALPHA, BETA = 0.05, 0.10
DEPTH = 32
DESIGNS: dict[str, tuple[int, int, int]] = {"200/200/200": (200, 200, 200), "360/180/60": (360, 180, 60)}
"""Numbers of tasks of head, torso and tail."""
CHANGES: dict[str, Change] = {
    "unchanged": Change(0.0, 0.0),
    "churn 30 %": Change(0.0, 0.3),
    "churn 100 %": Change(0.0, 1.0),
    "drop 5": Change(0.05, 0.0),
    "drop 10": Change(0.10, 0.0),
    "drop 15": Change(0.15, 0.0),
}
RIVALS = ("aggregate 2-point threshold", "unpaired z", "exact McNemar", "paired t, bank of 32")
REPEATS = (1, 2, 3, 4, 6, 8, 10, 12, 16)
"""Samples per task at which the gates of fixed size are tried."""
STREAM = 50
"""Checkpoints in a stream."""
STREAMS = (
    ("stream of 50, screening alone", False, 0.0),
    ("stream of 50, with confirmation", True, 0.0),
    ("stream of 50, screening alone, coupled, rho 0.4", False, 0.4),
    ("stream of 50, with confirmation, coupled, rho 0.4", True, 0.4),
)
"""Method, confirmation, rho."""
UNCHANGED = 1_000
"""Unchanged checkpoints that the slow-decline process is followed over."""

Figures = dict[str, float]
Simulation = Callable[[int, int], Figures]
"""(seed, runs) to figures."""
Sizes = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One row of the results."""

    method: str
    design: str
    change: str
    simulate: Simulation
    runs: int
    """At full size."""
    rho: float = 0.0
    taper: float = TAPER


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One setting of Tailwatch's gate."""

    method: str
    confirm: bool = False
    coupled: bool = False
    rho: float = 0.0
    batch: int = 10
    taper: float = TAPER
    changes: tuple[str, ...] = tuple(CHANGES)
    runs: int = 6_000


TAPERS = (0.05, 0.10, 0.15, 0.20, 0.50)
"""0 would be Wald's test, which has no end; 0.50 is the triangle."""
VARIANTS = (
    Variant(method="screening", runs=10_000),
    Variant(method="screening, waves of 60", batch=60, changes=("unchanged", "drop 10"), runs=3_000),
    Variant(method="screening and confirmation", confirm=True),
    *(
        Variant(method="screening, coupled", coupled=True, rho=rho, runs=4_000)
        for rho in (0.0, 0.4, 0.7, 0.95)
    ),
    Variant(
        method="screening and confirmation, coupled",
        confirm=True,
        coupled=True,
        rho=0.7,
        changes=("unchanged", "drop 10"),
    ),
    *(
        Variant(
            method="taper",
            confirm=True,
            taper=taper,
            changes=("unchanged", "churn 100 %", "drop 5", "drop 10"),
            runs=3_000,
        )
        for taper in TAPERS
    ),
)
STRATA = ("head", "torso", "tail")
TASKS = (60, 200)
"""Tasks of a stratum that is tested alone."""
SHALLOW = {60: (7, 16, 32), 200: (2, 4, 32)}
"""Bank samples per task by number of tasks; the first is the least that the gate accepts at the margin."""
LINES = {"nominal": False, "product": True}
"""Whether a part of alpha and beta is kept in reserve."""


def share(flags: NDArray[np.bool_], name: str) -> Figures:
    """A share of runs with its Monte-Carlo standard error."""
    mean = float(np.mean(flags))
    return {name: mean, f"{name}_error": float(np.sqrt(mean * (1.0 - mean) / len(flags)))}


def of_gate(found: NDArray[np.float64]) -> Figures:
    """Figures of checkpoints that went through a sequential gate."""
    total = found[:, 3]
    return {
        **share(found[:, 0] == REJECT, "reject"),
        **share(found[:, 1] == 1.0, "screened"),
        "hold": float(np.mean(found[:, 0] == HOLD)),
        "tail_samples": float(np.mean(found[:, 2])),
        "samples": float(np.mean(total)),
        "samples_p95": float(np.quantile(total, 0.95)),
        "fresh_samples": float(np.mean(found[:, 4])),
    }


def judged(variant: Variant, sizes: Sizes, change: Change, seed: int, runs: int) -> Figures:
    """Independent checkpoints through Tailwatch's gate."""
    test = gate(confirm=variant.confirm, coupled=variant.coupled, batch=variant.batch, taper=variant.taper)
    return of_gate(candidates(seed, runs, sizes, DEPTH, change, variant.rho, test))


def at_size(sizes: Sizes, change: Change, repeats: int, seed: int, runs: int) -> Figures:
    """The rivals of fixed size, with so many samples per task."""
    critical = levels(sizes, alpha=ALPHA / 3)
    found = fixed(seed, runs, sizes, DEPTH, change, repeats, critical)
    figures: Figures = {"samples": float(repeats * sum(sizes))}
    for place, rival in enumerate(RIVALS):
        figures |= share(found[:, place] > 0.0, rival)
    return figures


def triangular(sizes: Sizes, change: Change, seed: int, runs: int) -> Figures:
    """Whitehead's triangular test."""
    test = triangular_gate(alpha=ALPHA / 3, beta=BETA)
    return of_gate(candidates(seed, runs, sizes, DEPTH, change, 0.0, test))


def betting(sizes: Sizes, change: Change, seed: int, runs: int) -> Figures:
    """The betting gate."""
    return of_gate(bets(seed, runs, sizes, DEPTH, change, ALPHA / 3, BETA))


def single(
    seed: int, runs: int, *, stratum: int, tasks: int, change: Change, prudent: bool, depth: int = DEPTH
) -> Figures:
    """One stratum alone."""
    test = gate(confirm=False, coupled=False, prudent=prudent)
    outcomes, samples = alone(seed, runs, tasks, depth, stratum, change, test)
    return {
        **share(outcomes == REGRESSED, "regressed"),
        **share(outcomes == STEADY, "steady"),
        **share(outcomes == OPEN, "undecided"),
        "samples": float(np.mean(samples)),
    }


def stream(sizes: Sizes, confirm: bool, rho: float, seed: int, runs: int) -> Figures:
    """Unchanged checkpoints against one bank."""
    test = gate(confirm=confirm, coupled=rho > 0.0)
    found = streams(seed, runs, STREAM, sizes, DEPTH, CHANGES["unchanged"], rho, test)
    return {
        **share(found[:, 0] > 0.0, "streams_with_reject"),
        "rejects_per_checkpoint": float(np.mean(found[:, 0]) / STREAM),
    }


def declining(sizes: Sizes, seed: int, runs: int) -> Figures:
    """A model that loses a point per checkpoint."""
    found = detections(seed, runs, 20, sizes, DEPTH, gate(confirm=False, coupled=False))
    figures: Figures = {}
    for place, name in enumerate(("previous", "frozen")):
        figures |= first(found[:, place], name)
    return figures


def first(places: NDArray[np.float64], name: str) -> Figures:
    """How often something was found in a stream, and at which checkpoint; places are 0 for never."""
    seen = places[places > 0.0]
    return {
        **share(places > 0.0, f"{name}_found"),
        f"{name}_median": float(np.median(seen)) if len(seen) else 0.0,
    }


def accumulating(sizes: Sizes, rho: float, seed: int, runs: int) -> Figures:
    """The e-process: over a decline of a point per checkpoint, and over unchanged checkpoints."""
    samples = TAIL_SAMPLES[rho]
    found = alarms(seed, runs, 20, sizes, DEPTH, STEP, rho, samples)
    none = alarms(seed + 1, runs, UNCHANGED, sizes, DEPTH, 0.0, rho, samples)
    return {
        "tail_samples": float(samples),
        **first(found, "e_process"),
        **share((none > 0.0) & (none <= STREAM), "false_alarm"),
        **share(none > 0.0, "false_alarm_long"),
    }


def sequential_studies() -> Iterator[Study]:
    """Tailwatch's gate: plain, coupled, with confirmation, in larger waves."""
    for variant in VARIANTS:
        for design, sizes in DESIGNS.items():
            for name in variant.changes:
                yield Study(
                    method=variant.method,
                    design=design,
                    change=name,
                    rho=variant.rho,
                    taper=variant.taper,
                    simulate=partial(judged, variant, sizes, CHANGES[name]),
                    runs=variant.runs,
                )


def single_studies() -> Iterator[Study]:
    """Each stratum alone, with lines that keep a reserve and with lines that do not."""
    for place, stratum in enumerate(STRATA):
        for tasks in TASKS:
            for name in ("unchanged", "churn 100 %", "drop 10"):
                change = CHANGES[name]._replace(place=place)
                for lines, prudent in LINES.items():
                    yield Study(
                        method=f"{stratum} alone, {lines} lines",
                        design=f"{tasks}",
                        change=name,
                        simulate=partial(single, stratum=place, tasks=tasks, change=change, prudent=prudent),
                        runs=12_000,
                    )


def shallow_studies() -> Iterator[Study]:
    """The tail alone against banks down to the shallowest that the gate accepts."""
    for tasks, depths in SHALLOW.items():
        for depth in depths:
            for name in ("unchanged", "drop 5", "drop 10"):
                simulate = partial(
                    single, stratum=TAIL, tasks=tasks, change=CHANGES[name], prudent=True, depth=depth
                )
                design = f"{tasks} tasks, bank of {depth}"
                yield Study(method="shallow bank", design=design, change=name, simulate=simulate, runs=6_000)


def rival_studies() -> Iterator[Study]:
    """The gates of others."""
    for design, sizes in DESIGNS.items():
        for name, change in CHANGES.items():
            for repeats in REPEATS:
                simulate = partial(at_size, sizes, change, repeats)
                yield Study(method="fixed size", design=design, change=name, simulate=simulate, runs=2_000)
            for method, sequential in (("betting e-process", betting), ("triangular test", triangular)):
                simulate = partial(sequential, sizes, change)
                yield Study(method=method, design=design, change=name, simulate=simulate, runs=4_000)


def stream_studies() -> Iterator[Study]:
    """Fifty unchanged checkpoints against one bank, and a model that declines slowly."""
    for design, sizes in DESIGNS.items():
        for method, confirm, rho in STREAMS:
            simulate = partial(stream, sizes, confirm, rho)
            yield Study(
                method=method, design=design, change="unchanged", rho=rho, simulate=simulate, runs=1_000
            )
        yield Study(
            method="slow decline",
            design=design,
            change="1 point each",
            simulate=partial(declining, sizes),
            runs=500,
        )
        for rho in TAIL_SAMPLES:
            yield Study(
                method="e-process",
                design=design,
                change="1 point each",
                rho=rho,
                simulate=partial(accumulating, sizes, rho),
                runs=500,
            )
