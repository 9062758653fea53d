"""The few kinds of panel the boards are made of, so that they look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import barchart, stat, table, timeseries
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    StackingMode,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.links import Link
from grafana.palette import BLUE, COLOURS, HEADINGS

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

BRIDGED_MS = 300_000
"""Lines go on over gaps that are shorter: a failed scrape or a restart is no change of a verdict."""

LOW, HEIGHT = 4, 8
"""Grid rows of a single figure, and of everything else."""

BY_ARRIVAL = DataTransformerConfig(
    id_val="sortBy", options={"fields": {}, "sort": [{"field": "arrival", "desc": False}]}
)
"""Checkpoints in the order they came; what has no such label stays as it is."""

Coloured = TypeVar("Coloured", stat.Panel, timeseries.Panel, barchart.Panel)

Steps = Sequence[tuple[float | None, str]]
"""Colours from a value upwards; None stands for everything below the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One query of a panel."""

    expr: str
    legend: str = ""
    """What its series are called, with label names in double braces."""
    empty: str = "Nothing judged yet"
    """What the panel says when nothing is returned: why that may be."""


def word(title: str, description: str, ask: Ask, *, words: Sequence[str], span: int) -> stat.Panel:
    """One of some words in its colour, for example a decision: the name of the series is what is shown."""
    panel = (
        stat.Panel()
        .text_mode(BigValueTextMode.NAME)
        .color_mode(BigValueColorMode.BACKGROUND)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .no_value(ask.empty)
        .unit("none")
        .with_target(_query(ask, "A", instant=True))
    )
    panel = panel.title(title).description(description).datasource(SOURCE).span(span).height(LOW)
    return _coloured(panel, words)


def number(
    title: str, description: str, unit: str, ask: Ask, *, span: int, steps: Steps = ((None, BLUE),)
) -> stat.Panel:
    """One figure, coloured by its value."""
    return (
        stat.Panel()
        .text_mode(BigValueTextMode.AUTO)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .no_value(ask.empty)
        .thresholds(_thresholds(steps))
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .span(span)
        .height(LOW)
        .with_target(_query(ask, "A", instant=True))
    )


def lines(
    title: str,
    description: str,
    unit: str,
    asks: Sequence[Ask],
    *,
    span: int,
    words: Sequence[str] = (),
    steps: Steps = (),
) -> timeseries.Panel:
    """Figures over time. Verdicts are discrete, so lines are stepped."""
    panel = (
        timeseries.Panel()
        .line_interpolation(LineInterpolation.STEP_AFTER)
        .fill_opacity(0)
        .line_width(2)
        .span_nulls(BRIDGED_MS)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .no_value(asks[0].empty)
        .span(span)
        .height(HEIGHT)
    )
    for number_, ask in enumerate(asks):
        panel = panel.with_target(_query(ask, chr(ord("A") + number_)))
    if steps:
        style = GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(_thresholds(steps)).thresholds_style(style)
    return _coloured(panel, words)


def bars(
    title: str,
    description: str,
    unit: str,
    ask: Ask,
    *,
    rows: str,
    columns: str,
    span: int,
    words: Sequence[str] = (),
    stacked: bool = False,
) -> barchart.Panel:
    """Groups of bars: one group per value of the label ``rows``, one bar per value of ``columns``.

    Where ``words`` are given they are all the values of ``columns``, in the order in which they are shown.
    """
    panel = (
        barchart.Panel()
        .orientation(VizOrientation.AUTO)
        .x_field(HEADINGS.get(rows, rows))
        .stacking(StackingMode.PERCENT if stacked else StackingMode.NONE)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .no_value(ask.empty)
        .span(span)
        .height(HEIGHT)
        .with_target(_query(ask, "A", instant=True, as_table=True))
        .with_transformation(BY_ARRIVAL)
        .with_transformation(_matrix(rows, columns))
        .with_transformation(_arranged(rows, columns, words))
    )
    return _coloured(panel, words)


def matrix(
    title: str,
    description: str,
    unit: str,
    ask: Ask,
    *,
    rows: str,
    columns: str,
    span: int,
    steps: Steps,
    words: Sequence[str] = (),
) -> table.Panel:
    """A map: one row per value of ``rows``, one column per value of ``columns``, cells in colour."""
    cells = DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-background"})
    return (
        _table(title, description, span)
        .unit(unit)
        .no_value(ask.empty)
        .thresholds(_thresholds(steps))
        .with_target(_query(ask, "A", instant=True, as_table=True))
        .with_transformation(BY_ARRIVAL)
        .with_transformation(_matrix(rows, columns))
        .with_transformation(_arranged(rows, columns, words))
        .override_by_regexp(f"^(?!{HEADINGS.get(rows, rows)}$).*$", [cells])
    )


def listing(
    title: str,
    description: str,
    asks: Sequence[Ask],
    *,
    columns: Sequence[tuple[str, str]],
    span: int,
    unit: str = "none",
    links: Sequence[Link] = (),
) -> table.Panel:
    """A table with the named columns in that order: pairs of (field, heading)."""
    panel = _table(title, description, span).unit(unit).no_value(asks[0].empty)
    for link in links:
        told = {"title": link.title, "url": link.url, "targetBlank": link.leaves}
        panel = panel.override_by_name(link.column, [DynamicConfigValue(id_val="links", value=[told])])
    for number_, ask in enumerate(asks):
        panel = panel.with_target(_query(ask, chr(ord("A") + number_), instant=True, as_table=True))
    shown = [field for field, _ in columns]
    return (
        panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(BY_ARRIVAL)
        .with_transformation(
            DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": shown}})
        )
        .with_transformation(
            DataTransformerConfig(
                id_val="organize",
                options={
                    "indexByName": {field: place for place, field in enumerate(shown)},
                    "renameByName": dict(columns),
                },
            )
        )
    )


def _table(title: str, description: str, span: int) -> table.Panel:
    panel = table.Panel().title(title).description(description).datasource(SOURCE)
    return panel.span(span).height(HEIGHT).filterable(True)


def _query(ask: Ask, ref_id: str, *, instant: bool = False, as_table: bool = False) -> Dataquery:
    query = Dataquery().expr(ask.expr).ref_id(ref_id).datasource(SOURCE)
    query = query.legend_format(ask.legend) if ask.legend else query
    query = query.instant() if instant else query.range()
    return query.format(PromQueryFormat.TABLE if as_table else PromQueryFormat.TIME_SERIES)


def _matrix(rows: str, columns: str) -> DataTransformerConfig:
    return DataTransformerConfig(
        id_val="groupingToMatrix", options={"rowField": rows, "columnField": columns, "valueField": "Value"}
    )


def _arranged(rows: str, columns: str, words: Sequence[str]) -> DataTransformerConfig:
    """The columns in order, and a heading for the row names that can be read."""
    corner = f"{rows}\\{columns}"
    return DataTransformerConfig(
        id_val="organize",
        options={
            "indexByName": {name: place for place, name in enumerate((corner, *words))} if words else {},
            "renameByName": {corner: HEADINGS.get(rows, rows)},
        },
    )


def _thresholds(steps: Steps) -> ThresholdsConfig:
    return (
        ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=colour) for value, colour in steps])
    )


def _coloured(panel: Coloured, words: Sequence[str]) -> Coloured:
    for each in words:
        colour = {"mode": "fixed", "fixedColor": COLOURS[each]}
        panel.override_by_name(each, [DynamicConfigValue(id_val="color", value=colour)])
    return panel
