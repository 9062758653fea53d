"""Results as markdown tables, and their place in the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.detection.report import renewed, table

BEGIN = "<!-- begin: python -m benchmarks.coupling -->"
END = "<!-- end: python -m benchmarks.coupling -->"

Results = Mapping[str, Any]


def renew(page: Path, text: str) -> None:
    """Replace what stands between the marks of a page.

    Raises:
        ValueError: the page has no marks.
    """
    page.write_text(renewed(page.read_text(encoding="utf-8"), text, begin=BEGIN, end=END), encoding="utf-8")


def tables(results: Results) -> str:
    """Both tables."""
    return f"{likeness_table(results)}\n\n{decision_table(results)}"


def likeness_table(results: Results) -> str:
    """How alike each checkpoint and the bank are."""
    body = [
        [
            name,
            row["stratum"],
            f"{row['baseline_ratio']:.2f} → {row['pass_ratio']:.2f}",
            figure(row["same_seed"]),
            figure(row["other_seed"]),
            figure(row["weight"]),
            figure(row["variance_factor"]),
            f"{row['same_text']:.0%}",
        ]
        for name, found in results["checkpoints"].items()
        for row in found["likeness"]
    ]
    head = ["candidate", "stratum", "pass ratio", "rho, same seed", "rho, other seed"]
    return table([*head, "b", "variance left", "same text"], body)


def decision_table(results: Results) -> str:
    """What the gate answers with and without coupling, and after how many samples."""
    body = []
    for name, found in results["checkpoints"].items():
        for how in ("coupled", "uncoupled"):
            row = found[how]
            answers = [
                f"{kind.upper()} {share:.0%}" for kind, share in row["decisions"].items() if share > 0.0
            ]
            counts = [f"{row[count]:.0f}" for count in ("tail_samples", "samples", "samples_p95")]
            body.append([name, how, ", ".join(answers), *counts])
    return table(["candidate", "comparison", "answers", "tail samples", "all samples", "95 %"], body)


def figure(value: float | None) -> str:
    """Two decimals; a dash where there is none.

    >>> figure(0.954), figure(None)
    ('0.95', '-')
    """
    return "-" if value is None else f"{value:.2f}"
