"""`tailwatch demo`: sets the stage, plays the story, tells the end as text or JSON."""

from __future__ import annotations

import os
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

import click
from rich.console import Console

from monitor.cli.app import asynchronous, cli, json_option, terminal
from monitor.cli.demo.board import Board
from monitor.cli.demo.ending import Played, conclude, document, draw
from monitor.cli.demo.folder import claim, lay_out
from monitor.cli.demo.story import ARRIVALS, BASELINE, build_bank, checkpoints_folder, receive
from monitor.cli.serve import answering
from monitor.domain.errors import PortTaken
from monitor.verdicts.average import shares_of
from monitor.web.server import listen
from monitor.wiring import open_bench, open_deployment, open_source, strongest_sandbox

HOST = "127.0.0.1"


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
    speak = terminal(as_json=as_json)
    played = await _play(folder, port, speak.progress)
    if picture is not None:
        draw(picture, played)
    speak.answer(document(played), lambda out: conclude(out, played))


async def _play(folder: Path, port: int, progress: Console) -> Played:
    """Everything that is opened here is closed here, whatever goes wrong in between."""
    origin, board, started = checkpoints_folder(), Board(), monotonic()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(port))
        claim(folder)
        isolation = await stack.enter_async_context(strongest_sandbox(slots=os.cpu_count() or 1))
        progress.print(isolation.remark, highlight=False)
        options = lay_out(folder, backend=isolation.name, port=port)
        deployment = stack.enter_context(open_deployment(options))
        address = await stack.enter_async_context(answering(deployment, listener))
        stack.enter_context(board.shown_on(progress))
        bench = await stack.enter_async_context(
            open_bench(deployment, sandbox=isolation.sandbox, watcher=board.watch)
        )
        await build_bank(bench, deployment.watch, origin / BASELINE)
        source, to = open_source(options), options.checkpoints.path
        for name in ARRIVALS:
            board.arrived(await receive(bench, deployment.watch, source, origin / name, to))
    return Played(
        arrivals=tuple(board.arrivals),
        sandbox=isolation.name,
        shares=shares_of(deployment.watch.suite),
        folder=folder,
        address=address,
        seconds=monotonic() - started,
    )


def _listen(port: int) -> socket.socket:
    """The socket of the metrics; first of all, so that a port that is taken costs nobody an earlier demo."""
    try:
        return listen(HOST, port)
    except PortTaken as taken:
        raise PortTaken(
            taken.message, next_step="End the program that holds it, or name another with --port."
        ) from taken
