"""The families about outputs: signs of collapse and drifted columns, from the last decided evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric

from monitor.domain.drift import DriftReading, Indicator, Trend
from monitor.domain.evidence import DriftSignal
from monitor.domain.tasks import Stratum


class Compared(NamedTuple):
    """One checkpoint's reading with the label values of its series."""

    labels: tuple[str, ...]
    """Model, checkpoint, suite."""
    reading: DriftReading


class _OfIndicator(NamedTuple):
    name: str
    meaning: str
    read: Callable[[Indicator], float]


class _OfTrend(NamedTuple):
    name: str
    meaning: str
    read: Callable[[Trend], float]


class _OfSignal(NamedTuple):
    name: str
    meaning: str
    read: Callable[[DriftSignal], float]


_INDICATORS = (
    _OfIndicator("tailwatch_collapse_indicator", "A sign of model collapse.", lambda i: i.value),
    _OfIndicator(
        "tailwatch_collapse_indicator_baseline", "The same figure of the baseline.", lambda i: i.baseline
    ),
    _OfIndicator(
        "tailwatch_collapse_indicator_noise_floor",
        "Difference to the baseline that chance alone reaches.",
        lambda i: i.noise_floor,
    ),
    _OfIndicator(
        "tailwatch_collapse_indicator_warning",
        "1 where an unchanged model would hardly ever differ from the baseline like this, else 0.",
        lambda i: float(i.warns),
    ),
)

_TRENDS = (
    _OfTrend(
        "tailwatch_collapse_trend_slope",
        "Typical change of a sign towards collapse from one checkpoint to the next.",
        lambda t: t.slope,
    ),
    _OfTrend(
        "tailwatch_collapse_trend_p_value",
        "Chance that checkpoints in a random order look as much like a way to collapse.",
        lambda t: t.p_value,
    ),
)

_SIGNALS = (
    _OfSignal(
        "tailwatch_drift_score",
        "How unlike the baseline's a column of descriptors is; the method says which way it counts.",
        lambda s: s.score,
    ),
    _OfSignal(
        "tailwatch_drift_threshold", "Score from which on the column has drifted.", lambda s: s.threshold
    ),
    _OfSignal("tailwatch_drift_detected", "1 where the column has drifted, else 0.", lambda s: s.detected),
)

_SHARED = ("model", "checkpoint", "suite", "stratum")


def drift_families(compared: Sequence[Compared]) -> Iterator[Metric]:
    """Every family about outputs; what was not measured has no series."""
    for figure in _INDICATORS:
        family = GaugeMetricFamily(figure.name, figure.meaning, labels=(*_SHARED, "indicator"))
        for labels, reading in compared:
            for indicator in reading.indicators:
                values = (*labels, _label(indicator.stratum), indicator.name)
                family.add_metric(values, figure.read(indicator))
        yield family
    for aspect in _TRENDS:
        family = GaugeMetricFamily(aspect.name, aspect.meaning, labels=(*_SHARED, "indicator"))
        for labels, reading in compared:
            for trend in reading.trends:
                family.add_metric((*labels, _label(trend.stratum), trend.name), aspect.read(trend))
        yield family
    for column in _SIGNALS:
        family = GaugeMetricFamily(column.name, column.meaning, labels=(*_SHARED, "signal", "method"))
        for labels, reading in compared:
            for signal in reading.signals:
                values = (*labels, _label(signal.stratum), signal.signal, signal.method)
                family.add_metric(values, float(column.read(signal)))
        yield family


def _label(stratum: Stratum | None) -> str:
    return "" if stratum is None else stratum.value
