"""Slow movement over a series of checkpoints: an exact test of order, and the slope that goes with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, combinations
from statistics import median

LONGEST = 60
"""Points of a series that are looked at, the newest ones: the exact distribution costs their cube."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Where a series of figures is heading."""

    slope: float
    """Typical change from one point to the next, in the figure's unit."""
    p_value: float
    """One-sided, of "the order of the points is chance" against "they rise"."""
    points: int


def rising(values: Sequence[float]) -> Trend:
    """Mann's test against a rise, exact, with the slope of Theil and Sen.

    S counts pairs that rise minus pairs that fall (Mann 1945). Were the order chance, the
    falling pairs of a series with ties would be distributed as the inversions of the arrangements of a
    multiset, whose generating function is [n]!/([m1]!·[m2]!·…) in q-factorials, m the sizes of the ties
    (MacMahon 1913): no normal approximation. The slope is the median of the slopes of all pairs
    (Sen 1968).

    >>> trend = rising([0.92, 0.95, 1.01, 1.04, 1.11])
    >>> round(trend.slope, 4), round(1 / trend.p_value)
    (0.0463, 120)
    >>> rising([1.0, 1.0, 1.0]).p_value
    1.0

    Args:
        values: one figure per checkpoint, oldest first; of more than ``LONGEST`` the newest.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError("a trend needs two values at least")
    recent = values[-LONGEST:]
    falls = sum(before > after for before, after in combinations(recent, 2))
    arrangements = inversions(list(Counter(recent).values()))
    slopes = [
        (recent[late] - recent[early]) / (late - early) for early, late in combinations(range(len(recent)), 2)
    ]
    p_value = Fraction(sum(arrangements[: falls + 1]), sum(arrangements))
    return Trend(slope=median(slopes), p_value=float(p_value), points=len(recent))


def spent_at(look: int) -> float:
    """Share of an error rate that may be spent at the look with this number, from 1 on.

    1/(k·(k + 1)): the shares of all looks there will ever be sum to 1, so that a series which is looked at
    after each new point warns by chance with no more than the whole rate, however long it grows (Bonferroni
    over the looks; Lan & DeMets 1983 for the spending of alpha). A true rise soon outruns it, since the
    least p-value of n points is 1/n!.

    >>> spent_at(1), spent_at(4)
    (0.5, 0.05)
    >>> round(sum(spent_at(look) for look in range(1, 10_000)), 3)
    1.0

    Raises:
        ValueError: there is no such look.
    """
    if look < 1:
        raise ValueError("looks are numbered from 1 on")
    return 1.0 / (look * (look + 1))


def inversions(multiplicities: Sequence[int]) -> list[int]:
    """Arrangements of a multiset by their number of inversions.

    >>> inversions([1, 1, 1])
    [1, 2, 2, 1]
    >>> inversions([2, 1])
    [1, 1, 1]
    """
    counts = _q_factorial(sum(multiplicities))
    for size in multiplicities:
        for factor in range(2, size + 1):
            counts = _divided(counts, factor)
    return counts


def _q_factorial(number: int) -> list[int]:
    counts = [1]
    for factor in range(2, number + 1):
        sums = [0, *accumulate(counts + [0] * (factor - 1))]
        counts = [sums[end] - sums[max(0, end - factor)] for end in range(1, len(sums))]
    return counts


def _divided(counts: Sequence[int], factor: int) -> list[int]:
    """The polynomial divided by 1 + q + … + q^(factor - 1), which divides it."""
    quotient: list[int] = []
    window = 0
    for position in range(len(counts) - factor + 1):
        quotient.append(counts[position] - window)
        window += quotient[position]
        if position >= factor - 1:
            window -= quotient[position - factor + 1]
    return quotient
