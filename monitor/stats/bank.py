"""What the baseline's bank says about one stratum: pass rates, spread, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

LEAST_VARIANCE = 0.02
"""No stratum is believed to scatter less than this, however uniform its few samples look."""
MOST_VARIANCE = 0.25
"""No outcome that passes or fails scatters more."""


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


def added_variance(rates: Floats, drop: float) -> float:
    """What a drop of the mean, the same share of every task's rate, adds to a sample's variance.

    With p become p·(1 - f), f = drop / mean(p), the mean of p(1 - p) grows by

        f·(2·mean(p²) - mean(p)) - f²·mean(p²).

    That is most where tasks are nearly sure to pass or to fail: samples that hardly scattered begin to.
    Never below 0, and 0 for a drop that the mean does not leave room for.

    >>> even, certain = np.full(4, 0.5), np.array([1.0, 1.0, 0.0, 0.0])
    >>> added_variance(even, 0.10), round(added_variance(certain, 0.10), 4)
    (0.0, 0.08)
    """
    mean, squares = float(rates.mean()), float(np.mean(rates**2))
    if mean <= drop:
        return 0.0
    lost = drop / mean
    return max(lost * (2.0 * squares - mean) - lost**2 * squares, 0.0)


def summarise(passes: Floats, samples: Floats) -> BankSummary:
    """Reduce a stratum's baseline outcomes, one entry per task, to a :class:`BankSummary`.

    v is the mean over the tasks of p_i(1 - p_i)·n_i/(n_i - 1), the unbiased binomial variance, never below
    :data:`LEAST_VARIANCE`. A single sample tells nothing of how its task scatters, which counts as the most
    there can be, 1/4.

    >>> bank = summarise(np.array([8.0, 4.0]), np.array([8.0, 8.0]))
    >>> round(bank.mean, 3), round(bank.variance, 4)
    (0.75, 0.1429)

    Args:
        passes: passed baseline samples per task.
        samples: scored baseline samples per task, at least 1 each.

    Raises:
        ValueError: no task, or counts that no sampling could give.
    """
    _check_counts(passes, samples)
    rates = passes / samples
    several = samples >= 2
    spread = np.full(len(samples), MOST_VARIANCE)
    spread[several] = rates[several] * (1.0 - rates[several]) * samples[several] / (samples[several] - 1.0)
    return BankSummary(rates=rates, depths=samples, variance=max(float(spread.mean()), LEAST_VARIANCE))


def _check_counts(passes: Floats, samples: Floats) -> None:
    if len(samples) == 0:
        raise ValueError("a bank needs at least one task")
    if passes.shape != samples.shape:
        raise ValueError("passes and samples must have one entry per task each")
    if not (np.all(samples >= 1) and np.all(passes >= 0) and np.all(passes <= samples)):
        raise ValueError("every task needs at least one sample and no more passes than samples")
