"""One group-sequential comparison: looks at growing samples until a line is reached."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.stats.bank import BankSummary
from monitor.stats.boundaries import (
    Lines,
    Step,
    Thresholds,
    least_drop,
    single_thresholds,
    thresholds,
)
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

    def narrowed(self, other: Interval, *, around: float) -> Interval:
        """What both allow, and the estimate in any case.

        >>> Interval(low=0.0, high=0.3).narrowed(Interval(low=-0.2, high=0.1), around=-0.05)
        Interval(low=-0.05, high=0.1)
        """
        return Interval(
            low=min(max(self.low, other.low), around), high=max(min(self.high, other.high), around)
        )


UNBOUNDED = Interval(low=-1.0, high=1.0)
"""What too few samples say about a drop: nothing."""


START = Step(information=0.0)
"""Before the first look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A sequential test and what it has seen so far; each look returns the next state."""

    lines: Lines
    minimum_samples: int = 0
    """A look at fewer decides nothing."""
    single: bool = False
    """Whether there is one look, at everything, instead of many."""
    unchanged: Step = START
    """Of the last look: information if there were no drop, which REGRESSED rejects."""
    dropped: Step = START
    """Of the last look: information if the drop were the margin, which STEADY rejects."""
    samples: int = 0
    """Of the last look."""
    coupling: Coupling = UNCOUPLED
    frozen: bool = False
    """Whether the coupling weight is settled."""
    estimate: Estimate | None = None
    """From the scored samples."""
    worst: Estimate | None = None
    """Likewise with every UNSCORED sample counted as failed, and the variance of a drop by the margin."""
    interval: Interval | None = None
    regressed_at: int | None = None
    """Sample count of the look that reached the upper line."""
    steady_at: int | None = None
    """Sample count of the look that reached the lower line."""
    improved: bool = False
    """Whether the interval at the deciding look lay wholly on the better side."""

    @property
    def contradicted(self) -> bool:
        """Whether all samples together put the drop beyond the margin that an early look ruled out."""
        if self.steady_at is None or self.worst is None:
            return False
        return self.worst.drop >= self.lines.margin

    @property
    def decided_at(self) -> int | None:
        """Sample count of the deciding look; None while open."""
        return self.regressed_at if self.regressed_at is not None else self.steady_at


def look(
    trial: Trial, bank: BankSummary, draws: Draws, *, coupled: bool, unscored: Draws | None = None
) -> Trial:
    """Look at all draws so far, of which there must be at least one.

    The coupling weight is fitted at the first look with enough samples and stays as it is from then
    on. After the deciding look, estimate and interval go on, the decision stays. A look at fewer than
    ``minimum_samples`` bounds nothing.

    >>> import numpy as np
    >>> from monitor.stats.boundaries import design_lines
    >>> bank = BankSummary(rates=np.full(100, 0.5), depths=np.full(100, 32.0), variance=0.25)
    >>> draws = Draws(task=np.arange(100), passed=np.repeat([1.0, 0.0], [30, 70]), twin=bank.rates)
    >>> trial = Trial(lines=design_lines(alpha=0.05, beta=0.10, margin=0.10))
    >>> look(trial, bank, draws, coupled=False).regressed_at
    100

    Args:
        trial: after the look before.
        bank: the baseline's.
        draws: the scored samples.
        coupled: whether twins are used.
        unscored: the samples without a result, as failed; STEADY and the interval's upper end must hold
            although they all were.
    """
    settled = _settle(trial, bank, draws) if coupled and not trial.frozen else trial
    weight, margin = settled.coupling.weight, trial.lines.margin
    found = estimate(bank, draws, weight=weight)
    several = [draws] if unscored is None or not unscored.count else [draws, draws.joined(unscored)]
    sides = [_against(trial, found, estimate(bank, each, weight=weight, supposed=margin)) for each in several]
    worst, at = max(sides, key=lambda side: side[0].drop + side[1].below)
    span = _interval(trial, draws.count, found, worst, at)
    seen = replace(
        settled,
        unchanged=_step(trial.unchanged, found),
        dropped=_step(trial.dropped, worst),
        samples=draws.count,
        estimate=found,
        worst=worst,
        interval=span,
    )
    if seen.decided_at is not None or draws.count < trial.minimum_samples:
        return seen
    if found.drop >= at.upper:
        return replace(seen, regressed_at=draws.count)
    if worst.drop <= at.lower:
        # A gain must be as sure as a drop, and the interval must say so.
        better = worst.drop <= -at.above and span.high < 0.0
        return replace(seen, steady_at=draws.count, improved=better)
    return seen


def _step(before: Step, found: Estimate) -> Step:
    """The step from the look before; information that was once reached stays."""
    return Step(
        information=found.information,
        previous=max(before.information, before.previous),
    )


def _against(trial: Trial, found: Estimate, worst: Estimate) -> tuple[Estimate, Thresholds]:
    """Where the lines stand if ``worst`` is what speaks against STEADY."""
    if trial.single:
        at = single_thresholds(trial.lines, unchanged=found.information, dropped=worst.information)
    else:
        unchanged, dropped = _step(trial.unchanged, found), _step(trial.dropped, worst)
        at = thresholds(trial.lines, unchanged=unchanged, dropped=dropped)
    return worst, at


def _interval(trial: Trial, samples: int, found: Estimate, worst: Estimate, at: Thresholds) -> Interval:
    if samples < trial.minimum_samples:
        return UNBOUNDED
    low = least_drop(found.drop, at.above, at.wider, trial.lines.margin)
    now = Interval(low=low, high=worst.drop + at.below)
    return (trial.interval or now).narrowed(now, around=found.drop)


def _settle(trial: Trial, bank: BankSummary, draws: Draws) -> Trial:
    if draws.count < COUPLING_SAMPLES:
        return trial
    return replace(trial, coupling=couple(bank, draws), frozen=True)
