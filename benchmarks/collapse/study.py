"""What the product's indicators say about the lab's checkpoints, and about generation 0 against itself."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from statistics import fmean
from typing import Any

import numpy as np

from monitor.domain.drift import Indicator, IndicatorName, Measurement
from monitor.domain.samples import Sample
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.ports import DriftMeter
from monitor.stats.clustered import clustered_rise
from monitor.stats.trend import rising

PASS_RATE = "pass-rate"  # noqa: S105 - what tests do
COLUMNS = "columns"
FALLING = frozenset({PASS_RATE, IndicatorName.TAIL_MASS, IndicatorName.PARTICIPATION_RATIO})
"""What goes down when a model collapses; everything else goes up."""

DEPTHS = (4, 2)
"""Samples per task of a candidate: a long evaluation, and one that the gate ends early."""

BANK_DEPTH = 16
NOMINAL = 0.05
"""A looser level, at which few re-samplings tell more about a test than at its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One indicator of one stratum of one checkpoint."""

    checkpoint: str
    indicator: str
    depth: int | None
    """Samples per task; None where they are not what is measured."""
    stratum: str
    value: float
    baseline: float
    p_value: float
    alpha: float
    noise_floor: float
    warns: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseWarnings:
    """How often an indicator warned of generation 0, sampled again."""

    indicator: str
    depth: int | None
    resamplings: int
    tests: int
    """Strata times re-samplings."""
    warned: int
    """Tests that warned as the product would."""
    below_nominal: int
    """Tests with a p-value up to :data:`NOMINAL`."""

    @property
    def rate(self) -> float:
        """Of warnings per test."""
        return self.warned / self.tests

    def error_at(self, promised: float) -> float:
        """Monte-Carlo standard error of a rate that is promised, with so many tests, taken as independent."""
        return sqrt(promised * (1 - promised) / self.tests)


def rows_of(name: str, indicators: Sequence[Indicator], *, depth: int | None) -> list[Row]:
    """Indicators as rows of the results."""
    return [
        Row(
            checkpoint=name,
            indicator=each.name,
            depth=depth,
            stratum=each.stratum.value if each.stratum else "",
            value=each.value,
            baseline=each.baseline,
            p_value=each.p_value,
            alpha=each.alpha,
            noise_floor=each.noise_floor,
            warns=each.warns,
        )
        for each in indicators
    ]


def first(samples: Sequence[Sample], depth: int) -> list[Sample]:
    """The samples of the lowest indices."""
    return [sample for sample in samples if sample.index < depth]


def split(
    pool: Sequence[Sample], *, depth: int, rng: np.random.Generator
) -> tuple[list[Sample], list[Sample]]:
    """Generation 0 against itself: of each task a bank and a candidate without a common sample.

    Indices are given anew from 0 on, so that the product pairs them as it would.
    """
    tasks: dict[str, list[Sample]] = defaultdict(list)
    for sample in pool:
        tasks[sample.task_id].append(sample)
    bank: list[Sample] = []
    candidate: list[Sample] = []
    for _, samples in sorted(tasks.items()):
        order = [samples[place] for place in rng.permutation(len(samples))]
        bank += _renumbered(order[:BANK_DEPTH])
        candidate += _renumbered(order[BANK_DEPTH : BANK_DEPTH + depth])
    return bank, candidate


def _renumbered(samples: Sequence[Sample]) -> Iterator[Sample]:
    for index, sample in enumerate(samples):
        yield replace(sample, index=index, completion=replace(sample.completion, index=index))


def measured(
    meter: DriftMeter, bank: Sequence[Sample], candidate: Sequence[Sample]
) -> tuple[list[Indicator], float]:
    """The meter's indicators with two to compare them with: the pass rate, and whether any column drifted.

    Returns:
        Indicators, and CPU seconds of the meter.
    """
    started = time.process_time()
    reading = meter.measure(bank, candidate, report="")
    spent = time.process_time() - started
    columns = [
        Indicator(
            name=COLUMNS,
            method="strongest column",
            value=float(sum(signal.detected for signal in reading.signals if signal.stratum is stratum)),
            baseline=0.0,
            p_value=min((s.score for s in reading.signals if s.stratum is stratum), default=1.0),
            # Whether a column counts is the detector's to say, over all columns and strata.
            alpha=1.0,
            noise_floor=0.0,
            clusters=0,
            stratum=stratum,
        )
        for stratum in (RAREST_FIRST if reading.signals else ())
    ]
    return [*reading.indicators, *columns, *pass_rates(bank, candidate)], spent


def pass_rates(bank: Sequence[Sample], candidate: Sequence[Sample]) -> list[Indicator]:
    """The fall of the pass rate, tested as the indicators are: per task, at their alpha."""
    before, after = _rates(bank), _rates(candidate)
    found = []
    for stratum in RAREST_FIRST:
        tasks = sorted(task for kind, task in before.keys() & after.keys() if kind is stratum)
        falls = [before[stratum, task] - after[stratum, task] for task in tasks]
        if falls:
            found.append(
                Indicator(
                    name=PASS_RATE,
                    method="sign flips of whole tasks",
                    value=fmean(after[stratum, task] for task in tasks),
                    baseline=fmean(before[stratum, task] for task in tasks),
                    p_value=clustered_rise(falls, tasks, rng=np.random.default_rng(1)).p_value,
                    alpha=0.001,
                    noise_floor=0.0,
                    clusters=len(tasks),
                    stratum=stratum,
                )
            )
    return found


def _rates(samples: Sequence[Sample]) -> Mapping[tuple[Stratum, str], float]:
    outcomes: dict[tuple[Stratum, str], list[bool]] = defaultdict(list)
    for sample in samples:
        if sample.passed is not None:
            outcomes[sample.stratum, sample.task_id].append(sample.passed)
    return {task: fmean(passed) for task, passed in outcomes.items()}


def false_warnings(
    found: Mapping[str, Sequence[Sequence[Indicator]]], *, depth: int | None
) -> list[FalseWarnings]:
    """Counts over re-samplings.

    Args:
        found: by indicator, what each re-sampling gave, one per stratum.
        depth: samples per task.
    """
    return [
        FalseWarnings(
            indicator=name,
            depth=depth,
            resamplings=len(turns),
            tests=sum(len(turn) for turn in turns),
            warned=sum(each.warns for turn in turns for each in turn),
            below_nominal=sum(each.p_value <= NOMINAL for turn in turns for each in turn),
        )
        for name, turns in found.items()
    ]


def by_name(turns: Sequence[Sequence[Indicator]]) -> dict[str, list[list[Indicator]]]:
    """What each re-sampling gave, by indicator."""
    found: dict[str, list[list[Indicator]]] = defaultdict(list)
    for turn in turns:
        for name in dict.fromkeys(each.name for each in turn):
            found[name].append([each for each in turn if each.name == name])
    return found


def trends(rows: Sequence[Row], generations: Sequence[str]) -> list[dict[str, Any]]:
    """Each indicator's trend towards collapse over the generations, the baseline's own value first."""
    series: dict[tuple[str, int | None, str], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        series[row.indicator, row.depth, row.stratum][row.checkpoint] = row
    found = []
    for (indicator, depth, stratum), known in series.items():
        if all(name in known for name in generations):
            values = [known[generations[0]].baseline, *(known[name].value for name in generations)]
            sign = -1.0 if indicator in FALLING else 1.0
            trend = rising([sign * value for value in values])
            found.append({"indicator": indicator, "depth": depth, "stratum": stratum, **asdict(trend)})
    return found


def equal(first_turn: Measurement, second_turn: Measurement) -> float:
    """Largest difference between two measurements of one checkpoint."""
    before = {reading.item: reading.value for reading in first_turn.readings}
    return max(abs(before[reading.item] - reading.value) for reading in second_turn.readings)
