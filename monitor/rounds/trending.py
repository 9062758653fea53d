"""Slow movement of the signs of collapse over the checkpoints that were weighed against one baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from monitor.domain.drift import FALLING, DriftReading, Indicator, Trend
from monitor.domain.evaluation import Evaluation, Purpose, State
from monitor.domain.tasks import Stratum
from monitor.ports import Store
from monitor.stats.trend import LONGEST, rising, spent_at

FEWEST = 4
"""Checkpoints; the order of fewer is often enough a rise by chance."""

Place = tuple[str, Stratum | None]
"""An indicator of a stratum."""


def trends_at(store: Store, evaluation: Evaluation, reading: DriftReading) -> tuple[Trend, ...]:
    """Where each indicator of an evaluation's reading is heading.

    Args:
        store: holds the earlier readings.
        evaluation: the newest one.
        reading: its own.

    Raises:
        StoreTrouble: they could not be read.
    """
    before = _before(store, evaluation)
    readings = [store.drift(each) for each in before[-LONGEST:]]
    known = [*(each for each in readings if each is not None), reading]
    return heading(known, passed_over=max(len(before) - LONGEST, 0))


def heading(readings: Sequence[DriftReading], *, passed_over: int = 0) -> tuple[Trend, ...]:
    """The trends of the last reading's indicators, the readings being in the order of their checkpoints.

    Differences to the baseline are followed, since early decisions look at other tasks each time. Each
    indicator's alpha is that of its whole series: a look spends a share of it.

    Args:
        readings: the newest ones.
        passed_over: older ones, which the series was looked at with.
    """
    series: dict[Place, list[float]] = defaultdict(list)
    for reading in readings:
        for indicator in reading.indicators:
            series[_place(indicator)].append(_towards_collapse(indicator))
    latest = readings[-1].indicators
    return tuple(_trends(latest, series, passed_over))


def _trends(
    latest: Iterable[Indicator], series: dict[Place, list[float]], passed_over: int
) -> Iterable[Trend]:
    for indicator in latest:
        values = series[_place(indicator)]
        if len(values) >= FEWEST:
            found = rising(values)
            yield Trend(
                name=indicator.name,
                stratum=indicator.stratum,
                slope=found.slope,
                p_value=found.p_value,
                alpha=indicator.alpha * spent_at(passed_over + len(values) - FEWEST + 1),
                points=found.points,
            )


def _before(store: Store, evaluation: Evaluation) -> list[str]:
    """Evaluations of other checkpoints against the same baseline, one of each, oldest first."""
    key = evaluation.key
    found = {
        each.key.checkpoint: each.key.evaluation_id
        for each in store.evaluations(key.model)
        if each.key.purpose is Purpose.CANDIDATE
        and each.state is State.DECIDED
        and (each.key.baseline, each.key.suite, each.key.plan) == (key.baseline, key.suite, key.plan)
        and each.key.checkpoint != key.checkpoint
        and each.created_at < evaluation.created_at
    }
    return list(found.values())


def _place(indicator: Indicator) -> Place:
    return indicator.name, indicator.stratum


def _towards_collapse(indicator: Indicator) -> float:
    return -indicator.difference if indicator.name in FALLING else indicator.difference
