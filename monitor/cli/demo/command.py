"""`tailwatch demo`: sets the stage, plays the story, tells the end as text or JSON."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from io import StringIO
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from monitor.cli.app import asynchronous, cli, json_option, terminal
from monitor.cli.demo.board import Board, stage_medians, tell_average, tell_commands, tell_reasons
from monitor.cli.demo.folder import claim, lay_out
from monitor.cli.demo.story import ARRIVALS, BASELINE, Arrival, build_bank, checkpoints_folder, receive
from monitor.cli.serve import answering
from monitor.domain.errors import InvalidInput, PortTaken
from monitor.export.documents import reason_document
from monitor.verdicts.average import LIMIT, Shares, shares_of
from monitor.web.server import listen
from monitor.wiring import open_bench, open_deployment, open_source, strongest_sandbox

HOST = "127.0.0.1"
PICTURE_COLUMNS = 170


@cli.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path(".tailwatch/demo"),
    show_default=True,
    help="Where the demo's deployment is made; an earlier demo in it is removed, anything else refused.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=9817, show_default=True, help="0: any free one."
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw the last screen into this SVG file.",
)
@json_option
@asynchronous
async def demo(folder: Path, port: int, picture: Path | None, as_json: bool) -> None:
    """Watch seven real, tiny checkpoints arrive, and see which of them lost rare tasks.

    Builds the bank of generation 0, then decides on two controls trained on real data, an 8-bit copy,
    and three generations trained on their own unreviewed output.
    """
    speak, board, started = terminal(as_json=as_json), Board(), monotonic()
    origin = checkpoints_folder()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(port))
        claim(folder)
        isolation = await stack.enter_async_context(strongest_sandbox(slots=os.cpu_count() or 1))
        speak.progress.print(isolation.remark, highlight=False)
        options = lay_out(folder, backend=isolation.name, port=port)
        deployment = stack.enter_context(open_deployment(options))
        address = await stack.enter_async_context(answering(deployment, listener))
        stack.enter_context(
            Live(console=speak.progress, get_renderable=board.render, refresh_per_second=4, transient=True)
        )
        bench = await stack.enter_async_context(
            open_bench(deployment, sandbox=isolation.sandbox, watcher=board.watch)
        )
        await build_bank(bench, deployment.watch, origin / BASELINE)
        source = open_source(options)
        for name in ARRIVALS:
            board.arrived(
                await receive(bench, deployment.watch, source, origin / name, options.checkpoints.path)
            )
    seconds, shares = monotonic() - started, shares_of(deployment.watch.suite)

    def conclude(out: Console) -> None:
        out.print(board.render())
        tell_average(out, shares)
        tell_reasons(out, board.arrivals)
        out.print(f"{seconds:.0f} s in all, the bank and starting vLLM included.", highlight=False)
        isolated = isolation.name != "rlimits"
        tell_commands(out, shlex.quote(_program()), folder, address, isolated=isolated)

    if picture is not None:
        _draw(picture, conclude)
    speak.answer(_document(board, isolation.name, shares, seconds), conclude)


def _draw(picture: Path, conclude: Callable[[Console], None]) -> None:
    """Draw the last screen. Raises InvalidInput when the file cannot be written."""
    console = Console(record=True, file=StringIO(), width=PICTURE_COLUMNS)
    conclude(console)
    try:
        console.save_svg(str(picture), title="tailwatch demo")
    except OSError as exc:
        raise InvalidInput(
            f"The picture cannot be written to {picture}: {exc.strerror or exc}.",
            next_step="Name another file with --picture.",
        ) from exc


def _listen(port: int) -> socket.socket:
    """The socket of the metrics; first of all, so that a port that is taken costs nobody an earlier demo."""
    try:
        return listen(HOST, port)
    except PortTaken as taken:
        raise PortTaken(
            taken.message, next_step="End the program that holds it, or name another with --port."
        ) from taken


def _document(board: Board, sandbox: str, shares: Shares, seconds: float) -> dict[str, Any]:
    return {
        "baseline": BASELINE,
        "sandbox": sandbox,
        "average_only": {"limit": LIMIT, "shares": shares.of, "shares_measured": shares.measured},
        "checkpoints": [_arrival_document(arrival) for arrival in board.arrivals],
        "median_seconds": median(arrival.seconds for arrival in board.arrivals),
        "median_stage_seconds": stage_medians(board.arrivals),
        "seconds": seconds,
    }


def _arrival_document(arrival: Arrival) -> dict[str, Any]:
    decision = arrival.decision
    return {
        "name": arrival.name,
        "digest": arrival.evaluation.checkpoint.digest,
        "decision": decision.kind.value.upper(),
        "reasons": [reason_document(reason) for reason in decision.reasons],
        "average_only_decision": arrival.average.decision.value.upper(),
        "average": {"delta": arrival.average.change, "error": arrival.average.error},
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
        "stage_seconds": {stage.value: seconds for stage, seconds in arrival.evaluation.stage_s.items()},
    }


def _program() -> str:
    """What the reader types to start this program again: its name, or its path where PATH has another."""
    started = Path(sys.argv[0])
    found = shutil.which(started.name)
    return started.name if found and Path(found).absolute() == started.absolute() else str(started)
