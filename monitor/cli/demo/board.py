"""The demo's live table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monitor.cli.demo.story import BASELINE, Arrival
from monitor.cli.tables import by_stratum, decided, evidence_cell, points
from monitor.domain.evaluation import Purpose
from monitor.domain.evidence import Finding
from monitor.domain.tasks import RAREST_FIRST
from monitor.rounds.bench import Progress
from monitor.verdicts.average import Average


class Board:
    """The live table, and what it is made of."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self._progress: Progress | None = None

    def shown_on(self, console: Console) -> Live:
        """Show it there while the context is open."""
        return Live(console=console, get_renderable=self.render, refresh_per_second=4, transient=True)

    def watch(self, progress: Progress) -> None:
        """Take note of a wave."""
        self._progress = progress

    def arrived(self, arrival: Arrival) -> None:
        """Take note of a decision."""
        self.arrivals.append(arrival)
        self._progress = None

    def render(self) -> RenderableType:
        """The table as it stands."""
        parts: list[RenderableType] = [self._table()] if self.arrivals or self._running else []
        if self._progress is None and not self.arrivals:
            parts.append(Text("Starting vLLM …", style="dim"))
        elif self._progress is not None and not self._running:
            done = f"{self._progress.samples} of {self._progress.expected} samples"
            parts.append(Text(f"Drawing the bank of {BASELINE}: {done}", style="dim"))
        return Group(*parts)

    @property
    def _running(self) -> bool:
        return self._progress is not None and self._progress.evaluation.key.purpose is not Purpose.BANK

    def _table(self) -> Table:
        table = arrivals_table(self.arrivals)
        if self._running and self._progress is not None and self._progress.assessment is not None:
            table.add_row(*_running_row(self._progress))
        return table


def arrivals_table(arrivals: Sequence[Arrival]) -> Table:
    """One row per decided checkpoint."""
    table = Table(title=f"Candidates against {BASELINE}: pass rate, points of difference, interval")
    for heading in (
        "checkpoint",
        *(stratum.value for stratum in RAREST_FIRST),
        "samples",
        "s",
        "decision",
        "average only",
    ):
        table.add_column(heading, justify="right" if heading in {"samples", "s"} else "left")
    for arrival in arrivals:
        table.add_row(*_decided_row(arrival))
    return table


def _decided_row(arrival: Arrival) -> list[Text | str]:
    findings = arrival.decision.findings
    found = by_stratum(findings)
    return [
        arrival.name,
        *(
            evidence_cell(found[s].evidence, found[s].kind) if s in found else evidence_cell(None)
            for s in RAREST_FIRST
        ),
        str(sum(_spent(finding) for finding in findings)),
        f"{arrival.seconds:.0f}",
        decided(arrival.decision.kind),
        _average_cell(arrival.average),
    ]


def _spent(finding: Finding) -> int:
    """Samples that a finding rests on, those of its confirmation included."""
    return finding.evidence.samples + (finding.confirming.samples if finding.confirming else 0)


def _average_cell(average: Average) -> Text:
    """Points that the average moved by, their standard error, and what a gate on it would say."""
    if average.change is None or average.error is None:
        return decided(average.decision)
    return Text.assemble(f"{points(average.change)} ±{100 * average.error:.1f} ", decided(average.decision))


def _running_row(progress: Progress) -> list[Text | str]:
    found = by_stratum(progress.assessment.findings) if progress.assessment else {}
    return [
        progress.evaluation.checkpoint.name,
        *(evidence_cell(found[s].evidence) if s in found else evidence_cell(None) for s in RAREST_FIRST),
        str(progress.samples),
        "",
        Text("…", style="dim"),
        "",
    ]
