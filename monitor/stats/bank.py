"""What the baseline's bank says about one stratum: pass rates, spread, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

LEAST_VARIANCE = 0.02
"""No stratum is believed to scatter less than this, however uniform its few samples look."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BankSummary:
    """The baseline's samples of one stratum, reduced to what the tests need."""

    rates: Floats
    """Pass rate p_i of each task, 0 to 1."""
    depths: Floats
    """Scored baseline samples n_i behind each rate."""
    variance: float
    """v: mean variance of one sample about its task's pass probability."""

    @property
    def tasks(self) -> int:
        """Number of tasks N."""
        return len(self.rates)

    @property
    def mean(self) -> float:
        """Mean pass rate over the tasks."""
        return float(self.rates.mean())

    @property
    def noise(self) -> float:
        """sigma_B squared: variance of :attr:`mean` about the true mean over these tasks."""
        return float(self.variance * np.mean(1.0 / self.depths) / self.tasks)


def added_variance(mean: float, margin: float) -> float:
    """What a drop by the margin, even over tasks with this mean rate, adds to a sample's variance.

    The mean of p(1 - p) moves by margin·(2·mean - 1) - margin². Half of it is taken: what stands midway
    between "unchanged" and "worse by the margin", the two that a test has to tell apart.

    >>> round(added_variance(0.75, 0.10), 4), added_variance(0.4, 0.10)
    (0.02, 0.0)
    """
    return max(margin * (2.0 * mean - 1.0) - margin**2, 0.0) / 2.0


def least_variance(margin: float) -> float:
    """The smallest sample variance that a test at this margin may assume: that of tasks never failed.

    It keeps the count of samples behind a "steady" near the exact binomial one, which asks for no
    failure in ln(1/beta)/margin samples.

    >>> round(least_variance(0.10), 4)
    0.045
    >>> least_variance(0.01)
    0.02
    """
    return max(LEAST_VARIANCE, added_variance(1.0, margin))


def summarise(passes: Floats, samples: Floats, *, margin: float) -> BankSummary:
    """Reduce a stratum's baseline outcomes, one entry per task, to a :class:`BankSummary`.

    v is the mean of p_i(1 - p_i)·n_i/(n_i - 1) over tasks with at least two samples (the unbiased
    binomial variance), never below :func:`least_variance`.

    >>> bank = summarise(np.array([8.0, 4.0]), np.array([8.0, 8.0]), margin=0.10)
    >>> round(bank.mean, 3), round(bank.variance, 4)
    (0.75, 0.1429)

    Args:
        passes: passed baseline samples per task.
        samples: scored baseline samples per task, at least 1 each.
        margin: the difference that matters.

    Raises:
        ValueError: no task, or counts that no sampling could give.
    """
    _check_counts(passes, samples)
    rates = passes / samples
    several = samples >= 2
    spread = rates[several] * (1.0 - rates[several]) * samples[several] / (samples[several] - 1.0)
    variance = float(spread.mean()) if several.any() else 0.25
    return BankSummary(rates=rates, depths=samples, variance=max(variance, least_variance(margin)))


def _check_counts(passes: Floats, samples: Floats) -> None:
    if len(samples) == 0:
        raise ValueError("a bank needs at least one task")
    if passes.shape != samples.shape:
        raise ValueError("passes and samples must have one entry per task each")
    if not (np.all(samples >= 1) and np.all(passes >= 0) and np.all(passes <= samples)):
        raise ValueError("every task needs at least one sample and no more passes than samples")
