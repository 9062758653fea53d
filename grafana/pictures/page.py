"""A board as one HTML page: every panel at its place in the grid, drawn from what its queries returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from grafana.pictures.answers import Answer, Answers, Moment, Span
from grafana.pictures.barcharts import drawn_bars
from grafana.pictures.boards import Board, Panel, PanelKind
from grafana.pictures.colours import BORDER, FAINT, INK, PAPER
from grafana.pictures.figures import drawn_figure, drawn_table
from grafana.pictures.frames import table_of
from grafana.pictures.svg import Box, element, rectangle, shortened, text
from grafana.pictures.timelines import drawn_lines

COLUMN, ROW, GAP = 60.0, 38.0, 8.0
"""Pixels of a cell of the grid and between panels; rows are as high as Grafana's."""
MARGIN, TOP = 12.0, 92.0
WIDTH = 24 * COLUMN + 2 * MARGIN
NOTICE = "Approximation drawn by Tailwatch from real query results; Grafana's own rendering differs."
TITLE_SIZE = 13.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A drawn board."""

    html: str
    width: int
    height: int
    """In pixels."""
    empty: tuple[str, ...]
    """Titles of the panels whose queries returned nothing."""


def draw(board: Board, answers: Answers) -> Page:
    """The page of a board."""
    answers.choose(board)
    moments = answers.moments(board)
    drawn, empty = [], []
    for panel in board.panels:
        box = _box(panel)
        if panel.kind is PanelKind.ROW:
            drawn.append(text(f"⌄ {panel.title}", box.x, box.y + 22, size=15))
            continue
        found = answers.of(panel)
        if not any(answer.series for answer in found):
            empty.append(panel.title)
        drawn.append(_panel(panel, found, box, answers.span, moments))
    height = TOP + max(panel.place.y + panel.place.h for panel in board.panels) * ROW + MARGIN
    svg = element(
        "svg",
        _heading(board, answers),
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        width=WIDTH,
        height=height,
        font_family="Inter, 'Liberation Sans', 'DejaVu Sans', Arial, sans-serif",
    )
    return Page(html=_html(board, svg), width=round(WIDTH), height=round(height), empty=tuple(empty))


def _box(panel: Panel) -> Box:
    place = panel.place
    return Box(
        x=MARGIN + place.x * COLUMN,
        y=TOP + place.y * ROW,
        w=place.w * COLUMN - GAP,
        h=place.h * ROW - GAP,
    )


def _panel(panel: Panel, answers: Sequence[Answer], box: Box, span: Span, moments: Sequence[Moment]) -> str:
    """A frame with title and content; the description is what Grafana shows beside the title."""
    head = rectangle(box, PAPER, stroke=BORDER, rx=3)
    head += text(shortened(panel.title, box.w - 20, TITLE_SIZE), box.x + 10, box.y + 21, size=TITLE_SIZE)
    inner = Box(x=box.x + 10, y=box.y + 32, w=box.w - 20, h=box.h - 40)
    return element(
        "g", element("title", escape(panel.description)), head, _content(panel, answers, inner, span, moments)
    )


def _content(panel: Panel, answers: Sequence[Answer], box: Box, span: Span, moments: Sequence[Moment]) -> str:
    if not any(answer.series for answer in answers):
        return text(
            panel.looks.no_value, box.x + box.w / 2, box.y + box.h / 2, size=14, ink=FAINT, anchor="middle"
        )
    if panel.kind is PanelKind.STAT:
        return drawn_figure(panel, answers, box, span)
    if panel.kind is PanelKind.TIMESERIES:
        return drawn_lines(panel, answers, box, span, moments)
    frame = table_of(answers, panel.transformations)
    if panel.kind is PanelKind.BARCHART:
        return drawn_bars(panel, frame, box, span)
    return drawn_table(panel, frame, box, span)


def _heading(board: Board, answers: Answers) -> str:
    ends = datetime.fromtimestamp(answers.span.end_s, UTC)
    begins = datetime.fromtimestamp(answers.span.begin_s, UTC)
    chosen = "   ".join(f"{label}: {value}" for label, value in answers.shown.items())
    times = f"{begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC"
    marks = "   ".join(f"┆ {mark.name}" for mark in board.marks)
    right = WIDTH - MARGIN - GAP
    notice = Box(x=MARGIN, y=54, w=WIDTH - 2 * MARGIN - GAP, h=24)
    return "".join(
        (
            text(board.title, MARGIN, 26, size=20),
            text(board.description, MARGIN, 45, size=12.5, ink=FAINT),
            text(times, right, 26, size=12.5, anchor="end"),
            text(f"{chosen}   {marks}", right, 45, size=12.5, ink=FAINT, anchor="end"),
            rectangle(notice, "#fff4d6", stroke="#e0b400", rx=3),
            text(NOTICE, MARGIN + 10, 70, size=12.5, ink=INK),
        )
    )


def _html(board: Board, svg: str) -> str:
    style = "html,body{margin:0;background:#f4f5f5}svg{display:block}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(board.title)}</title>'
        f"<style>{style}</style></head><body>{svg}</body></html>\n"
    )
