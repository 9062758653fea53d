"""Results as markdown tables, and their place in the documentation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.detection.population import POPULATIONS
from benchmarks.detection.promises import DROPS, MARGINS, Promise, margin_of, needed, promises
from benchmarks.detection.studies import (
    CHANGES,
    DESIGNS,
    LINES,
    RIVALS,
    SHALLOW,
    STRATA,
    STREAM,
    STREAMS,
    TAPERS,
    TASKS,
    UNCHANGED,
)

BEGIN = "<!-- begin: python -m benchmarks.detection -->"
END = "<!-- end: python -m benchmarks.detection -->"
PROMISES_BEGIN = "<!-- begin: python -m benchmarks.detection --study promises -->"
PROMISES_END = "<!-- end: python -m benchmarks.detection --study promises -->"
POWER = 0.90

Row = dict[str, Any]


def renew(page: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between the marks of a page.

    Raises:
        ValueError: the page has no marks.
    """
    page.write_text(renewed(page.read_text(), text, begin=begin, end=end))


def renewed(page: str, text: str, *, begin: str, end: str) -> str:
    """A page with another text between two marks.

    Raises:
        ValueError: the page has no such marks.
    """
    before, opening, rest = page.partition(begin)
    _, closing, after = rest.partition(end)
    if not (opening and closing):
        raise ValueError(f"the page has no {begin} … {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def tables(rows: Sequence[Row]) -> str:
    """All tables."""
    parts = [
        ("Against the usual gates", comparison(rows)),
        ("The gate by itself", own(rows)),
        ("With coupling", coupled(rows)),
        ("Each stratum alone", singles(rows)),
        ("The taper", tapers(rows)),
        ("Shallow banks", shallow(rows)),
        ("Over many checkpoints", many(rows)),
        ("Slow decline by the e-process", accumulated(rows)),
    ]
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in parts)


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A markdown table.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(
        "|" + "|".join(cell if cell == "---" else f" {cell} " for cell in line) + "|" for line in lines
    )


def pick(rows: Sequence[Row], **wanted: object) -> list[Row]:
    """Rows with these values."""
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def rate(row: Row, name: str) -> str:
    """A share with its Monte-Carlo error in units of the last digit.

    >>> rate({"reject": 0.0412, "reject_error": 0.0014}, "reject")
    '.041 ± .001'
    """
    return f"{row[name]:.3f} ± {row[f'{name}_error']:.3f}".replace("0.", ".")


def comparison(rows: Sequence[Row]) -> str:
    """Share of rejected candidates; gates of fixed size have the fewest samples that give enough power."""
    body = []
    for design in DESIGNS:
        body += [fixed_line(rows, rival, design) for rival in RIVALS]
        for method in ("betting e-process", "triangular test", "screening"):
            name = "**Tailwatch**, screening" if method == "screening" else method
            body.append([name, design, *sequential_cells(rows, method, design)])
    return table(
        ["gate", "strata", *CHANGES, "samples unchanged / drop 10", "95 % unchanged / drop 10"], body
    )


def fixed_line(rows: Sequence[Row], rival: str, design: str) -> list[str]:
    """The smallest fixed size with enough power, else the largest tried."""
    sizes = pick(rows, method="fixed size", design=design)
    drops = [row for row in sizes if row["change"] == "drop 10"]
    enough = [row for row in drops if row[rival] >= POWER]
    samples = (enough[0] if enough else drops[-1])["samples"]
    shares = [rate(row, rival) for change in CHANGES for row in pick(sizes, change=change, samples=samples)]
    said = f"{samples:.0f}" if enough else f"never ({samples:.0f} tried)"
    return [rival, design, *shares, said, f"{samples:.0f}" if enough else "-"]


def sequential_cells(rows: Sequence[Row], method: str, design: str) -> list[str]:
    """A sequential gate's figures."""
    found = {row["change"]: row for row in pick(rows, method=method, design=design, rho=0.0)}
    null, drop = found["unchanged"], found["drop 10"]
    return [
        *(rate(found[change], "reject") for change in CHANGES),
        f"{null['samples']:.0f} / {drop['samples']:.0f}",
        f"{null['samples_p95']:.0f} / {drop['samples_p95']:.0f}",
    ]


