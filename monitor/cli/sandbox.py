"""`tailwatch sandbox execute`: score existing generations."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from monitor.cli.app import ERROR, INTERRUPTED, asynchronous, cli, json_option
from monitor.config import SandboxBackend, SandboxOptions
from monitor.domain.samples import Outcome
from monitor.ports import Sandbox
from monitor.sandbox.inside.wording import printable
from monitor.sandbox.scoring import Scorer, read_programs
from monitor.suites.running import in_order
from monitor.wiring import open_sandbox

MAX_LINE = 1000
"""Most characters of a result for people."""
_IN_FLIGHT = 1024
"""Programs handed to the sandbox at once: enough for many slots, few enough to hold any file's results."""
_BETWEEN_LINES_S = 10.0

backend_option = click.option(
    "--backend",
    type=click.Choice([backend.value for backend in SandboxBackend]),
    default=SandboxBackend.DOCKER.value,
    show_default=True,
    help="What runs the programs.",
)


async def sandbox_for(backend: str, *, slots: int | None = None) -> Sandbox:
    """The sandbox that a command's options name."""
    options = SandboxOptions(backend=SandboxBackend(backend), slots=slots or os.cpu_count() or 1)
    return await open_sandbox(options, lambda _: None)


@cli.group()
def sandbox() -> None:
    """Run programs in the sandbox."""


@sandbox.command()
@click.argument("programs", type=click.Path(path_type=Path, dir_okay=False))
@backend_option
@click.option("--workers", type=click.IntRange(1), help="Programs at once.  [default: one per core]")
@json_option
@asynchronous
async def execute(programs: Path, backend: str, workers: int | None, as_json: bool) -> None:
    """Run PROGRAMS, a JSON Lines file of generations, and print what became of each.

    A line holds task_id, completion, test and entry_point, and may hold language, prompt,
    canonical_solution and time_limit_s. One line of output per line of input, in the same order, as soon
    as it is known. Exit code 0 when every program was scored, 3 otherwise.
    """
    submissions = read_programs(programs)
    opened = await sandbox_for(backend, slots=workers)
    told = Counter[str]()
    try:
        with _progress(len(submissions)) as advance:
            results = in_order(submissions, Scorer(opened).score, in_flight=_IN_FLIGHT)
            async with aclosing(results):
                async for record in results:
                    _tell(record, as_json=as_json)
                    told[record["outcome"]] += 1
                    advance(told.total())
    except asyncio.CancelledError:
        # Ctrl-C.
        click.echo(f"Interrupted: {told.total()} of {len(submissions)} programs are told above.", err=True)
        sys.exit(INTERRUPTED)
    finally:
        await opened.close()
    if not as_json:
        click.echo(f"{told[Outcome.PASSED]} of {told.total()} passed.")
    sys.exit(ERROR if told[Outcome.UNSCORED] else 0)


def _tell(record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one result, at once also into a pipe."""
    if as_json:
        click.echo(json.dumps(record, allow_nan=False))
    else:
        line = f"{record['task_id']}  {record['outcome']}  {record['cpu_s']:.2f} s  {record['detail']}"
        click.echo(printable(line.rstrip(), MAX_LINE))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Tell how far it is on standard error: a bar, or lines where that is no terminal.

    On a terminal that shows the results themselves there is nothing to add.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(total)
    elif sys.stdout.isatty():
        yield lambda _: None
    else:
        with Progress(console=console, transient=True, redirect_stdout=False) as bar:
            line = bar.add_task("programs", total=total)
            yield lambda done: bar.update(line, completed=done)


def _lines(total: int) -> Callable[[int], None]:
    next_s = time.monotonic() + _BETWEEN_LINES_S

    def advance(done: int) -> None:
        nonlocal next_s
        if time.monotonic() >= next_s:
            click.echo(f"{done} of {total} programs", err=True)
            next_s = time.monotonic() + _BETWEEN_LINES_S

    return advance
