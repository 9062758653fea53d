"""One group-sequential comparison: looks at growing samples until a line is reached."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.stats.bank import BankSummary
from monitor.stats.boundaries import Lines, thresholds
from monitor.stats.difference import (
    COUPLING_SAMPLES,
    UNCOUPLED,
    Coupling,
    Draws,
    Estimate,
    couple,
    estimate,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of the drop that hold at all looks together: ``low`` but for alpha, ``high`` but for beta."""

    low: float
    high: float

    def narrowed(self, other: Interval) -> Interval:
        """What both allow; the later one alone where they do not meet."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Interval(low=low, high=high) if low <= high else other


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A sequential test and what it has seen so far; each look returns the next state."""

    lines: Lines
    minimum_samples: int = 0
    """A look at fewer decides nothing."""
    information: float = 0.0
    """Of the last look."""
    samples: int = 0
    """Of the last look."""
    coupling: Coupling = UNCOUPLED
    frozen: bool = False
    """Whether the coupling weight is settled."""
    estimate: Estimate | None = None
    interval: Interval | None = None
    regressed_at: int | None = None
    """Sample count of the look that reached the upper line."""
    steady_at: int | None = None
    """Sample count of the look that reached the lower line."""
    improved: bool = False
    """Whether the interval at the deciding look lay wholly on the better side."""

    @property
    def decided_at(self) -> int | None:
        """Sample count of the deciding look; None while open."""
        return self.regressed_at if self.regressed_at is not None else self.steady_at


def look(trial: Trial, bank: BankSummary, draws: Draws, *, coupled: bool) -> Trial:
    """Look at all draws so far, of which there must be at least one.

    The coupling weight is fitted at the first look with enough samples and stays as it is from then
    on. After the deciding look, estimate and interval go on, the decision stays.

    >>> import numpy as np
    >>> from monitor.stats.boundaries import design_lines
    >>> bank = BankSummary(rates=np.full(100, 0.5), depths=np.full(100, 32.0), variance=0.25)
    >>> draws = Draws(task=np.arange(100), passed=np.repeat([1.0, 0.0], [30, 70]), twin=bank.rates)
    >>> trial = Trial(lines=design_lines(alpha=0.05, beta=0.10, margin=0.10))
    >>> look(trial, bank, draws, coupled=False).regressed_at
    100
    """
    settled = _settle(trial, bank, draws) if coupled and not trial.frozen else trial
    weight = settled.coupling.weight
    found = estimate(bank, draws, weight=weight, margin=trial.lines.margin)
    at = thresholds(trial.lines, information=found.information, previous=trial.information)
    interval = Interval(
        low=found.drop - at.above / found.information, high=found.drop + at.below / found.information
    )
    seen = replace(
        settled,
        information=max(found.information, trial.information),
        samples=draws.count,
        estimate=found,
        interval=interval if trial.interval is None else trial.interval.narrowed(interval),
    )
    if seen.decided_at is not None or draws.count < trial.minimum_samples:
        return seen
    if found.score >= at.upper:
        return replace(seen, regressed_at=draws.count)
    if found.score <= at.lower:
        return replace(seen, steady_at=draws.count, improved=found.score <= -at.above)
    return seen


def _settle(trial: Trial, bank: BankSummary, draws: Draws) -> Trial:
    if draws.count < COUPLING_SAMPLES:
        return trial
    return replace(trial, coupling=couple(bank, draws), frozen=True)
