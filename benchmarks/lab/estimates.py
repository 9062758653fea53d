"""Pass rates with standard errors that respect tasks: samples of one task are not independent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRate:
    """A pass rate and its task-clustered standard error."""

    rate: float  # 0 to 1
    error: float  # standard error, tasks drawn anew
    sampling_error: float  # standard error on these fixed tasks, samples drawn anew


def mean_rate(rates: Sequence[float], samples: int) -> PassRate:
    """Return the mean of per-task pass rates, every task counting the same.

    >>> mean_rate([1.0, 0.0, 1.0, 0.0], samples=1).rate
    0.5
    """
    return weighted_rate(rates, [1 / len(rates)] * len(rates), samples)


def weighted_rate(rates: Sequence[float], weights: Sequence[float], samples: int) -> PassRate:
    """Return the mean of per-task pass rates under ``weights``, which sum to 1.

    The clustered error is the linearised one for a weighted mean, with a task as the cluster (Miller 2024,
    arXiv 2411.00640, section 2.2); the sampling error counts only the binomial noise within tasks.
    """
    count = len(rates)
    mean = sum(weight * rate for weight, rate in zip(weights, rates, strict=True))
    between = sum((weight * (rate - mean)) ** 2 for weight, rate in zip(weights, rates, strict=True))
    correction = count / (count - 1) if count > 1 else 1.0
    within = sum(
        weight**2 * rate * (1 - rate) / max(1, samples - 1)
        for weight, rate in zip(weights, rates, strict=True)
    )
    return PassRate(rate=mean, error=math.sqrt(between * correction), sampling_error=math.sqrt(within))


def traffic_weights(families: Sequence[str], frequency: Mapping[str, float]) -> list[float]:
    """Return each task's share of the traffic: its family's share, split over the tasks of that family.

    >>> traffic_weights(["a", "a", "b"], {"a": 0.8, "b": 0.2})
    [0.4, 0.4, 0.2]
    """
    total = sum(frequency[family] for family in set(families))
    return [frequency[family] / total / families.count(family) for family in families]
