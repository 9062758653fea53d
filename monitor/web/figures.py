"""How figures are written on a page: what does not exist is n/a, never a zero."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from monitor.web.markup import Markup, element

MISSING = "n/a"


def ratio(value: float | None, *, signed: bool = False) -> str:
    """A share with three decimals, or n/a.

    >>> ratio(0.25), ratio(-0.1, signed=True), ratio(None)
    ('0.250', '-0.100', 'n/a')
    """
    if value is None:
        return MISSING
    return f"{value:+.3f}" if signed else f"{value:.3f}"


def interval(value: float | None, low: float | None, high: float | None, *, signed: bool = False) -> str:
    """A share with its interval.

    >>> interval(0.5, 0.4, 0.6)
    '0.500 [0.400, 0.600]'
    """
    if value is None or low is None or high is None:
        return ratio(value, signed=signed)
    return f"{ratio(value, signed=signed)} [{ratio(low, signed=signed)}, {ratio(high, signed=signed)}]"


def moment(when: datetime | None) -> str:
    """A time of day, UTC, or n/a."""
    return MISSING if when is None else f"{when:%Y-%m-%d %H:%M} UTC"


def badge(state: StrEnum) -> Markup:
    """A decision or finding in its colour."""
    return element("span", state.value, class_=f"badge {state.value}")
