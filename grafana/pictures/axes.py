"""What charts have in common: an axis of values with its grid, a legend, and the room that is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grafana.pictures.colours import FAINT, GRID, INK
from grafana.pictures.svg import Box, line, rectangle, shortened, text, width

SIZE = 11.0
LEGEND_LINE = 17.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis of values beside a box."""

    low: float
    high: float
    ticks: tuple[float, ...]
    box: Box

    def y(self, value: float) -> float:
        """Where a value lies."""
        return self.box.bottom - (value - self.low) / (self.high - self.low) * self.box.h


def ticks(low: float, high: float, *, about: int = 5) -> tuple[float, ...]:
    """Round values that cover a range.

    >>> ticks(-0.23, 0.04)
    (-0.3, -0.2, -0.1, 0.0, 0.1)
    """
    if high <= low:
        low, high = (min(low, 0.0), max(high, 0.0)) if low else (0.0, 1.0)
    rough = (high - low) / about
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(size * magnitude for size in (1, 2, 5, 10) if size * magnitude >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(place * step, 12) for place in range(first, last + 1))


def scaled(
    values: Sequence[float], box: Box, write: Callable[[float], str], *, below: float
) -> tuple[Scale, str]:
    """A scale that covers the values inside a box, with the drawing of its axis and grid.

    Args:
        values: what must be covered.
        box: where chart and axis lie.
        write: writes a value with its unit.
        below: pixels to be left free below for the other axis.
    """
    marks = ticks(min(values), max(values))
    labels = [write(mark) for mark in marks]
    left = max(width(label, SIZE) for label in labels) + 8
    inner = Box(x=box.x + left, y=box.y + 6, w=box.w - left - 6, h=box.h - 6 - below)
    scale = Scale(low=marks[0], high=marks[-1], ticks=marks, box=inner)
    drawn = [
        line((inner.x, scale.y(mark)), (inner.right, scale.y(mark)), FAINT if mark == 0 else GRID)
        + text(label, inner.x - 6, scale.y(mark) + 4, size=SIZE, ink=FAINT, anchor="end")
        for mark, label in zip(marks, labels, strict=True)
    ]
    return scale, "".join(drawn)


def with_legend(box: Box, entries: Sequence[tuple[str, str]]) -> tuple[Box, str]:
    """The room above a legend of (name, colour) at the box's foot, and the legend's drawing."""
    lines: list[list[tuple[str, str]]] = [[]]
    taken = 0.0
    for name, colour in entries:
        shown = shortened(name, box.w - 24, SIZE)
        needs = width(shown, SIZE) + 30
        if lines[-1] and taken + needs > box.w:
            lines.append([])
            taken = 0.0
        lines[-1].append((shown, colour))
        taken += needs
    room = Box(x=box.x, y=box.y, w=box.w, h=box.h - LEGEND_LINE * len(lines) - 4)
    drawn = []
    for number, entries_ in enumerate(lines):
        x, y = box.x + 4, room.bottom + 4 + LEGEND_LINE * (number + 0.75)
        for name, colour in entries_:
            drawn.append(rectangle(Box(x=x, y=y - 6, w=14, h=4), colour, rx=2))
            drawn.append(text(name, x + 19, y, size=SIZE, ink=INK))
            x += width(name, SIZE) + 30
    return room, "".join(drawn)
