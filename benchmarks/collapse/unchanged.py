"""How often the free signs warn of an unchanged author, on as many tasks as an early decision looks at.

    python -m benchmarks.collapse.unchanged

Made-up authors write 64 tasks of each stratum of the lab suite: each task has a few variants of its
reference solution, drawn with probabilities of its own. A bank and a candidate of one author then differ by
chance alone, as often as is wanted, without an engine or a sandbox; the comparison is the product's.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.collapse.study import by_name, false_warnings
from benchmarks.detection.report import table
from monitor.domain.drift import Indicator
from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Sample
from monitor.domain.tasks import Stratum, Suite, Task
from monitor.drift.indicators import free_indicators
from monitor.drift.matching import Works, Writing, matched
from monitor.drift.significance import ALPHA
from monitor.suites.loading import load_suite

FIGURES = Path(__file__).resolve().parent / "unchanged.json"
SEED = 20_261_129
BANK_DEPTH = 16
VARIANTS = 8
CONCENTRATION = 0.5
"""Of the Dirichlet distribution of a task's variants: mostly one or two are usual, the others seldom."""


TASKS = 64
"""Of a stratum."""

DEPTHS = (1, 4)
"""Samples of each task that the candidate has drawn: when it is decided at once, and when it goes on."""


def main() -> None:
    """Draw, compare, count, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collapse.unchanged", description=__doc__)
    parser.add_argument("--resamplings", type=int, default=200)
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS, help="others keep their figures")
    options = parser.parse_args()
    author = Author(load_suite("lab"), np.random.default_rng(SEED))
    kept = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else []
    found = [each for each in kept if each["depth"] not in options.depths]
    found += [each for depth in options.depths for each in against_itself(author, depth, options.resamplings)]
    found.sort(key=lambda each: (each["indicator"], each["depth"]))
    FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(found))


class Author:
    """Writes every task of a suite in a few ways, one of them more often than another.

    Args:
        suite: whose references are varied.
        rng: decides how often each variant of a task is written.
    """

    def __init__(self, suite: Suite, rng: np.random.Generator) -> None:
        self.tasks = [task for stratum in Stratum for task in suite.stratum(stratum)[:TASKS]]
        self._texts = {task.task_id: variants(task) for task in self.tasks}
        self._shares = {task.task_id: rng.dirichlet([CONCENTRATION] * VARIANTS) for task in self.tasks}
        self.works = Works(self.read)

    def draw(self, tasks: Sequence[Task], depth: int, rng: np.random.Generator) -> list[Sample]:
        """So many samples of each task, by index."""
        return [
            _sample(task, index, int(choice))
            for task in tasks
            for index, choice in enumerate(rng.choice(VARIANTS, size=depth, p=self._shares[task.task_id]))
        ]

    def read(self, sample: Sample) -> Writing:
        """What it wrote."""
        text = self._texts[sample.task_id][int(sample.completion.text)]
        return Writing(text=text, language="python")


def variants(task: Task) -> list[str]:
    """The reference, and the reference with one to seven statements before its last that change nothing."""
    tree = ast.parse(task.prompt + task.canonical_solution)
    texts = [ast.unparse(tree)]
    body = next(node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    for number in range(1, VARIANTS):
        body.insert(len(body) - 1, ast.parse(_STATEMENTS[number % len(_STATEMENTS)]).body[0])
        texts.append(ast.unparse(tree))
    return texts


_STATEMENTS = ("pass", "assert True", "unused = [None]", "for _ in (): break", "if False: raise ValueError")


def _sample(task: Task, index: int, variant: int) -> Sample:
    return Sample(
        task_id=task.task_id,
        stratum=task.stratum,
        index=index,
        wave=0,
        completion=Completion(
            task_id=task.task_id,
            index=index,
            seed=index,
            text=str(variant),
            finish_reason=FinishReason.STOP,
            tokens=1,
        ),
        program_digest="",
        execution=Execution(outcome=Outcome.PASSED),
    )


def against_itself(author: Author, depth: int, resamplings: int) -> list[dict[str, Any]]:
    """What the free signs say of an author's bank and candidate, both drawn anew each time."""
    rng = np.random.default_rng(SEED)
    turns: list[list[Indicator]] = []
    for turn in range(resamplings):
        bank, candidate = (author.draw(author.tasks, count, rng) for count in (BANK_DEPTH, depth))
        turns.append(list(free_indicators(matched(bank, candidate, author.works), seed=turn).indicators))
    counted = false_warnings(by_name(turns), depth=depth)
    return [{**asdict(each), "error": each.error_at(ALPHA)} for each in counted]


def as_markdown(found: Sequence[dict[str, Any]]) -> str:
    """Counts beside what is promised."""
    head = ["sign", "samples per task", "re-samplings", "tests", "warned", "promised", "p up to 0.05"]
    body = [
        [
            f"`{each['indicator']}`",
            str(each["depth"]),
            str(each["resamplings"]),
            str(each["tests"]),
            str(each["warned"]),
            f"{ALPHA * each['tests']:.1f} ± {each['error'] * each['tests']:.1f}",
            f"{each['below_nominal'] / each['tests']:.3f}",
        ]
        for each in found
    ]
    return table(head, body)


if __name__ == "__main__":
    main()
