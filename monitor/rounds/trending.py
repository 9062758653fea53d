"""Slow movement of the signs of collapse over the checkpoints that were weighed against one baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from monitor.domain.drift import FALLING, DriftReading, Indicator, Trend
from monitor.domain.evaluation import Evaluation, Purpose, State
from monitor.domain.tasks import Stratum
from monitor.ports import Store
from monitor.stats.trend import LONGEST, rising

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
    readings = [store.drift(each) for each in _before(store, evaluation)]
    return heading([*(each for each in readings if each is not None), reading])


def heading(readings: Sequence[DriftReading]) -> tuple[Trend, ...]:
    """The trends of the last reading's indicators, the readings being in the order of their checkpoints.

    Differences to the baseline are followed, since early decisions look at other tasks each time.
    """
    series: dict[Place, list[float]] = defaultdict(list)
    for reading in readings:
        for indicator in reading.indicators:
            series[_place(indicator)].append(_towards_collapse(indicator))
    latest = readings[-1].indicators
    return tuple(_trends(latest, series))


def _trends(latest: Iterable[Indicator], series: dict[Place, list[float]]) -> Iterable[Trend]:
    for indicator in latest:
        values = series[_place(indicator)]
        if len(values) >= FEWEST:
            found = rising(values)
            yield Trend(
                name=indicator.name,
                stratum=indicator.stratum,
                slope=found.slope,
                p_value=found.p_value,
                alpha=indicator.alpha,
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
    return list(found.values())[-LONGEST:]


def _place(indicator: Indicator) -> Place:
    return indicator.name, indicator.stratum


def _towards_collapse(indicator: Indicator) -> float:
    return -indicator.difference if indicator.name in FALLING else indicator.difference
