"""What outputs look like: signs of collapse, beside where each checkpoint came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.drift import DriftReading, Indicator, IndicatorName, Trend
from monitor.domain.tasks import Stratum
from monitor.web.figures import MISSING
from monitor.web.markup import Markup, element, join, link, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One checkpoint among those that came before and after it."""

    checkpoint: Checkpoint
    drift: DriftReading | None
    """From its last decided evaluation; None where outputs were not compared."""


def outputs_section(drift: DriftReading | None, evaluation_id: str) -> Markup:
    """Indicators with their noise floors, the columns that drifted, and what could not be measured."""
    if drift is None:
        return Markup("")
    headings = ("sign of collapse", "stratum", "baseline", "here", "noise floor", "p", "")
    detected = [signal for signal in drift.signals if signal.detected]
    columns = ", ".join(f"{each.signal} ({each.stratum or 'all'})" for each in detected)
    return join(
        element("h2", "What the outputs look like"),
        table(headings, [_row(each) for each in drift.indicators]),
        element("p", f"Columns that drifted: {columns}." if detected else "No column drifted.")
        if drift.signals
        else "",
        element("p", link("Evidently's page about all of them", f"/drift/{evaluation_id}"))
        if drift.report
        else "",
        element("p", _costs(drift), class_="soft"),
        join(*(element("p", problem, class_="soft") for problem in drift.remarks)),
    )


def generations_section(generations: Sequence[Generation]) -> Markup:
    """Signs of collapse of the tail over checkpoints, beside their lineage."""
    measured = [each for each in generations if each.drift is not None]
    if not measured:
        return Markup("")
    names = [name for name in IndicatorName if any(_tail(each.drift, name) for each in measured)]
    headings = ("checkpoint", "trained from", "written by a model", "review", *(name.value for name in names))
    note = (
        "Differences to the baseline in the tail; those in bold are more than chance. The last line asks "
        "whether each moves towards collapse over the checkpoints that were weighed against the baseline of "
        "the newest, by their order alone (Mann), and by how much from one to the next (Theil and Sen)."
    )
    rows = [_generation(each, names) for each in generations]
    latest = measured[-1].drift
    if latest is not None and latest.trends:
        rows.append(("trend", "", "", "", *(_trend(latest.trends, name) for name in names)))
    return join(
        element("h2", "Generations"),
        table(headings, rows),
        element("p", note, class_="soft"),
    )


def _costs(drift: DriftReading) -> str:
    spent = f"Comparing took {drift.elapsed_s:.1f} s"
    return f"{spent}, and the probes {drift.engine_s:.1f} s of the engine." if drift.engine_s else f"{spent}."


def _row(indicator: Indicator) -> tuple[str, ...]:
    return (
        indicator.name,
        "" if indicator.stratum is None else indicator.stratum.value,
        f"{indicator.baseline:.4g}",
        f"{indicator.value:.4g}",
        f"{indicator.noise_floor:.2g}",
        f"{indicator.p_value:.2g}",
        element("span", "warns", class_="badge hold") if indicator.warns else "",
    )


def _generation(each: Generation, names: Iterable[IndicatorName]) -> tuple[str, ...]:
    lineage = each.checkpoint.lineage
    return (
        link(each.checkpoint.name, f"/checkpoints/{each.checkpoint.digest}"),
        MISSING if lineage is None else lineage.parent or MISSING,
        MISSING if lineage is None else f"{lineage.synthetic_share:.0%}",
        MISSING if lineage is None else lineage.review.value,
        *(_difference(_tail(each.drift, name)) for name in names),
    )


def _trend(trends: Sequence[Trend], name: IndicatorName) -> str:
    for trend in trends:
        if trend.name == name and trend.stratum is Stratum.TAIL:
            text = f"{trend.slope:+.2g}, p = {trend.p_value:.2g}"
            return element("strong", text) if trend.warns else text
    return MISSING


def _difference(indicator: Indicator | None) -> str:
    if indicator is None:
        return MISSING
    text = f"{indicator.difference:+.3g}"
    return element("strong", text) if indicator.warns else text


def _tail(drift: DriftReading | None, name: IndicatorName) -> Indicator | None:
    found = () if drift is None else drift.indicators
    return next((each for each in found if each.name == name and each.stratum is Stratum.TAIL), None)
