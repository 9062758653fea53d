"""Single figures and tables."""

from __future__ import annotations

from collections.abc import Sequence

from grafana.pictures.answers import Answer, Span
from grafana.pictures.boards import Panel
from grafana.pictures.colours import BORDER, FAINT, INK, of_field, of_value
from grafana.pictures.frames import Cell, Frame
from grafana.pictures.svg import Box, line, rectangle, shortened, text, width
from grafana.pictures.units import written

ROW = 26.0
SIZE = 12.5
BIGGEST = 34.0


def drawn_figure(panel: Panel, answers: Sequence[Answer], box: Box, span: Span) -> str:
    """Each series as its last value, or as its name where the board says so; side by side."""
    series = [each for answer in answers for each in answer.series]
    by_name = panel.options.get("textMode") == "name"
    filled = panel.options.get("colorMode") == "background"
    drawn = []
    part_w = box.w / len(series)
    for place, each in enumerate(series):
        value = each.points[-1][1]
        told = each.name if by_name else written(value, panel.looks.unit, now_s=span.end_s)
        ink = of_field(panel.looks, each.name, place) if by_name else of_value(panel.looks, value)
        part = Box(x=box.x + place * part_w, y=box.y, w=part_w - 4, h=box.h)
        if filled:
            drawn.append(rectangle(part, ink, rx=3))
        size = min(BIGGEST, BIGGEST * (part.w - 16) / width(told, BIGGEST))
        colour = "#ffffff" if filled else ink
        middle = part.x + part.w / 2
        drawn.append(
            text(told, middle, part.y + part.h / 2 + size / 3, size=size, ink=colour, anchor="middle")
        )
    return "".join(drawn)


def drawn_table(panel: Panel, frame: Frame, box: Box, span: Span) -> str:
    """Rows and columns; cells in colour where an override says so. What does not fit is counted."""
    columns = [column for column in frame.columns if not panel.looks.of(column, "custom.hidden")]
    starts = _columns(columns, frame, panel, box, span)
    fits = int((box.h - ROW) // ROW)
    rows = frame.rows if len(frame.rows) <= fits else frame.rows[: fits - 1]
    drawn = [line((box.x, box.y + ROW), (box.right, box.y + ROW), BORDER)]
    for column, (x, w) in zip(columns, starts, strict=True):
        drawn.append(text(shortened(column, w - 10, SIZE), x + 6, box.y + 17, size=SIZE, ink="#1f60c4"))
    for number, row in enumerate(rows):
        y = box.y + ROW * (number + 1)
        for column, (x, w) in zip(columns, starts, strict=True):
            if column in row:
                drawn.append(_cell(panel, column, row[column], Box(x=x, y=y, w=w, h=ROW), span))
        drawn.append(line((box.x, y + ROW), (box.right, y + ROW), BORDER))
    if len(rows) < len(frame.rows):
        more = f"and {len(frame.rows) - len(rows)} more, by scrolling"
        drawn.append(text(more, box.x + 6, box.bottom - 8, size=SIZE, ink=FAINT))
    return "".join(drawn)


def _columns(
    columns: Sequence[str], frame: Frame, panel: Panel, box: Box, span: Span
) -> list[tuple[float, float]]:
    """Left edge and width of each column, in proportion to what stands in it."""
    needs = []
    for column in columns:
        texts = [column, *(_told(panel, column, row[column], span) for row in frame.rows if column in row)]
        needs.append(max(width(each, SIZE) for each in texts) + 16)
    edges, x = [], box.x
    for need in needs:
        w = box.w * need / sum(needs)
        edges.append((x, w))
        x += w
    return edges


def _told(panel: Panel, column: str, cell: Cell, span: Span) -> str:
    unit = panel.looks.of(column, "unit") or panel.looks.unit
    return cell if isinstance(cell, str) else written(cell, unit, now_s=span.end_s)


def _cell(panel: Panel, column: str, cell: Cell, box: Box, span: Span) -> str:
    told = shortened(_told(panel, column, cell, span), box.w - 10, SIZE)
    look = panel.looks.of(column, "custom.cellOptions") or panel.looks.custom.get("cellOptions") or {}
    if isinstance(cell, str) or look.get("type") != "color-background":
        return text(told, box.x + 6, box.y + 17, size=SIZE, ink=INK)
    inside = Box(x=box.x + 1, y=box.y + 1, w=box.w - 2, h=box.h - 2)
    return rectangle(inside, of_value(panel.looks, cell)) + text(
        told, box.x + 6, box.y + 17, size=SIZE, ink="#ffffff"
    )
