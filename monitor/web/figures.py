"""How figures are written on a page: what does not exist is n/a, never a zero."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from monitor.web.markup import Markup, element, join

MISSING = "n/a"


def ratio(value: float | None, *, signed: bool = False) -> str:
    """A share with three decimals, or n/a.

    >>> ratio(0.25), ratio(-0.1, signed=True), ratio(None)
    ('0.250', '-0.100', 'n/a')
    """
    if value is None:
        return MISSING
    return f"{value:+.3f}" if signed else f"{value:.3f}"


def interval(value: float | None, low: float | None, high: float | None, *, signed: bool = False) -> Markup:
    """A share with its interval below it.

    >>> interval(0.5, 0.4, 0.6)
    '0.500<br><span class="bounds">[0.400, 0.600]</span>'
    """
    if value is None or low is None or high is None:
        return join(ratio(value, signed=signed))
    bounds = f"[{ratio(low, signed=signed)}, {ratio(high, signed=signed)}]"
    return join(ratio(value, signed=signed), Markup("<br>"), element("span", bounds, class_="bounds"))


def moment(when: datetime | None) -> Markup:
    """A time of day, UTC, or n/a."""
    return element("span", MISSING if when is None else f"{when:%Y-%m-%d %H:%M} UTC", class_="moment")


def badge(state: StrEnum) -> Markup:
    """A decision or finding in its colour."""
    return element("span", state.value, class_=f"badge {state.value}")
