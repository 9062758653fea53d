"""A committed board as the drawing reads it: panels, queries, looks, variables and marks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "boards"


class Undrawable(Exception):
    """A board uses something of Grafana's that the pictures do not know."""


class PanelKind(StrEnum):
    """The panels that the boards are made of."""

    ROW = "row"
    STAT = "stat"
    TIMESERIES = "timeseries"
    BARCHART = "barchart"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One query of a panel."""

    ref_id: str
    expr: str
    legend: str
    """What its series are called, with label names in double braces; empty for Grafana's own naming."""
    instant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a panel lies, in cells of Grafana's grid of 24 columns."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What is different for the fields of some names."""

    pattern: str
    """A regular expression that the whole name matches."""
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How a panel's fields are shown."""

    unit: str
    no_value: str
    """What stands in a panel without data."""
    steps: tuple[tuple[float | None, str], ...]
    """Colours from a value upwards; None stands for everything below the first."""
    custom: Mapping[str, Any]
    overrides: tuple[Override, ...]

    def of(self, field: str, property_id: str) -> Any | None:
        """What an override says about a field."""
        for override in self.overrides:
            if property_id in override.properties and re.fullmatch(override.pattern, field):
                return override.properties[property_id]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel, or the heading of some."""

    kind: PanelKind
    title: str
    description: str
    place: Place
    targets: tuple[Target, ...]
    looks: Looks
    options: Mapping[str, Any]
    transformations: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable that is filled from Prometheus."""

    name: str
    label: str
    query: str
    regex: str
    all_value: str | None
    """What "All" stands for; None when one value has to be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An annotation: a vertical line whenever its query has a value."""

    name: str
    expr: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One board."""

    name: str
    title: str
    description: str
    begins: str
    """Beginning of the time range, as "now-7d"; it ends now."""
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...]
    marks: tuple[Mark, ...]


def board_names() -> list[str]:
    """The committed boards."""
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def read_board(name: str) -> Board:
    """A committed board.

    Raises:
        Undrawable: it has a kind of panel that is unknown here.
    """
    told = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Board(
        name=name,
        title=told["title"],
        description=told.get("description", ""),
        begins=told["time"]["from"],
        panels=tuple(_panel(each) for each in told["panels"]),
        variables=tuple(_variable(each) for each in told["templating"]["list"] if each["type"] == "query"),
        marks=tuple(
            Mark(name=each["name"], expr=each["expr"], colour=each["iconColor"])
            for each in told.get("annotations", {}).get("list", ())
            if "expr" in each
        ),
    )


def _panel(told: Mapping[str, Any]) -> Panel:
    try:
        kind = PanelKind(told["type"])
    except ValueError as exc:
        raise Undrawable(f"{told['title']} is a {told['type']}: draw it in grafana/pictures/.") from exc
    place = told["gridPos"]
    return Panel(
        kind=kind,
        title=told["title"],
        description=told.get("description", ""),
        place=Place(x=place["x"], y=place["y"], w=place["w"], h=place["h"]),
        targets=tuple(_target(each) for each in told.get("targets", ())),
        looks=_looks(told.get("fieldConfig", {})),
        options=told.get("options", {}),
        transformations=told.get("transformations", ()),
    )


def _target(told: Mapping[str, Any]) -> Target:
    return Target(
        ref_id=told["refId"],
        expr=told["expr"],
        legend=told.get("legendFormat", ""),
        instant=bool(told.get("instant")),
    )


def _looks(told: Mapping[str, Any]) -> Looks:
    defaults = told.get("defaults", {})
    steps = defaults.get("thresholds", {}).get("steps", ())
    return Looks(
        unit=defaults.get("unit", "none"),
        no_value=defaults.get("noValue", "No data"),
        steps=tuple((step.get("value"), step["color"]) for step in steps),
        custom=defaults.get("custom", {}),
        overrides=tuple(_override(each) for each in told.get("overrides", ())),
    )


def _override(told: Mapping[str, Any]) -> Override:
    matcher = told["matcher"]
    if matcher["id"] not in {"byName", "byRegexp"}:
        raise Undrawable(f"An override by {matcher['id']}: read it in grafana/pictures/boards.py.")
    wanted = matcher["options"]
    return Override(
        pattern=re.escape(wanted) if matcher["id"] == "byName" else wanted.strip("/"),
        properties={each["id"]: each["value"] for each in told["properties"]},
    )


def _variable(told: Mapping[str, Any]) -> Variable:
    return Variable(
        name=told["name"],
        label=told.get("label", told["name"]),
        query=told["query"]["query"],
        regex=told.get("regex", ""),
        all_value=told.get("allValue") if told.get("includeAll") else None,
    )
