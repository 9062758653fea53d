"""What a bank and a number of samples can show, before and after they are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from monitor.stats.bank import BankSummary, added_variance
from monitor.stats.boundaries import Lines, Step, thresholds
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
    scatter = bank.variance + added_variance(bank.rates, lines.margin)
    reachable = 1.0 / (scatter / most + bank.noise) if most else 0.0
    by_noise = math.ceil((scatter + bank.variance) * required / bank.tasks)
    by_minimum = math.ceil(minimum_samples / bank.tasks)
    return Feasibility(
        feasible=reachable >= required and most >= minimum_samples,
        reachable=reachable,
        required=required,
        required_depth=max(by_noise, by_minimum),
        by_minimum=by_minimum > by_noise,
    )


def samples_for(bank: BankSummary, information: float, *, added: float = 0.0) -> int | None:
    """Candidate samples that give this information uncoupled; None when the bank's noise forbids it.

    Inverts I = 1/[v/m + v/(n0·min(m, N))].

    >>> import numpy as np
    >>> bank = BankSummary(rates=np.full(100, 0.5), depths=np.full(100, 32.0), variance=0.25)
    >>> samples_for(bank, 389.0), samples_for(bank, 20_000.0)
    (101, None)

    Args:
        bank: the baseline's.
        information: that is wanted.
        added: variance that the candidate's samples have beyond the bank's v.
    """
    variance = bank.variance + added
    first_pass = information * (variance + bank.noise * bank.tasks)
    if first_pass <= bank.tasks:
        return math.ceil(first_pass)
    rest = 1.0 / information - bank.noise
    return math.ceil(variance / rest) if rest > 0.0 else None


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
    # STEADY rejects a drop by the margin, under which samples may scatter more.
    added = added_variance(bank.rates, lines.margin)
    tip = samples_for(bank, lines.tip, added=added)
    return SamplePlan(
        unchanged=_within(samples_for(bank, unchanged, added=added), most),
        dropped=_within(samples_for(bank, dropped), most),
        most=_within(tip, most),
    )


def _within(samples: int | None, most: int) -> int:
    return most if samples is None else min(samples, most)


def expected_more(lines: Lines, found: Estimate, worst: Estimate, samples: int) -> int:
    """Further samples until the nearer line, if the truth is the hypothesis on that side.

    >>> from monitor.stats.boundaries import design_lines
    >>> lines = design_lines(alpha=0.05, beta=0.10, margin=0.10)
    >>> found = Estimate(drop=0.0, information=200.0)
    >>> expected_more(lines, found, found, samples=50)
    67

    Args:
        lines: of the test.
        found: the drop by the samples so far, with the variance if there were none.
        worst: likewise if the drop were the margin.
        samples: so far.
    """
    unchanged, dropped = (
        Step(information=each.information, previous=each.information) for each in (found, worst)
    )
    at = thresholds(lines, unchanged=unchanged, dropped=dropped)
    gap = min(at.upper - found.drop, worst.drop - at.lower)
    approach = lines.margin - max(lines.upper_slope, lines.lower_slope)
    return max(1, math.ceil(samples * gap / approach))