def own(rows: Sequence[Row]) -> str:
    """All changes, with and without confirmation and in waves."""
    methods = ("screening", "screening, waves of 60", "screening and confirmation")
    body = [
        [
            method,
            design,
            change,
            rate(row, "reject"),
            f"{row['hold']:.3f}".replace("0.", "."),
            f"{row['tail_samples']:.0f}",
            f"{row['samples']:.0f}",
            f"{row['samples_p95']:.0f}",
        ]
        for method in methods
        for design in DESIGNS
        for change in CHANGES
        for row in pick(rows, method=method, design=design, change=change)
    ]
    head = ["gate", "strata", "candidate", "REJECT", "HOLD", "tail samples", "all samples", "95 %"]
    return table(head, body)


def coupled(rows: Sequence[Row]) -> str:
    """Coupled samples at several correlations."""
    methods = ("screening, coupled", "screening and confirmation, coupled")
    body = [
        [
            method,
            design,
            f"{row['rho']:g}",
            row["change"],
            rate(row, "reject"),
            f"{row['tail_samples']:.0f}",
            f"{row['samples']:.0f}",
            f"{row['samples_p95']:.0f}",
        ]
        for method in methods
        for design in DESIGNS
        for row in pick(rows, method=method, design=design)
    ]
    head = ["gate", "strata", "rho", "candidate", "REJECT", "tail samples", "all samples", "95 %"]
    return table(head, body)


def tapers(rows: Sequence[Row]) -> str:
    """The whole gate with lines between Wald's and the triangle's."""
    body = [
        [
            f"{taper:.2f}",
            design,
            rate(row["churn 100 %"], "screened"),
            rate(row["drop 10"], "reject"),
            *(f"{row[change]['samples']:.0f}" for change in ("unchanged", "drop 5", "drop 10")),
            f"{row['drop 5']['samples_p95']:.0f}",
            f"{row['drop 10']['tail_samples']:.0f}",
        ]
        for taper in TAPERS
        for design in DESIGNS
        for row in [{one["change"]: one for one in pick(rows, method="taper", taper=taper, design=design)}]
    ]
    head = ["taper", "strata", "screened, churn 100 %", "power", "samples unchanged", "drop 5", "drop 10"]
    return table([*head, "95 % at drop 5", "tail samples at drop 10"], body)


def singles(rows: Sequence[Row]) -> str:
    """What the normal approximation takes of alpha and beta in each stratum, and what remains."""
    body = []
    for stratum in STRATA:
        for tasks in TASKS:
            line = [stratum, f"{tasks}"]
            for lines in LINES:
                cells = pick(rows, method=f"{stratum} alone, {lines} lines", design=f"{tasks}")
                line += [rate(row, "steady" if row["change"] == "drop 10" else "regressed") for row in cells]
            body.append(line)
    head = [
        f"{lines} lines: {what}"
        for lines in LINES
        for what in ("REGRESSED unchanged", "churn 100 %", "STEADY at drop 10")
    ]
    return table(["stratum", "tasks", *head], body)


def shallow(rows: Sequence[Row]) -> str:
    """How the tail's screening ends where the bank bears it barely, and where well."""
    body = []
    for tasks, depths in SHALLOW.items():
        for depth in depths:
            cells = pick(rows, method="shallow bank", design=f"{tasks} tasks, bank of {depth}")
            null, half, drop = cells
            body.append(
                [
                    f"{tasks}",
                    f"{depth}",
                    rate(null, "regressed"),
                    rate(drop, "regressed"),
                    *(rate(row, "undecided") for row in cells),
                    " / ".join(f"{row['samples']:.0f}" for row in (null, half, drop)),
                ]
            )
    head = ["tasks", "bank", "REGRESSED unchanged", "REGRESSED at drop 10", "UNDECIDED unchanged"]
    return table([*head, "drop 5", "drop 10", "samples unchanged / drop 5 / drop 10"], body)


def many(rows: Sequence[Row]) -> str:
    """Streams and slow decline."""
    body: list[list[str]] = []
    for design in DESIGNS:
        for method, _, _ in STREAMS:
            body.extend(
                [method, design, f"some REJECT in {rate(row, 'streams_with_reject')} of streams"]
                for row in pick(rows, method=method, design=design)
            )
        for row in pick(rows, method="slow decline", design=design):
            body.extend(declines(row, design))
    return table(["what", "strata", "result"], body)


