"""Values as Grafana writes them, for the units that the boards use."""

from __future__ import annotations

from collections.abc import Callable

from grafana.pictures.boards import Undrawable

DURATIONS = ((86400.0, "days"), (3600.0, "hours"), (60.0, "mins"), (1.0, "s"))
MAGNITUDES = ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K"))


def written(value: float, unit: str, *, now_s: float) -> str:
    """A value in its unit.

    Raises:
        Undrawable: the unit is unknown here.

    >>> written(-0.1234, "percentunit", now_s=0), written(5400, "s", now_s=0), written(3267, "short", now_s=0)
    ('-12.3%', '1.5 hours', '3.27 K')
    """
    if unit == "dateTimeFromNow":
        return f"{_duration(now_s - value / 1000)} ago"
    if unit not in _WRITERS:
        raise Undrawable(f"The unit {unit}: write it in grafana/pictures/units.py.")
    return _WRITERS[unit](value)


def writer(unit: str, *, now_s: float) -> Callable[[float], str]:
    """What writes the values of a panel."""
    return lambda value: written(value, unit, now_s=now_s)


def _digits(value: float) -> str:
    """Three significant digits, but never less than the whole number."""
    if abs(value) < 1e-9:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.1e}"


def _short(value: float) -> str:
    for size, name in MAGNITUDES:
        if abs(value) >= size:
            return f"{_digits(value / size)}{name}"
    return _digits(value)


def _duration(seconds: float) -> str:
    for size, name in DURATIONS:
        if abs(seconds) >= size:
            return f"{_digits(seconds / size)} {name}"
    return f"{_digits(seconds * 1000)} ms" if seconds else "0 s"


_WRITERS: dict[str, Callable[[float], str]] = {
    "none": _digits,
    "percentunit": lambda value: f"{_digits(value * 100)}%",
    "percent": lambda value: f"{_digits(value)}%",
    "s": _duration,
    "short": _short,
    "cps": lambda value: f"{_short(value)} c/s",
}
