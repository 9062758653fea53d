"""The demo on the terminal, and as JSON."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monitor.cli.app import asynchronous, cli, json_option, terminal
from monitor.cli.demo.story import (
    ARRIVALS,
    BASELINE,
    Arrival,
    build_bank,
    checkpoints_folder,
    lay_out,
    receive,
)
from monitor.cli.serve import answering
from monitor.cli.tables import by_stratum, decided, evidence_cell
from monitor.domain.evaluation import Purpose, Stage
from monitor.domain.evidence import Decision
from monitor.domain.tasks import RAREST_FIRST
from monitor.export.documents import reason_document
from monitor.rounds.bench import Progress
from monitor.verdicts.average import average_only_decision
from monitor.wiring import open_bench, open_deployment, open_source, open_strongest_sandbox


@cli.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".tailwatch/demo"),
    show_default=True,
    help="Where the demo's deployment is made; an earlier demo in it is removed.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=9817, show_default=True, help="0: any free one."
)
@json_option
@asynchronous
async def demo(folder: Path, port: int, as_json: bool) -> None:
    """Watch seven real, tiny checkpoints arrive, and see which of them lost rare tasks.

    Builds the bank of generation 0, then decides on two controls trained on real data, an 8-bit copy,
    and three generations trained on their own unreviewed output.
    """
    speak = terminal(as_json=as_json)
    origin = checkpoints_folder()
    board = Board()
    started = monotonic()
    isolation = await open_strongest_sandbox(slots=os.cpu_count() or 1)
    speak.progress.print(isolation.remark, highlight=False)
    options = lay_out(folder, backend=isolation.name, port=port)
    with (
        open_deployment(options) as deployment,
        Live(console=speak.progress, get_renderable=board.render, refresh_per_second=4, transient=True),
    ):
        async with (
            answering(deployment) as address,
            open_bench(deployment, sandbox=isolation.sandbox, watcher=board.watch) as bench,
        ):
            await build_bank(bench, deployment.watch, origin / BASELINE)
            source = open_source(options)
            for name in ARRIVALS:
                board.arrived(
                    await receive(bench, deployment.watch, source, origin / name, options.checkpoints.path)
                )
    seconds = monotonic() - started
    document = _document(board, isolation.name, seconds)
    speak.answer(document, lambda out: _conclude(out, board, folder, address, seconds))


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
            decision = _decision(arrival)
            found = by_stratum(decision.findings)
            table.add_row(
                arrival.name,
                *(
                    evidence_cell(found[s].evidence, found[s].kind) if s in found else evidence_cell(None)
                    for s in RAREST_FIRST
                ),
                str(sum(f.evidence.samples for f in decision.findings)),
                f"{arrival.seconds:.0f}",
                decided(decision.kind),
                decided(average_only_decision(decision.findings)),
            )
        if self._running and self._progress is not None and self._progress.assessment is not None:
            found = by_stratum(self._progress.assessment.findings)
            table.add_row(
                self._progress.evaluation.checkpoint.name,
                *(
                    evidence_cell(found[s].evidence) if s in found else evidence_cell(None)
                    for s in RAREST_FIRST
                ),
                str(self._progress.samples),
                "",
                Text("…", style="dim"),
                "",
            )
        return table


def _decision(arrival: Arrival) -> Decision:
    assert arrival.evaluation.decision is not None
    return arrival.evaluation.decision


def _document(board: Board, sandbox: str, seconds: float) -> dict[str, Any]:
    return {
        "baseline": BASELINE,
        "sandbox": sandbox,
        "checkpoints": [_arrival_document(arrival) for arrival in board.arrivals],
        "median_seconds": median(arrival.seconds for arrival in board.arrivals),
        "median_stage_seconds": _stage_medians(board.arrivals),
        "seconds": seconds,
    }


def _stage_medians(arrivals: list[Arrival]) -> dict[str, float]:
    return {
        stage.value: median(arrival.evaluation.stage_s.get(stage, 0.0) for arrival in arrivals)
        for stage in Stage
    }


def _arrival_document(arrival: Arrival) -> dict[str, Any]:
    decision = _decision(arrival)
    return {
        "name": arrival.name,
        "digest": arrival.evaluation.checkpoint.digest,
        "decision": decision.kind.value.upper(),
        "reasons": [reason_document(reason) for reason in decision.reasons],
        "average_only_decision": average_only_decision(decision.findings).value.upper(),
        "strata": {
            finding.evidence.stratum.value: {
                "baseline": finding.evidence.baseline_ratio,
                "pass_ratio": finding.evidence.pass_ratio,
                "low": finding.evidence.pass_low,
                "high": finding.evidence.pass_high,
                "delta": finding.evidence.delta,
                "samples": finding.evidence.samples,
                "finding": finding.kind.value,
            }
            for finding in decision.findings
        },
        "seconds": arrival.seconds,
    }


def _conclude(out: Console, board: Board, folder: Path, address: str, seconds: float) -> None:
    out.print(board.render())
    for arrival in board.arrivals:
        decision = _decision(arrival)
        out.print(
            Text.assemble(f"{arrival.name:>9}  ", decided(decision.kind), f"  {decision.reasons[0].text}")
        )
    stages = ", ".join(f"{name} {value:.1f} s" for name, value in _stage_medians(board.arrivals).items())
    out.print(
        f"\nFrom settled to decided: median {median(a.seconds for a in board.arrivals):.1f} s ({stages}); "
        f"{seconds:.0f} s in all, the bank and starting vLLM included.",
        highlight=False,
    )
    config = folder / "tailwatch.yaml"
    out.print(
        f"Metrics were served at {address}/metrics and are again with the first of these:\n"
        f"  tailwatch serve -c {config}\n"
        f"  tailwatch status -c {config}\n"
        f"  tailwatch gate gen2 -c {config}; echo $?\n"
        f"  tailwatch compare control1 gen1 -c {config}",
        highlight=False,
    )
