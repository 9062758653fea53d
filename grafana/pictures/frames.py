"""Query results as tables, and Grafana's transformations of them as far as the boards use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana.pictures.answers import Answer
from grafana.pictures.boards import Undrawable

Cell = str | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A table: a row has no entry where there is nothing."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]


def table_of(answers: Sequence[Answer], transformations: Sequence[Mapping[str, Any]]) -> Frame:
    """Instant answers as one table, transformed.

    Raises:
        Undrawable: a transformation is unknown here.
    """
    frames = [_frame(answer, alone=len(answers) == 1) for answer in answers]
    frame = frames[0]
    for transformation in transformations:
        options = transformation["options"]
        match transformation["id"]:
            case "merge":
                frame = _merged(frames)
            case "filterFieldsByName":
                frame = _only(frame, options["include"]["names"])
            case "organize":
                frame = _organized(frame, options)
            case "groupingToMatrix":
                frame = _matrix(frame, options)
            case "sortBy":
                frame = _sorted(frame, options["sort"][0])
            case other:
                raise Undrawable(f"The transformation {other}: do it in grafana/pictures/frames.py.")
    return frame


def _frame(answer: Answer, *, alone: bool) -> Frame:
    value = "Value" if alone else f"Value #{answer.ref_id}"
    labels = sorted({label for series in answer.series for label in series.labels if label != "__name__"})
    rows: list[dict[str, Cell]] = []
    for series in answer.series:
        row: dict[str, Cell] = {label: text for label, text in series.labels.items() if label in labels}
        at_s, figure = series.points[-1]
        rows.append(row | {"Time": at_s, value: figure})
    return Frame(columns=("Time", *labels, value), rows=tuple(rows))


def _merged(frames: Sequence[Frame]) -> Frame:
    """Rows that agree in everything they share become one."""
    rows: list[dict[str, Cell]] = []
    for row in (row for frame in frames for row in frame.rows):
        for known in rows:
            if all(known[key] == row[key] for key in known.keys() & row.keys()):
                known.update(row)
                break
        else:
            rows.append(dict(row))
    columns = dict.fromkeys(column for frame in frames for column in frame.columns)
    return Frame(columns=tuple(columns), rows=tuple(rows))


def _only(frame: Frame, names: Sequence[str]) -> Frame:
    return Frame(columns=tuple(column for column in frame.columns if column in names), rows=frame.rows)


def _organized(frame: Frame, options: Mapping[str, Any]) -> Frame:
    order, renamed = options.get("indexByName", {}), options.get("renameByName", {})
    hidden = {name for name, excluded in options.get("excludeByName", {}).items() if excluded}
    shown = sorted(
        (column for column in frame.columns if column not in hidden), key=lambda each: order.get(each, 0)
    )
    return Frame(
        columns=tuple(renamed.get(column) or column for column in shown),
        rows=tuple(
            {renamed.get(column) or column: row[column] for column in shown if column in row}
            for row in frame.rows
        ),
    )


def _matrix(frame: Frame, options: Mapping[str, Any]) -> Frame:
    row_field, column_field = options["rowField"], options["columnField"]
    corner = f"{row_field}\\{column_field}"
    grouped: dict[Cell, dict[str, Cell]] = {}
    columns: dict[str, None] = {corner: None}
    for row in frame.rows:
        place, column = row.get(row_field, ""), str(row.get(column_field, ""))
        columns[column] = None
        grouped.setdefault(place, {corner: place})[column] = row[options["valueField"]]
    return Frame(columns=tuple(columns), rows=tuple(grouped.values()))


def _sorted(frame: Frame, by: Mapping[str, Any]) -> Frame:
    field = by["field"]
    rows = sorted(frame.rows, key=lambda row: str(row.get(field, "")), reverse=bool(by.get("desc")))
    return Frame(columns=frame.columns, rows=tuple(rows))
