"""Results as markdown tables, and their place in the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.detection.studies import CHANGES, DESIGNS, RIVALS, STREAM, STREAMS, UNCHANGED

BEGIN = "<!-- begin: python -m benchmarks.detection -->"
END = "<!-- end: python -m benchmarks.detection -->"
POWER = 0.90

Row = dict[str, Any]


def renew(page: Path, text: str) -> None:
    """Replace what stands between the marks of a page.

    Raises:
        ValueError: the page has no marks.
    """
    page.write_text(renewed(page.read_text(), text, begin=BEGIN, end=END))


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
    """What each gate needs for a power of .90 against a 10-point drop of the tail."""
    body = [[rival, *chain_of(fixed_cells(rows, rival, design) for design in DESIGNS)] for rival in RIVALS]
    for method in ("betting e-process", "triangular test", "screening"):
        name = "**Tailwatch**, screening" if method == "screening" else method
        body.append([name, *chain_of(sequential_cells(rows, method, design) for design in DESIGNS)])
    head = ["gate"]
    for design in DESIGNS:
        head += [f"{design}: false alarms", "power", "samples unchanged / dropped"]
    return table(head, body)


def chain_of(cells: Any) -> list[str]:
    """Cells of several designs in one line."""
    return [cell for group in cells for cell in group]


def fixed_cells(rows: Sequence[Row], rival: str, design: str) -> list[str]:
    """The smallest fixed size with enough power, else the largest tried."""
    drops = pick(rows, method="fixed size", design=design, change="drop 10")
    nulls = pick(rows, method="fixed size", design=design, change="unchanged")
    enough = [row for row in drops if row[rival] >= POWER]
    chosen = enough[0] if enough else drops[-1]
    null = next(row for row in nulls if row["samples"] == chosen["samples"])
    size = f"{chosen['samples']:.0f}"
    return [
        rate(null, rival),
        rate(chosen, rival),
        size if enough else f"never ({size} tried)",
    ]


def sequential_cells(rows: Sequence[Row], method: str, design: str) -> list[str]:
    """A sequential gate's figures."""
    (null,) = pick(rows, method=method, design=design, change="unchanged", rho=0.0)
    (drop,) = pick(rows, method=method, design=design, change="drop 10", rho=0.0)
    return [
        rate(null, "reject"),
        rate(drop, "reject"),
        f"{null['samples']:.0f} / {drop['samples']:.0f}",
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
        ]
        for method in methods
        for design in DESIGNS
        for row in pick(rows, method=method, design=design)
    ]
    return table(["gate", "strata", "rho", "candidate", "REJECT", "tail samples", "all samples"], body)


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
