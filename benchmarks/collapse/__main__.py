"""Which sign of collapse warns first, how often one warns of nothing, and what each costs.

    python -m benchmarks.collapse --scratch FOLDER --json results.json --docs docs/drift.md

Draws generation 0 of the lab deeply and every other checkpoint as a candidate, on a real vLLM and in the
real sandbox, through the product's own rounds and store; trains generations 4 and 5 where they are missing;
then compares with the product's own meter and probes. What is in the scratch folder is not drawn again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.collapse.drawing import BLOCK, Scratch, Wanted
from benchmarks.collapse.generations import make_generations
from benchmarks.collapse.report import renew, tables
from benchmarks.collapse.study import (
    BANK_DEPTH,
    DEPTHS,
    NOMINAL,
    FalseWarnings,
    Row,
    by_name,
    equal,
    false_warnings,
    first,
    measured,
    rows_of,
    split,
    trends,
)
from monitor.domain.drift import Indicator
from monitor.domain.samples import Sample
from monitor.drift.nll import NllProbe
from monitor.drift.significance import ALPHA
from monitor.ports import DriftMeter, Probe
from monitor.wiring import gauges

BASELINE = "gen0"
UNHARMED = ("control1", "control2", "8bit")
POOL_DEPTH = 32
BLOCKS = 16
SEED = 20_261_124


def main() -> None:
    """Parse, draw, compare, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collapse", description=__doc__)
    parser.add_argument(
        "--scratch", type=Path, required=True, help="keeps what is drawn; outside the checkout"
    )
    parser.add_argument("--generations", type=int, default=5, help="the last one; 4 and 5 are trained first")
    parser.add_argument("--resamplings", type=int, default=32, help="of generation 0 against itself")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--docs", type=Path, help="renew the tables between the marks in this file")
    options = parser.parse_args()
    make_generations(options.generations, options.scratch)
    scratch = Scratch(options.scratch)
    generations = [f"gen{number}" for number in range(1, options.generations + 1)]
    wanted = [Wanted(name=BASELINE, depth=POOL_DEPTH, repeats=2, blocks=BLOCKS)]
    wanted += [Wanted(name=name, depth=max(DEPTHS)) for name in (*generations, *UNHARMED)]
    asyncio.run(scratch.draw(wanted, say))
    results = compare(scratch, generations, options.resamplings)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = tables(results)
    if options.docs:
        renew(options.docs, text)
    print(text)


def say(line: str) -> None:
    """Progress."""
    print(line, flush=True)


def compare(scratch: Scratch, generations: Sequence[str], resamplings: int) -> dict[str, Any]:
    """Everything that is computed from what was drawn."""
    others = [*generations, *UNHARMED]
    with scratch.opened() as deployment:
        wanted = gauges(deployment.options, deployment.watch)
        meter, probes = wanted.meter, wanted.probes
        assert meter is not None
        meter.prepare()
        drawn = {name: scratch.samples(deployment, name) for name in (BASELINE, *others)}
    meter_s: list[float] = []
    rows: list[Row] = []
    for depth in DEPTHS:
        for name in others:
            found, spent = measured(meter, first(drawn[BASELINE], BANK_DEPTH), first(drawn[name], depth))
            rows += rows_of(name, found, depth=depth)
            meter_s.append(spent)
            say(f"{name} at {depth} samples per task: compared in {spent:.1f} CPU s")
    false = [
        each
        for depth in DEPTHS
        for each in against_itself(meter, drawn[BASELINE], depth=depth, resamplings=resamplings)
    ]
    costs = []
    for probe in probes:
        before, cost = scratch.measurement(BASELINE, probe.name, "0")
        for name in others:
            rows += rows_of(
                name, probe.compare(before, scratch.measurement(name, probe.name, "0")[0]), depth=None
            )
        costs.append({"probe": probe.name, "readings": len(before.readings), **asdict(cost)})
        false += false_warnings({probe.name: resampled(scratch, probe, resamplings)}, depth=None)
    repeated = {
        probe.name: equal(*(scratch.measurement(BASELINE, probe.name, turn)[0] for turn in ("0", "1")))
        for probe in probes
    }
    return {
        "command": "python -m benchmarks.collapse",
        "seed": SEED,
        "bank_depth": BANK_DEPTH,
        "pool_depth": POOL_DEPTH,
        "resamplings": resamplings,
        "generations": list(generations),
        "unharmed": list(UNHARMED),
        "rows": [asdict(row) for row in rows],
        "false_warnings": [
            {
                **asdict(each),
                "rate": each.rate,
                "alpha": ALPHA,
                "alpha_error": each.error_at(ALPHA),
                "nominal_error": each.error_at(NOMINAL),
            }
            for each in false
        ],
        "trends": trends(rows, generations),
        "measured_twice": repeated,
        "probe_costs": costs,
        "meter_cpu_s": meter_s,
        "drawing": {
            name: asdict(drawing) for name in others if (drawing := scratch.drawing_cost(name)) is not None
        },
    }


def against_itself(
    meter: DriftMeter, pool: Sequence[Sample], *, depth: int, resamplings: int
) -> list[FalseWarnings]:
    """What the meter says of generation 0, split into a bank and a candidate anew each time."""
    rng = np.random.default_rng(SEED)
    turns = [measured(meter, *split(pool, depth=depth, rng=rng))[0] for _ in range(resamplings)]
    say(f"{resamplings} re-samplings at {depth} samples per task compared")
    return false_warnings(by_name(turns), depth=depth)


def resampled(scratch: Scratch, probe: Probe, count: int) -> list[list[Indicator]]:
    """A probe on generation 0 against itself: pairs of single draws, those that are next to each other first.

    What does not read samples is measured twice instead.
    """
    if isinstance(probe, NllProbe):
        first_turn, second_turn = (scratch.measurement(BASELINE, probe.name, turn)[0] for turn in "01")
        return [list(probe.compare(first_turn, second_turn))]
    blocks = [scratch.measurement(BASELINE, probe.name, f"{BLOCK}{number}")[0] for number in range(BLOCKS)]
    pairs = sorted(combinations(range(BLOCKS), 2), key=lambda pair: (pair[1] - pair[0], pair))[:count]
    return [list(probe.compare(blocks[one], blocks[two])) for one, two in pairs]


if __name__ == "__main__":
    main()
