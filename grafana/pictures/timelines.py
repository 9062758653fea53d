"""Time series as lines over the board's range, with thresholds and marks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from grafana.pictures.answers import Answer, Moment, Series, Span
from grafana.pictures.axes import SIZE, Scale, scaled, with_legend
from grafana.pictures.boards import Panel
from grafana.pictures.colours import FAINT, GRID, of_field, shade
from grafana.pictures.svg import Box, element, line, text
from grafana.pictures.units import writer

EVERY = (1, 5, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800)
"""Seconds between labels of the axis of time."""
LABEL_WIDTH = 90.0
FOOT = 20.0


def drawn_lines(
    panel: Panel, answers: Sequence[Answer], box: Box, span: Span, moments: Sequence[Moment]
) -> str:
    """The panel's series."""
    series = [each for answer in answers for each in answer.series]
    inks = [of_field(panel.looks, each.name, place) for place, each in enumerate(series)]
    room, legend = with_legend(box, list(zip([each.name for each in series], inks, strict=True)))
    values = [value for each in series for _, value in each.points if math.isfinite(value)]
    scale, axis = scaled(values, room, writer(panel.looks.unit, now_s=span.end_s), below=FOOT)
    across = _across(scale.box, span)
    drawn = [axis, _times(scale.box, span, across)]
    drawn += [
        line(
            (across(each.at_s), scale.box.y),
            (across(each.at_s), scale.box.bottom),
            shade(each.mark.colour),
            stroke_dasharray="4 3",
        )
        for each in moments
    ]
    if panel.looks.custom.get("thresholdsStyle", {}).get("mode", "off") != "off":
        drawn += [
            line(
                (scale.box.x, scale.y(begin)),
                (scale.box.right, scale.y(begin)),
                shade(colour),
                stroke_dasharray="8 5",
            )
            for begin, colour in panel.looks.steps
            if begin is not None and scale.low <= begin <= scale.high
        ]
    bridged_s = float(panel.looks.custom.get("spanNulls", 0)) / 1000
    stepped = panel.looks.custom.get("lineInterpolation") == "stepAfter"
    for each, ink in zip(series, inks, strict=True):
        path = _path(each, scale, across, gap_s=max(1.5 * span.step_s, bridged_s), stepped=stepped)
        drawn.append(element("path", d=path, fill="none", stroke=ink, stroke_width=2))
    return "".join(drawn) + legend


def _across(box: Box, span: Span) -> Callable[[float], float]:
    return lambda at_s: box.x + (at_s - span.begin_s) / (span.end_s - span.begin_s) * box.w


def _times(box: Box, span: Span, across: Callable[[float], float]) -> str:
    length_s = span.end_s - span.begin_s
    every_s = next((each for each in EVERY if length_s / each * LABEL_WIDTH <= box.w), EVERY[-1])
    form = "%H:%M:%S" if every_s < 60 else "%H:%M" if length_s <= 86400 else "%d %b %H:%M"
    drawn = []
    at_s = math.ceil(span.begin_s / every_s) * every_s
    while at_s <= span.end_s:
        x = across(at_s)
        label = datetime.fromtimestamp(at_s, UTC).strftime(form)
        drawn.append(line((x, box.y), (x, box.bottom), GRID))
        if box.x + 20 < x < box.right - 10:
            drawn.append(text(label, x, box.bottom + 15, size=SIZE, ink=FAINT, anchor="middle"))
        at_s += every_s
    return "".join(drawn)


def _path(
    series: Series, scale: Scale, across: Callable[[float], float], *, gap_s: float, stepped: bool
) -> str:
    steps: list[str] = []
    before_s, y_before = -math.inf, 0.0
    for at_s, value in series.points:
        if not math.isfinite(value):
            continue
        x, y = across(at_s), scale.y(value)
        if at_s - before_s > gap_s:
            steps.append(f"M{x:.1f} {y:.1f}h1")
        else:
            steps.append(f"L{x:.1f} {y_before:.1f}V{y:.1f}" if stepped else f"L{x:.1f} {y:.1f}")
        before_s, y_before = at_s, y
    return "".join(steps)
