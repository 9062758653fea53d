"""Verdicts as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.domain.evidence import Boundary, Decision, DecisionKind, Evidence, Finding, FindingKind
from monitor.domain.tasks import RAREST_FIRST, Stratum

DECISION_STYLE = {
    DecisionKind.PROMOTE: "bold green",
    DecisionKind.REJECT: "bold red",
    DecisionKind.HOLD: "bold yellow",
}
FINDING_STYLE = {
    FindingKind.REGRESSED: "red",
    FindingKind.STEADY: "green",
    FindingKind.IMPROVED: "green",
    FindingKind.UNDECIDED: "yellow",
}


def decided(kind: DecisionKind | None) -> Text:
    """A decision in capitals and its colour; a dash where there is none."""
    return Text("-") if kind is None else Text(kind.value.upper(), style=DECISION_STYLE[kind])


def points(ratio: float | None) -> str:
    """A difference in percentage points, with its sign.

    >>> points(-0.142)
    '-14.2'
    """
    return "-" if ratio is None else f"{100 * ratio:+.1f}"


def percent(ratio: float | None) -> str:
    """A ratio as a percentage, with its sign.

    >>> percent(0.142), percent(None)
    ('14.2%', '-')
    """
    return "-" if ratio is None else f"{100 * ratio:.1f}%"


def interval(low: float | None, high: float | None) -> str:
    """The bounds of a difference in percentage points."""
    return "" if low is None or high is None else f"[{points(low)}, {points(high)}]"


def evidence_cell(evidence: Evidence | None, kind: FindingKind | None = None) -> Text:
    """Pass percentage and difference of one stratum, coloured by what was found."""
    if evidence is None or evidence.pass_ratio is None:
        return Text("-", style="dim")
    if kind is None:
        kind = {
            Boundary.UPPER: FindingKind.REGRESSED,
            Boundary.LOWER: FindingKind.STEADY,
            Boundary.NONE: FindingKind.UNDECIDED,
        }[evidence.boundary]
    text = Text(f"{percent(evidence.pass_ratio)} ")
    text.append(
        f"{points(evidence.delta)} {interval(evidence.delta_low, evidence.delta_high)}",
        style=FINDING_STYLE[kind],
    )
    return text


def by_stratum(findings: Iterable[Finding]) -> dict[Stratum, Finding]:
    """Findings by their stratum."""
    return {finding.evidence.stratum: finding for finding in findings}


def findings_table(findings: Sequence[Finding]) -> Table:
    """One row per stratum: baseline, candidate, difference with its interval, samples, finding."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (
        "stratum",
        "baseline",
        "candidate",
        "difference",
        "interval",
        "margin",
        "samples",
        "decided at",
        "finding",
    ):
        table.add_column(heading, justify="left" if heading in {"stratum", "finding"} else "right")
    found = by_stratum(findings)
    for stratum in RAREST_FIRST:
        if stratum not in found:
            continue
        finding = found[stratum]
        evidence = finding.evidence
        table.add_row(
            stratum.value,
            percent(evidence.baseline_ratio),
            percent(evidence.pass_ratio),
            points(evidence.delta),
            interval(evidence.delta_low, evidence.delta_high),
            f"{100 * evidence.margin:.2g}",
            str(evidence.samples),
            "-" if evidence.decided_at is None else str(evidence.decided_at),
            Text(finding.kind.value, style=FINDING_STYLE[finding.kind]),
        )
    return table


def decision_view(name: str, decision: Decision) -> RenderableType:
    """The answer, its reasons, and the strata it rests on."""
    parts: list[RenderableType] = [Text.assemble(decided(decision.kind), f"  {name}")]
    parts += [Text(f"  {reason.text}") for reason in decision.reasons]
    if decision.findings:
        parts.append(findings_table(decision.findings))
    return Group(*parts)
