"""``python -m benchmarks.detection.floors``: what becomes of losses where the baseline hardly passes.

Each run draws a bank, finds the drop that matters on it by the gate's own functions, and leads one candidate
through screening and confirmation with the kernel that a unit test proves equal to ``monitor.stats``.
"""

# ruff: noqa: NPY002
# Compiled code draws from numba's own generator, seeded once per study.

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.compiled import compiled
from benchmarks.detection.kernel import REGRESSED, STEADY, bench_of, rules, simulate
from benchmarks.detection.population import passes_of
from benchmarks.detection.report import renewed, table
from monitor.domain.tasks import Stratum
from monitor.stats.bank import summarise
from monitor.stats.planning import feasibility
from monitor.verdicts.floors import margin_on
from monitor.verdicts.policy import Policy, confirming_lines, screening_lines

Floats = NDArray[np.float64]

SEED = 20_261_201
BATCH = 32
"""Samples between two looks."""
POLICY = Policy()
LEFT = {"unchanged": 1.0, "half lost": 0.5, "lost entirely": 0.0}
"""Part of its passes that the candidate keeps."""
SHAPES = ("every task a little", "few tasks by half")
DESIGNS = ((0.0, 32), (0.024, 32), (0.024, 256), (0.10, 32), (0.10, 64), (0.30, 32))
"""Pass rate of the stratum, and samples per task of its bank."""
TASKS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of candidates, as shares of the runs."""

    shape: str
    rate: float
    depth: int
    change: str
    runs: int
    floor: float
    """The bank cannot bear the drop that matters: held, and nothing drawn."""
    promote: float
    reject: float
    hold: float
    """Undecided or unconfirmed."""
    margin: float
    """Mean drop that mattered."""
    samples: float | None
    """Mean of those that drew any; None where none did."""
    promoted_before: float
    """What the policy's margin alone would have promoted."""


def truth_of(shape: str, rate: float) -> Floats:
    """Pass probabilities of the stratum's tasks with this mean."""
    truth = np.full(TASKS, rate)
    if shape == SHAPES[1] and rate < 0.5:
        truth = np.zeros(TASKS)
        whole, rest = divmod(rate * TASKS, 0.5)
        truth[: int(whole)] = 0.5
        truth[int(whole)] = rest
    return truth


@compiled
def seed_kernel(seed: int) -> None:
    """Seed the generator that compiled code draws from."""
    np.random.seed(seed)


@compiled
def new_noise(tasks: int, depth: int) -> Floats:
    """Uniform numbers behind a bank's outcomes."""
    return np.random.random((tasks, depth))


def weigh(truth: Floats, now: Floats, noise: Floats, margin: float) -> tuple[str, int]:
    """``floor``, ``promote``, ``reject`` or ``hold``, and the samples it took, at one margin."""
    half = noise.shape[1] // 2
    lines = (
        screening_lines(POLICY, Stratum.TAIL, list(Stratum), margin=margin),
        confirming_lines(POLICY, Stratum.TAIL, margin=margin),
    )
    taken = 0
    for number, (line, share) in enumerate(zip(lines, (noise[:, :half], noise[:, half:]), strict=True)):
        part = np.ascontiguousarray(share)
        passes = passes_of(part, truth)
        if number == 0:
            bank = summarise(passes, np.full(len(truth), float(half)))
            able = feasibility(bank, line, draws_per_task=half, minimum_samples=POLICY.minimum_samples)
            if not able.feasible:
                return "floor", 0
        test = rules(line, minimum_samples=POLICY.minimum_samples, coupled=False)
        outcome, samples = simulate(bench_of(passes, float(half), test), test, part, truth, now, 0.0, BATCH)
        taken += samples
        if outcome != REGRESSED:
            return "promote" if outcome == STEADY and number == 0 else "hold", taken
    return "reject", taken


def study(shape: str, rate: float, depth: int, change: str, *, runs: int, seed: int) -> Fate:
    """One kind of candidate, each with a bank of its own."""
    seed_kernel(seed)
    truth = truth_of(shape, rate)
    now = truth * LEFT[change]
    found, before = Counter[str](), Counter[str]()
    margins, samples = [], []
    for _ in range(runs):
        noise = new_noise(TASKS, depth)
        counts = [(int(passed), depth) for passed in passes_of(noise, truth)]
        margin = margin_on(counts, POLICY, Stratum.TAIL)
        fate, taken = weigh(truth, now, noise, margin.effective) if margin.effective else ("floor", 0)
        found[fate] += 1
        before[weigh(truth, now, noise, margin.stated)[0]] += 1
        margins.append(margin.effective)
        samples += [taken] if taken else []
    return Fate(
        shape=shape,
        rate=rate,
        depth=depth,
        change=change,
        runs=runs,
        **{name: found[name] / runs for name in ("floor", "promote", "reject", "hold")},
        margin=float(np.mean(margins)),
        samples=float(np.mean(samples)) if samples else None,
        promoted_before=before["promote"] / runs,
    )


def studies(runs: int) -> list[Fate]:
    """Every design; a seed follows from the place of its study."""
    every = [
        (shape, rate, depth, change)
        for rate, depth in DESIGNS
        for shape in SHAPES[: 2 if rate else 1]
        for change in (LEFT if rate else ["unchanged"])
    ]
    return [study(*each, runs=runs, seed=SEED + place) for place, each in enumerate(every)]


def fates(found: list[Fate]) -> str:
    """The table of the docs."""
    head = ["rate", "bank", "passes are of", "candidate", "drop that matters", "HOLD, floor", "PROMOTE"]
    body = [
        [
            f"{100 * each.rate:g} %",
            f"{each.depth}",
            each.shape if each.rate else "nothing",
            each.change,
            f"{100 * each.margin:.2g}",
            f"{each.floor:.3f}",
            f"{each.promote:.3f}",
            f"{each.reject:.3f}",
            f"{each.hold:.3f}",
            "-" if each.samples is None else f"{each.samples:.0f}",
            f"{each.promoted_before:.3f}",
        ]
        for each in found
    ]
    return table([*head, "REJECT", "HOLD, other", "samples", "PROMOTE without floors"], body)


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection.floors", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="candidates of each kind")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--docs", type=Path, help="renew the table between the marks in this file")
    options = parser.parse_args()
    started = time.monotonic()
    found = studies(options.runs)
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n")
    if options.docs:
        page = renewed(
            options.docs.read_text(), fates(found), begin="<!-- floors -->", end="<!-- /floors -->"
        )
        options.docs.write_text(page)
    print(fates(found))
    print(f"\n{len(found)} kinds of candidates in {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()
