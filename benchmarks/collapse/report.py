"""Results as markdown tables, and their place in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.collapse.study import COLUMNS, NOMINAL, PASS_RATE
from benchmarks.detection.report import renewed, table
from monitor.domain.drift import IndicatorName
from monitor.domain.tasks import RAREST_FIRST, Stratum

BEGIN = "<!-- begin: python -m benchmarks.collapse -->"
END = "<!-- end: python -m benchmarks.collapse -->"

ORDER = (*IndicatorName, COLUMNS, PASS_RATE)
"""The product's indicators, then what they are compared with."""

Results = Mapping[str, Any]
Fields = Mapping[str, Any]


def renew(page: Path, text: str) -> None:
    """Replace what stands between the marks of a page.

    Raises:
        ValueError: the page has no marks.
    """
    page.write_text(renewed(page.read_text(encoding="utf-8"), text, begin=BEGIN, end=END), encoding="utf-8")


def tables(results: Results) -> str:
    """All tables."""
    parts = [
        ("Which warns first", warnings_table(results)),
        ("Values and p-values in the tail", tail_table(results)),
        ("Warnings of nothing", false_table(results)),
        ("Slow movement", trend_table(results)),
        ("What it costs", cost_table(results)),
    ]
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in parts)


def warnings_table(results: Results) -> str:
    """Strata in which each indicator warns of each checkpoint, and the first generation it warns of."""
    checkpoints = [*results["generations"], *results["unharmed"]]
    head = ["indicator", "samples per task", "first warns at", *checkpoints]
    body = []
    for indicator, depth in _kinds(results["rows"]):
        rows = [row for row in results["rows"] if (row["indicator"], row["depth"]) == (indicator, depth)]
        cells = [_strata(row["stratum"] for row in _of(rows, name) if row["warns"]) for name in checkpoints]
        warned = [name for name in results["generations"] if any(row["warns"] for row in _of(rows, name))]
        body.append([_title(indicator), _depth(depth), warned[0] if warned else "never", *cells])
    return table(head, body)


def tail_table(results: Results) -> str:
    """Value and p-value of each indicator in the tail."""
    checkpoints = [*results["generations"], *results["unharmed"]]
    head = ["indicator", "samples per task", "gen0", *checkpoints]
    body = []
    for indicator, depth in _kinds(results["rows"]):
        if indicator == COLUMNS:
            continue
        rows = {
            row["checkpoint"]: row
            for row in results["rows"]
            if (row["indicator"], row["depth"], row["stratum"]) == (indicator, depth, Stratum.TAIL.value)
        }
        if rows:
            cells = [
                f"{rows[name]['value']:.4g} ({_p(rows[name]['p_value'])})" if name in rows else ""
                for name in checkpoints
            ]
            baseline = next(iter(rows.values()))["baseline"]
            body.append([_title(indicator), _depth(depth), f"{baseline:.4g}", *cells])
    return table(head, body)


def false_table(results: Results) -> str:
    """Warnings of generation 0 against itself."""
    head = [
        "indicator",
        "samples per task",
        "re-samplings",
        "tests",
        "warned",
        "rate",
        "promised",
        f"p up to {NOMINAL:g}",
        "promised",
    ]
    body = [
        [
            _title(each["indicator"]),
            _depth(each["depth"]),
            str(each["resamplings"]),
            str(each["tests"]),
            str(each["warned"]),
            f"{each['rate']:.3f}",
            f"{each['alpha']:g} ± {each['alpha_error']:.3f}",
            f"{each['below_nominal'] / each['tests']:.3f}",
            f"{NOMINAL:g} ± {each['nominal_error']:.3f}",
        ]
        for each in _sorted(results["false_warnings"])
    ]
    return table(head, body)


def trend_table(results: Results) -> str:
    """The tail's trend over generation 0 and those after it."""
    rows = [each for each in _sorted(results["trends"]) if each["stratum"] == Stratum.TAIL.value]
    body = [
        [
            _title(each["indicator"]),
            _depth(each["depth"]),
            f"{each['slope']:.3g}",
            _p(each["p_value"]),
            str(each["points"]),
        ]
        for each in rows
        if each["indicator"] != COLUMNS
    ]
    return table(["indicator", "samples per task", "slope towards collapse", "p", "points"], body)


def cost_table(results: Results) -> str:
    """Engine and CPU seconds per checkpoint, beside what drawing its samples took."""
    drawing = list(results["drawing"].values())
    depth = max(row["depth"] or 0 for row in results["rows"])
    body = [
        [
            f"drawing {depth} samples per task",
            f"{median(each['wall_s'] for each in drawing):.0f}",
            f"{median(each['cpu_s'] for each in drawing):.0f}",
        ],
        *(
            [f"{each['probe']}, {each['readings']} readings", f"{each['wall_s']:.0f}", f"{each['cpu_s']:.0f}"]
            for each in results["probe_costs"]
        ),
        ["all free indicators and columns", "", f"{median(results['meter_cpu_s']):.1f}"],
    ]
    return table(["what", "wall s", "CPU s"], body)


def _kinds(rows: Sequence[Fields]) -> list[tuple[str, int | None]]:
    """Indicators at the depths at which they were measured, in the order of the tables."""
    return list(dict.fromkeys((row["indicator"], row["depth"]) for row in _sorted(rows)))


def _sorted(rows: Sequence[Fields]) -> list[Fields]:
    return sorted(rows, key=lambda row: (ORDER.index(row["indicator"]), -(row["depth"] or 0)))


def _of(rows: Sequence[Fields], checkpoint: str) -> list[Fields]:
    return [row for row in rows if row["checkpoint"] == checkpoint]


def _strata(names: Iterable[str]) -> str:
    found = set(names)
    return ", ".join(stratum.value for stratum in RAREST_FIRST if stratum.value in found) or ""


def _depth(depth: int | None) -> str:
    return str(depth) if depth else ""


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.0001 else "<0.0001"


def _title(indicator: str) -> str:
    return f"*{indicator}*" if indicator in {COLUMNS, PASS_RATE} else f"`{indicator}`"
