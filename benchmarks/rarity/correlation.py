"""Whether rare tasks are those that a real model finds unlikely.

Spearman's rank correlation between a task's rarity score and the model's negative log-likelihood per
token of its reference solution, with a percentile bootstrap interval over tasks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from benchmarks.rarity.likelihood import FIGURES, key_of
from monitor.domain.tasks import Task
from monitor.rarity.features import PYTHON
from monitor.rarity.score import Explanation, explain
from monitor.rarity.table import RarityTable
from monitor.suites.loading import load_suite

RESULTS = Path(__file__).resolve().parent / "correlation.json"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "rarity.md"
BEGIN, END = "<!-- correlation: begin -->", "<!-- correlation: end -->"
RESAMPLES = 2_000
SEED = 135

Aggregate = Callable[[Sequence[float]], float]
"""Bits of a program's features, rarest first, to one figure."""


def _geometric(ratio: float, places: int) -> Aggregate:
    weights = [ratio**place for place in range(places)]
    return lambda bits: sum(b * w for b, w in zip(bits, weights, strict=False)) / sum(weights)


def _mean_of(places: int) -> Aggregate:
    return lambda bits: sum(bits[:places]) / places


AGGREGATES: Mapping[str, Aggregate] = {
    "the rarest feature alone": lambda bits: max(bits, default=0.0),
    "mean of the 3 rarest": _mean_of(3),
    "mean of the 10 rarest": _mean_of(10),
    "weights 1, 1/2, 1/4 … of the 5 rarest": _geometric(0.5, 5),
    "weights 1, 0.8, 0.64 … of the 10 rarest": _geometric(0.8, 10),
    "mean of all": lambda bits: sum(bits) / len(bits) if bits else 0.0,
    "sum of all": sum,
}
"""Ways to weigh features that were tried, Python alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """One rank correlation."""

    what: str
    tasks: int
    rho: float
    low: float
    """Lower end of the 95 % interval."""
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A task with both of its figures."""

    task: Task
    told: Explanation
    nats: float
    tokens: int


def correlate(suite_name: str, table: RarityTable) -> list[Correlation]:
    """All correlations of a suite whose likelihoods were measured."""
    measured = measured_tasks(suite_name, table)
    python = [each for each in measured if each.task.language == PYTHON]
    others = [each for each in measured if each.task.language != PYTHON]
    rows = [
        _correlation("score, all languages", measured, lambda each: each.told.score),
        _correlation("the same, other languages as ordinary as functions", measured, _as_ordinary(table)),
        _correlation("score, Python", python, lambda each: each.told.score),
        _correlation(
            "score given the solution's length, Python", python, lambda each: each.told.score, _length
        ),
        _correlation("score, other languages", others, lambda each: each.told.score),
        _correlation("length of the solution, Python", python, _length),
    ]
    rows += [_correlation(name, python, _aggregated(way)) for name, way in AGGREGATES.items()]
    return [row for row in rows if row is not None]


def measured_tasks(suite_name: str, table: RarityTable) -> list[Measured]:
    """The tasks of a suite whose likelihoods were measured."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    return [
        Measured(
            task=task,
            told=explain(task.prompt + task.canonical_solution, task.language, table),
            nats=figures[key_of(task)]["nats_per_token"],
            tokens=figures[key_of(task)]["tokens"],
        )
        for task in load_suite(suite_name)
        if key_of(task) in figures
    ]


def write(rows: Sequence[Correlation], table: RarityTable) -> None:
    """Write the figures as JSON, and renew the table in the docs."""
    document = {
        "table": table.reference,
        "resamples": RESAMPLES,
        "seed": SEED,
        "rows": [asdict(row) for row in rows],
    }
    RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    page = f"{before}{BEGIN}\n\n{as_markdown(rows)}\n\n{END}{rest.partition(END)[2]}"
    PAGE.write_text(page, encoding="utf-8")


def as_markdown(rows: Sequence[Correlation]) -> str:
    """The figures as a table."""
    lines = ["| what | tasks | Spearman's rho | 95 % interval |", "|---|---|---|---|"]
    lines += [
        f"| {row.what} | {row.tasks} | {row.rho:.2f} | {row.low:.2f} to {row.high:.2f} |" for row in rows
    ]
    return "\n".join(lines)


def _length(each: Measured) -> float:
    return float(each.tokens)


def _as_ordinary(table: RarityTable) -> Callable[[Measured], float]:
    """The score if a task in another language had the features of the corpus' median function."""
    return lambda each: (
        each.told.language_bits
        + (each.told.feature_bits if each.task.language == PYTHON else table.ordinary_bits)
    )


def _aggregated(way: Aggregate) -> Callable[[Measured], float]:
    return lambda each: way([feature.bits for feature in each.told.features])


def _correlation(
    what: str,
    measured: Sequence[Measured],
    figure: Callable[[Measured], float],
    given: Callable[[Measured], float] | None = None,
) -> Correlation | None:
    """The correlation of a figure with the likelihoods, a third figure held; None when all are the same."""
    held = [] if given is None else [given]
    columns = [figure, lambda each: each.nats, *held]
    pairs = np.array([[column(each) for column in columns] for each in measured])
    rho = _rho(pairs)
    if rho is None:
        return None
    rng = np.random.default_rng(SEED)
    drawn = [_rho(pairs[places]) for places in rng.integers(0, len(pairs), size=(RESAMPLES, len(pairs)))]
    low, high = np.quantile([each for each in drawn if each is not None], [0.025, 0.975])
    return Correlation(
        what=what,
        tasks=len(pairs),
        rho=round(rho, 3),
        low=round(float(low), 3),
        high=round(float(high), 3),
    )


def _rho(columns: npt.NDArray[np.float64]) -> float | None:
    """Spearman's rho of the first two columns, partial given a third; None when there is no order."""
    if (columns == columns[0]).all(axis=0).any():
        return None
    rho = np.corrcoef(rankdata(columns, axis=0), rowvar=False)
    if columns.shape[1] == 2:
        return float(rho[0, 1])
    shared = rho[0, 2] * rho[1, 2]
    left = (1 - rho[0, 2] ** 2) * (1 - rho[1, 2] ** 2)
    return float((rho[0, 1] - shared) / np.sqrt(left)) if left > 1e-9 else None
