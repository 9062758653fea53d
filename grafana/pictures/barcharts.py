"""Groups of bars, side by side or stacked to a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from grafana.pictures.answers import Span
from grafana.pictures.axes import SIZE, Scale, scaled, with_legend
from grafana.pictures.boards import Panel
from grafana.pictures.colours import FAINT, INK, of_field
from grafana.pictures.frames import Cell, Frame
from grafana.pictures.svg import Box, rectangle, shortened, text, width
from grafana.pictures.units import writer

FOOT, HEAD = 22.0, 12.0
GROUP, BAR = 0.7, 0.97
"""Shares of the room that groups and bars take, as Grafana's defaults."""

Row = Mapping[str, Cell]


def drawn_bars(panel: Panel, frame: Frame, box: Box, span: Span) -> str:
    """One group per row, one bar per column beside the one that names the rows."""
    groups, *names = frame.columns
    inks = {name: of_field(panel.looks, name, place) for place, name in enumerate(names)}
    room, legend = with_legend(box, list(inks.items()))
    room = Box(x=room.x, y=room.y + HEAD, w=room.w, h=room.h - HEAD)
    stacked = panel.options.get("stacking") == "percent"
    write = writer("percentunit" if stacked else panel.looks.unit, now_s=span.end_s)
    values = [float(row[name]) for row in frame.rows for name in names if name in row]
    # Bars that go down have their labels below them.
    low = min(0.0, *values) * 1.15
    scale, axis = scaled([0.0, 1.0] if stacked else [low, 0.0, *values], room, write, below=FOOT)
    drawn = [axis]
    each_w = scale.box.w / len(frame.rows)
    for place, row in enumerate(frame.rows):
        slot = Box(x=scale.box.x + place * each_w, y=scale.box.y, w=each_w, h=scale.box.h)
        label = shortened(str(row[groups]), each_w - 4, SIZE)
        middle = slot.x + slot.w / 2
        drawn.append(text(label, middle, scale.box.bottom + 15, size=SIZE, ink=FAINT, anchor="middle"))
        drawn.append(_stack(row, inks, slot, scale) if stacked else _group(row, inks, slot, scale, write))
    return "".join(drawn) + legend


def _group(row: Row, inks: Mapping[str, str], slot: Box, scale: Scale, write: Callable[[float], str]) -> str:
    bar_w = slot.w * GROUP / len(inks)
    drawn = []
    # All values of a group are written or none, so that a missing one does not seem to be different.
    labelled = all(width(write(float(row[name])), SIZE - 1) <= bar_w for name in inks if name in row)
    for place, (name, ink) in enumerate(inks.items()):
        if name not in row:
            continue
        value = float(row[name])
        top, bottom = sorted((scale.y(value), scale.y(0.0)))
        x = slot.x + slot.w * (1 - GROUP) / 2 + place * bar_w
        drawn.append(rectangle(Box(x=x, y=top, w=bar_w * BAR, h=max(bottom - top, 1)), ink))
        if labelled:
            y = top - 3 if value >= 0 else bottom + 10
            drawn.append(text(write(value), x + bar_w / 2, y, size=SIZE - 1, ink=INK, anchor="middle"))
    return "".join(drawn)


def _stack(row: Row, inks: Mapping[str, str], slot: Box, scale: Scale) -> str:
    counted = {name: float(row[name]) for name in inks if name in row}
    whole = sum(counted.values()) or 1.0
    levels = [0.0]
    for value in counted.values():
        levels.append(levels[-1] + value / whole)
    x, bar_w = slot.x + slot.w * (1 - GROUP) / 2, slot.w * GROUP
    drawn = []
    for name, (low, high) in zip(counted, pairwise(levels), strict=True):
        area = Box(x=x, y=scale.y(high), w=bar_w, h=scale.y(low) - scale.y(high))
        drawn.append(rectangle(area, inks[name]))
        if area.h >= SIZE + 3:
            label, y = f"{high - low:.0%}", area.y + area.h / 2 + 4
            drawn.append(text(label, x + bar_w / 2, y, size=SIZE - 1, ink="#ffffff", anchor="middle"))
    return "".join(drawn)
