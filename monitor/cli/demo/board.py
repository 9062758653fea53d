"""The demo's live table, and its last screen."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.cli.demo.story import BASELINE, Arrival
from monitor.cli.tables import by_stratum, decided, evidence_cell, points
from monitor.config import FILE_NAME
from monitor.domain.evaluation import Purpose, Stage
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.rounds.bench import Progress
from monitor.verdicts.average import LIMIT, Average, Shares


class Board:
    """The live table, and what it is made of."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self._progress: Progress | None = None

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
        table = Table(title=f"Candidates against {BASELINE}: pass rate, points of difference, interval")
        for heading in (
            "checkpoint",
            *(s.value for s in RAREST_FIRST),
            "samples",
            "s",
            "decision",
            "average only",
        ):
            table.add_column(heading, justify="right" if heading in {"samples", "s"} else "left")
        for arrival in self.arrivals:
            table.add_row(*_decided_row(arrival))
        if self._running and self._progress is not None and self._progress.assessment is not None:
            table.add_row(*_running_row(self._progress))
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
        str(sum(f.evidence.samples for f in findings)),
        f"{arrival.seconds:.0f}",
        decided(arrival.decision.kind),
        _average_cell(arrival.average),
    ]


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


def stage_medians(arrivals: Sequence[Arrival]) -> dict[str, float]:
    """Median seconds of each stage of an evaluation."""
    return {
        stage.value: median(arrival.evaluation.stage_s.get(stage, 0.0) for arrival in arrivals)
        for stage in Stage
    }


def tell_reasons(out: Console, arrivals: Sequence[Arrival]) -> None:
    """The first reason of each decision, and where the time went."""
    for arrival in arrivals:
        decision = arrival.decision
        out.print(
            Text.assemble(f"{arrival.name:>9}  ", decided(decision.kind), f"  {decision.reasons[0].text}")
        )
    stages = ", ".join(f"{name} {value:.1f} s" for name, value in stage_medians(arrivals).items())
    out.print(
        f"\nFrom settled to decided: median {median(a.seconds for a in arrivals):.1f} s ({stages}).",
        highlight=False,
    )


def tell_average(out: Console, shares: Shares) -> None:
    """What the last column is made of."""
    weights = ", ".join(f"{s.value} {100 * shares.of.get(s, 0.0):.1f} %" for s in Stratum)
    origin = "measured shares of traffic" if shares.measured else "shares of the suite's tasks"
    out.print(
        f"\nAverage only: the same samples as one average ({origin}: {weights}); its change in points ± "
        f"standard error, and what a gate would say that rejects a fall by more than {100 * LIMIT:.0f}.",
        highlight=False,
    )


def tell_commands(out: Console, program: str, folder: Path, address: str, *, isolated: bool) -> None:
    """How to look further, by commands that run as they stand.

    Args:
        out: where to.
        program: how the reader starts this program.
        folder: the demo's.
        address: where metrics were served.
        isolated: whether this machine has a sandbox for commands that run programs.
    """
    config = shlex.quote(str(folder / FILE_NAME))
    commands = [f"status -c {config}", f"gate gen2 -c {config}; echo $?"]
    if isolated:
        commands = [f"serve -c {config}", *commands, f"compare control1 gen1 -c {config}"]
        out.print(f"Metrics were served at {address}/metrics and are again with the first of these:")
    else:
        out.print(f"Metrics were served at {address}/metrics. Without a sandbox, these can be asked:")
    for command in commands:
        out.print(f"  {program} {command}", highlight=False, soft_wrap=True)
