"""What a bank and a number of samples can show, before and after they are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from monitor.stats.bank import BankSummary
from monitor.stats.boundaries import Lines, thresholds
from monitor.stats.difference import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """Whether a bank can carry a test to its end."""

    feasible: bool
    reachable: float
    """Information when every permitted sample has been drawn."""
    required: float
    """Information that a single look at the margin needs for the same error rates."""
    required_depth: int
    """Bank samples per task that would do, for this phase of the test."""
    by_minimum: bool
    """Whether it is the least number of samples of any decision that asks for that depth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """Candidate samples a test is expected to take."""

    unchanged: int
    """Expected when the candidate equals the baseline."""
    dropped: int
    """Expected when it is worse by the margin."""
    most: int
    """By then the lines have met, unless the candidate's samples scatter more than the bank's did; never
    more than the plan holds."""


def quantile(tail: float) -> float:
    """The point of the standard normal distribution with this probability above it.

    >>> round(quantile(0.05), 3)
    1.645
    """
    return -NormalDist().inv_cdf(tail)


def required_information(*, alpha: float, beta: float, delta: float) -> float:
    """Information with which one look shows a drop of delta (Jennison & Turnbull 2000, eq. 1.2).

    >>> round(required_information(alpha=0.05, beta=0.10, delta=0.10))
    856
    """
    return (quantile(alpha) + quantile(beta)) ** 2 / delta**2


def detectable_delta(*, alpha: float, beta: float, information: float) -> float:
    """Smallest drop that one look with this information shows with power 1 - beta.

    >>> round(detectable_delta(alpha=0.05, beta=0.10, information=856.4), 3)
    0.1
    """
    return (quantile(alpha) + quantile(beta)) / math.sqrt(information)


def feasibility(
    bank: BankSummary, lines: Lines, *, draws_per_task: int, minimum_samples: int = 0
) -> Feasibility:
    """Whether the bank, and so many candidate samples per task, can show the margin at all.

    Baseline noise puts a ceiling on information: n0·N/v however many samples the candidate gives. And no
    test is decided on fewer than ``minimum_samples``.

    >>> import numpy as np
    >>> from monitor.stats.boundaries import design_lines
    >>> bank = BankSummary(rates=np.full(20, 0.5), depths=np.full(20, 8.0), variance=0.25)
    >>> found = feasibility(bank, design_lines(alpha=0.05, beta=0.1, margin=0.1), draws_per_task=8)
    >>> found.feasible, found.required_depth
    (False, 22)
    """
    required = required_information(alpha=lines.alpha, beta=lines.beta, delta=lines.margin)
    most = draws_per_task * bank.tasks
    reachable = 1.0 / (bank.variance / most + bank.noise) if most else 0.0
    by_noise = math.ceil(2.0 * bank.variance * required / bank.tasks)
    by_minimum = math.ceil(minimum_samples / bank.tasks)
    return Feasibility(
        feasible=reachable >= required and most >= minimum_samples,
        reachable=reachable,
        required=required,
        required_depth=max(by_noise, by_minimum),
        by_minimum=by_minimum > by_noise,
    )


def samples_for(bank: BankSummary, information: float) -> int | None:
    """Candidate samples that give this information uncoupled; None when the bank's noise forbids it.

    Inverts I = 1/[v/m + v/(n0·min(m, N))].

    >>> import numpy as np
    >>> bank = BankSummary(rates=np.full(100, 0.5), depths=np.full(100, 32.0), variance=0.25)
    >>> samples_for(bank, 389.0), samples_for(bank, 20_000.0)
    (101, None)
    """
    first_pass = information * (bank.variance + bank.noise * bank.tasks)
    if first_pass <= bank.tasks:
        return math.ceil(first_pass)
    rest = 1.0 / information - bank.noise
    return math.ceil(bank.variance / rest) if rest > 0.0 else None


def plan_samples(bank: BankSummary, lines: Lines, *, draws_per_task: int) -> SamplePlan:
    """Samples the test will take without coupling, from Wald's approximations (1947, eq. A:72).

    >>> import numpy as np
    >>> from monitor.stats.boundaries import design_lines
    >>> bank = BankSummary(rates=np.full(200, 0.5), depths=np.full(200, 32.0), variance=0.15)
    >>> plan = plan_samples(bank, design_lines(alpha=0.05 / 3, beta=0.1, margin=0.1), draws_per_task=32)
    >>> plan.unchanged, plan.dropped
    (68, 104)
    """
    most = draws_per_task * bank.tasks
    up, down = math.log((1.0 - lines.beta) / lines.alpha), math.log((1.0 - lines.alpha) / lines.beta)
    scale = 2.0 / lines.margin**2
    unchanged = scale * ((1.0 - lines.alpha) * down - lines.alpha * up)
    dropped = scale * ((1.0 - lines.beta) * up - lines.beta * down)
    tip = samples_for(bank, lines.tip)
    return SamplePlan(
        unchanged=_within(samples_for(bank, unchanged), most),
        dropped=_within(samples_for(bank, dropped), most),
        most=_within(tip, most),
    )


def _within(samples: int | None, most: int) -> int:
    return most if samples is None else min(samples, most)


def expected_more(lines: Lines, found: Estimate, samples: int) -> int:
    """Further samples until the nearer line, if the truth is the hypothesis on that side.

    >>> from monitor.stats.boundaries import design_lines
    >>> lines = design_lines(alpha=0.05, beta=0.10, margin=0.10)
    >>> expected_more(lines, Estimate(drop=0.0, information=200.0), samples=50)
    67
    """
    at = thresholds(lines, information=found.information, previous=found.information)
    gap = min(at.upper - found.score, found.score - at.lower)
    approach = lines.margin - max(lines.upper_slope, lines.lower_slope)
    return max(1, math.ceil(samples * gap / approach / found.information))
