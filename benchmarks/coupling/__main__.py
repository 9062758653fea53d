"""How alike real checkpoints are at equal seeds, and how many samples that saves the gate.

    python -m benchmarks.coupling --scratch FOLDER --json results.json --docs docs/statistics.md

Draws the bank of the lab's generation 0 on a real vLLM, then every sample of other checkpoints at the same
seeds: generation 0 once more, its 8-bit rounding, a control that was trained without self-training, and two
generations of self-training. The gate is then replayed on them along many ways. What is in the scratch
folder is not drawn again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.coupling.drawing import Scratch, bank_of, candidate_of
from benchmarks.coupling.report import renew, tables
from benchmarks.coupling.study import bank_from, by_cell, replays, strata
from monitor.domain.samples import Sample, SamplingPlan, Style
from monitor.domain.tasks import Suite
from monitor.suites.loading import load_suite
from monitor.verdicts.policy import Policy

BASELINE = "gen0"
CANDIDATES = ("gen0", "8bit", "control1", "gen1", "gen2")
DEPTH = 16
WAYS = 40


def main() -> None:
    """Parse, draw, compare, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coupling", description=__doc__)
    parser.add_argument(
        "--scratch", type=Path, required=True, help="keeps what is drawn; outside the checkout"
    )
    parser.add_argument(
        "--candidates", nargs="+", default=CANDIDATES, help="folders of the lab's checkpoints"
    )
    parser.add_argument("--depth", type=int, default=DEPTH, help="samples per task on either side")
    parser.add_argument("--ways", type=int, default=WAYS, help="replays of each checkpoint's evaluation")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--docs", type=Path, help="renew the tables between the marks in this file")
    options = parser.parse_args()
    suite = load_suite("lab")
    plan = SamplingPlan(
        samples_per_task=options.depth, temperature=1.0, max_tokens=128, style=Style.COMPLETION
    )
    scratch = Scratch(options.scratch, suite, plan)
    wanted = {name: candidate_of(name) for name in options.candidates}
    asyncio.run(scratch.draw([bank_of(BASELINE), *wanted.values()], say))
    before = scratch.samples(bank_of(BASELINE))
    results = {
        "depth": options.depth,
        "ways": options.ways,
        "checkpoints": {
            name: compare(suite, before, scratch.samples(each), options.ways) for name, each in wanted.items()
        },
    }
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = tables(results)
    if options.docs:
        renew(options.docs, text)
    print(text)


def compare(suite: Suite, before: Sequence[Sample], after: Sequence[Sample], ways: int) -> dict[str, Any]:
    """All figures of one checkpoint."""
    bank, cells = bank_from(before), by_cell(after)
    policies = {"coupled": Policy(), "uncoupled": replace(Policy(), coupling=False)}
    return {
        "likeness": [asdict(each) for each in strata(by_cell(before), cells)],
        **{how: asdict(replays(suite, bank, cells, policy, ways=ways)) for how, policy in policies.items()},
    }


def say(line: str) -> None:
    """Tell how far it is."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
