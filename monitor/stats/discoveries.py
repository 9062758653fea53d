"""Many tests at once, and how many of their alarms may be false."""

from __future__ import annotations

from collections.abc import Sequence


def discovery_threshold(p_values: Sequence[float], rate: float) -> float:
    """The p-value up to which tests are called discoveries, at most this share of them false on average.

    The largest p(i) with p(i) <= i·rate/m (Benjamini & Hochberg 1995, section 3.1), valid for independent and
    positively dependent tests. Where none is that small it is rate/m, so that it can always be shown.

    >>> discovery_threshold([0.01, 0.02, 0.5], 0.05)
    0.02
    >>> discovery_threshold([0.2, 0.6], 0.05)
    0.025
    """
    if not p_values:
        return rate
    least = rate / len(p_values)
    small = [p for rank, p in enumerate(sorted(p_values), start=1) if p <= rank * least]
    return max(small, default=least)