def declines(row: Row, design: str) -> list[list[str]]:
    """Who found a slow decline, and when."""
    body = []
    for name, said in (
        ("previous", "gate against the previous checkpoint"),
        ("frozen", "gate against the frozen baseline"),
    ):
        found = f"found in {rate(row, f'{name}_found')} of streams"
        when = f"median at checkpoint {row[f'{name}_median']:.0f}"
        body.append([f"1 point lost per checkpoint, 20 of them: {said}", design, f"{found}, {when}"])
    return body


def accumulated(rows: Sequence[Row]) -> str:
    """The e-process against the anchor, for checkpoints alike at equal seeds to any degree."""
    body = [
        [
            design,
            f"{row['rho']:g}",
            f"{row['tail_samples']:.0f}",
            rate(row, "e_process_found"),
            f"{row['e_process_median']:.0f}",
            rate(row, "false_alarm"),
            rate(row, "false_alarm_long"),
        ]
        for design in DESIGNS
        for row in pick(rows, method="e-process", design=design)
    ]
    lost = "1 point lost per checkpoint: found within 20"
    unchanged = [f"unchanged: some alarm in {length} checkpoints" for length in (STREAM, UNCHANGED)]
    return table(["strata", "rho", "tail samples each", lost, "median at", *unchanged], body)


def worst(rows: Sequence[Row]) -> list[int]:
    """Places of the cells that break each promise most often, one of each population."""
    found = {
        max(cells, key=lambda row: row[promise.name])["place"]
        for promise in promises()
        for name in POPULATIONS
        if (cells := [row for row in pick(rows, method=name) if promise.name in row])
    }
    return sorted(found)


def kept_tables(rows: Sequence[Row]) -> str:
    """How the promises are kept, where they are not, and what a bank must hold for them."""
    body = [kept_line(name, pick(rows, method=name)) for name in POPULATIONS]
    said = [f"{promise.said}, at most {promise.rate:.3f}".replace("0.", ".") for promise in promises()]
    head = ["pass probabilities", "cells", *said, "bias unchanged", "bias at the margin", "UNDECIDED"]
    return "\n\n".join((table(head, body), broken(rows), banks()))


def kept_line(name: str, rows: Sequence[Row]) -> list[str]:
    """Mean over the cells, and the worst of them drawn again; biases in points."""
    first = [row for row in rows if not row.get("again")]
    again = [row for row in rows if row.get("again")]
    shares = []
    for promise in promises():
        mean = _mean([row[promise.name] for row in first if promise.name in row])
        top = max((row for row in again if promise.name in row), key=lambda row: row[promise.name])
        shares.append(f"{mean:.3f}; {rate(top, promise.name)}".replace("0.", "."))
    biases = [
        f"{100 * _mean([row['bias'] for row in first if (row['change'] in DROPS) is drop]):+.1f}"
        for drop in (False, True)
    ]
    undecided = f"{_mean([row['undecided'] for row in first]):.3f}".replace("0.", ".")
    return [name, f"{len(first)}", *shares, *biases, undecided]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def broken(rows: Sequence[Row]) -> str:
    """Cells that, drawn again, break a promise by more than three Monte-Carlo errors."""
    found = [
        f"- {row['method']}, {row['design']}, {row['change']}: {promise.said} {rate(row, promise.name)}"
        for row in rows
        if row.get("again")
        for promise in promises()
        if promise.name in row and beyond(row, promise)
    ]
    return (
        "\n".join(["Beyond a promise by more than three errors, drawn again:", "", *found])
        if found
        else ("No cell is beyond a promise by more than three errors when it is drawn again.")
    )


def beyond(row: Row, promise: Promise) -> bool:
    """Whether a cell breaks a promise by more than chance."""
    return bool(
        row[promise.name] > promise.rate + 3.0 * math.sqrt(promise.rate * (1.0 - promise.rate) / row["runs"])
    )


def banks() -> str:
    """Bank samples from which each population and margin can be decided; fewer are no cell of the grid."""
    body = [
        [name, *(least_bank(kind, margin) for margin in MARGINS)] for kind, name in enumerate(POPULATIONS)
    ]
    margins = [f"margin {100 * margin:g}" for margin in MARGINS]
    return table(["bank samples, tasks times depth", *margins], body)


def least_bank(kind: int, margin: float) -> str:
    """In brackets where the population passes too little for the margin, and a smaller drop matters."""
    samples = needed(kind, margin)
    return f"{samples}" if margin_of(kind, margin) == margin else f"({samples})"
