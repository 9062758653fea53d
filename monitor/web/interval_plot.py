"""The picture of a verdict: per stratum, the difference with its interval, beside zero and the margin."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.domain.evidence import Evidence, Finding
from monitor.web.markup import Markup, element

ROW = 34
LEFT = 70
WIDTH = 560
AXIS = 26


def interval_plot(findings: Sequence[Finding]) -> Markup:
    """One row per stratum on a common axis of differences; empty when nothing was measured."""
    shown = [finding for finding in findings if finding.evidence.delta is not None]
    if not shown:
        return Markup("")
    scale = _Scale([finding.evidence for finding in shown])
    height = ROW * len(shown) + AXIS
    return element(
        "svg",
        *(_row(finding, scale, top=index * ROW) for index, finding in enumerate(shown)),
        _axis(scale, top=ROW * len(shown)),
        viewBox=f"0 0 {LEFT + WIDTH + 20} {height}",
        role="img",
        aria_label="Difference to the baseline with its interval, per stratum",
        class_="plot",
    )


class _Scale:
    """Differences to pixels; zero and every margin are always in view."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        bounds = [0.0, *(-each.margin for each in evidence)]
        for each in evidence:
            bounds += [value for value in (each.delta_low, each.delta, each.delta_high) if value is not None]
        spread = max(bounds) - min(bounds) or 0.1
        self.low = max(-1.0, min(bounds) - 0.08 * spread)
        self.high = min(1.0, max(bounds) + 0.08 * spread)

    def x(self, value: float) -> float:
        """Pixel of a difference."""
        clamped = min(self.high, max(self.low, value))
        return round(LEFT + WIDTH * (clamped - self.low) / (self.high - self.low), 1)


def _row(finding: Finding, scale: _Scale, *, top: int) -> Markup:
    evidence = finding.evidence
    middle = top + ROW / 2
    low = scale.low if evidence.delta_low is None else evidence.delta_low
    high = scale.high if evidence.delta_high is None else evidence.delta_high
    assert evidence.delta is not None
    return element(
        "g",
        element("text", evidence.stratum.value, x=0, y=middle + 4),
        _line(scale.x(0.0), top, "zero"),
        _line(scale.x(-evidence.margin), top, "margin"),
        element("line", x1=scale.x(low), x2=scale.x(high), y1=middle, y2=middle, class_="interval"),
        element("circle", cx=scale.x(evidence.delta), cy=middle, r=5),
        element("title", f"{evidence.stratum.value}: {evidence.delta:+.3f}, {low:+.3f} to {high:+.3f}"),
        class_=finding.kind.value,
    )


def _line(x: float, top: int, class_: str) -> Markup:
    return element("line", x1=x, x2=x, y1=top + 3, y2=top + ROW - 3, class_=class_)


def _axis(scale: _Scale, *, top: int) -> Markup:
    marks = (scale.low, 0.0, scale.high)
    return element(
        "g",
        *(
            element("text", f"{mark:+.2f}" if mark else "0", x=scale.x(mark), y=top + 16, class_="mark")
            for mark in marks
        ),
    )
