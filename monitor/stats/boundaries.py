"""When a sequential comparison may stop: two straight lines that meet.

The score S (estimated drop times information) behaves like a Brownian motion whose drift is the
true drop (Jennison & Turnbull 2000, section 3.1). It is watched between

    REGRESSED   S >= a_u + c_u·I                    (a_u, c_u from alpha)
    STEADY      S <= margin·I - (a_l + c_l·I)       (a_l, c_l from beta)

A Brownian motion without drift ever crosses a + c·I with probability exp(-2ac) (Doob 1949, eq. 4.2),
so each line by itself keeps its error at any number of looks at any times, and turning it round
gives an interval that is valid at every look. Slopes of margin/2 would be Wald's test, which has
the fewest expected samples at no drop and at a drop of the margin, but no end; slopes of margin/4
are Lorden's 2-SPRT (1976), whose lines are those of Whitehead's triangular test and meet soonest. The
taper between the two is chosen by simulation: "The taper" in docs/statistics.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

TAPER = 0.10
"""Share by which both slopes stay below Wald's."""

OVERSHOOT = 0.583
"""Expected overshoot of a random walk over a boundary, in standard deviations of one step
(Siegmund 1985, chapter X); looks after whole waves are corrected by it (Whitehead 1997, section 4.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The two stopping lines of one test, in units of information and score."""

    alpha: float
    """Chance of REGRESSED without any drop, at most."""
    beta: float
    """Chance of STEADY at a drop of the margin, at most."""
    margin: float
    """The drop that matters, positive."""
    upper_intercept: float
    upper_slope: float
    lower_intercept: float
    lower_slope: float

    @property
    def tip(self) -> float:
        """Information at which the lines meet, where the test must have ended."""
        opening = self.upper_intercept + self.lower_intercept
        return opening / (self.margin - self.upper_slope - self.lower_slope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a test has come between two looks, in units of information."""

    information: float
    previous: float = 0.0
    """At the look before."""

    @property
    def overshoot(self) -> float:
        """What the score is expected to have gone beyond a line when it is seen there."""
        return OVERSHOOT * math.sqrt(max(self.information - self.previous, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where the lines stand at one look, as drops."""

    upper: float
    """REGRESSED at or above this estimate."""
    lower: float
    """STEADY at or below this estimate."""
    above: float
    """Half-width from the estimate down to no drop, where that is the least still credible."""
    below: float
    """Half-width from the estimate up to the largest drop still credible."""
    wider: float
    """Like ``above``, for a least drop of the margin or more, under which samples may scatter more."""


def design_lines(*, alpha: float, beta: float, margin: float, taper: float = TAPER) -> Lines:
    """Lines of a test with these error rates.

    >>> lines = design_lines(alpha=0.05, beta=0.10, margin=0.10)
    >>> round(lines.upper_intercept, 2), round(lines.upper_slope, 4), round(lines.tip)
    (33.29, 0.045, 5887)
    >>> round(math.exp(-2 * lines.upper_intercept * lines.upper_slope), 3)
    0.05

    Raises:
        ValueError: an error rate or margin outside (0, 1), or a taper outside (0, 0.5].
    """
    if not all(0.0 < figure < 1.0 for figure in (alpha, beta, margin)):
        raise ValueError("alpha, beta and margin must lie between 0 and 1")
    if not 0.0 < taper <= 0.5:
        raise ValueError("taper must lie in (0, 0.5]")
    slope = margin / 2.0 * (1.0 - taper)
    return Lines(
        alpha=alpha,
        beta=beta,
        margin=margin,
        upper_intercept=math.log(1.0 / alpha) / (2.0 * slope),
        upper_slope=slope,
        lower_intercept=math.log(1.0 / beta) / (2.0 * slope),
        lower_slope=slope,
    )


def thresholds(lines: Lines, *, unchanged: Step, dropped: Step) -> Thresholds:
    """Where the lines stand at one look.

    Each line is judged by the information that there is under the hypothesis it rejects: samples of a
    worse model may scatter more. Both are brought inwards by the expected overshoot of the step between
    the looks. Where a large step has carried them past each other, both stand in their middle: every
    estimate decides.

    >>> lines = design_lines(alpha=0.05, beta=0.10, margin=0.10)
    >>> step = Step(information=400.0, previous=300.0)
    >>> look = thresholds(lines, unchanged=step, dropped=step)
    >>> round(look.upper, 3), round(look.lower, 3)
    (0.114, 0.006)

    Args:
        lines: of the test.
        unchanged: information if there were no drop.
        dropped: information if the drop were the margin.
    """
    above = lines.upper_intercept + lines.upper_slope * unchanged.information - unchanged.overshoot
    below = lines.lower_intercept + lines.lower_slope * dropped.information - dropped.overshoot
    wider = lines.upper_intercept + lines.upper_slope * dropped.information - dropped.overshoot
    return _meeting(
        lines,
        above=above / unchanged.information,
        below=below / dropped.information,
        wider=wider / dropped.information,
    )


def single_thresholds(lines: Lines, *, unchanged: float, dropped: float) -> Thresholds:
    """The same where there is one look, at everything: normal quantiles at the lines' error rates.

    >>> lines = design_lines(alpha=0.05, beta=0.10, margin=0.10)
    >>> look = single_thresholds(lines, unchanged=400.0, dropped=400.0)
    >>> round(look.upper, 3), round(look.lower, 3)
    (0.082, 0.036)

    Args:
        lines: of the test, whose alpha, beta and margin count.
        unchanged: information if there were no drop.
        dropped: information if the drop were the margin.
    """
    above, below, wider = (
        -NormalDist().inv_cdf(rate) / math.sqrt(information)
        for rate, information in ((lines.alpha, unchanged), (lines.beta, dropped), (lines.alpha, dropped))
    )
    return _meeting(lines, above=above, below=below, wider=wider)


def least_drop(found: float, above: float, wider: float, margin: float) -> float:
    """The lower end of an interval whose half-width grows with the drop that it is to exclude.

    A drop of L is excluded where the estimate lies its half-width above it: ``above`` for no drop or a
    gain, ``wider`` for one of the margin or more, in proportion between. So 0 is excluded exactly where
    the test for no drop says so.

    >>> round(least_drop(0.14, 0.08, 0.10, 0.10), 3), round(least_drop(0.05, 0.08, 0.10, 0.10), 3)
    (0.05, -0.03)
    """
    if found <= above:
        return found - above
    between = (found - above) / (1.0 + (wider - above) / margin)
    return between if between < margin else found - wider


def _meeting(lines: Lines, *, above: float, below: float, wider: float) -> Thresholds:
    upper, lower = above, lines.margin - below
    if lower > upper:
        upper = lower = (upper + lower) / 2.0
    return Thresholds(upper=upper, lower=lower, above=above, below=below, wider=max(wider, above))
