"""`tailwatch sandbox execute`: score existing generations."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from monitor.cli.app import ERROR, asynchronous, cli, json_option, terminal
from monitor.config import SandboxBackend, SandboxOptions
from monitor.ports import Sandbox
from monitor.sandbox.scoring import any_unscored, read_programs, score
from monitor.wiring import open_sandbox

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
    canonical_solution and time_limit_s. One line of output per line of input, in the same order.
    Exit code 0 when every program was scored, 3 otherwise.
    """
    submissions = read_programs(programs)
    speak = terminal(as_json=as_json)
    opened = await sandbox_for(backend, slots=workers)
    try:
        with Progress(console=speak.progress, disable=not speak.progress.is_terminal, transient=True) as bar:
            line = bar.add_task("programs", total=len(submissions))
            records = await score(submissions, opened, on_done=lambda _: bar.advance(line))
    finally:
        await opened.close()
    if as_json:
        for record in records:
            click.echo(json.dumps(record, allow_nan=False))
    else:
        _render(speak.out, records)
    sys.exit(ERROR if any_unscored(records) else 0)


def _render(out: Console, records: list[dict[str, object]]) -> None:
    for record in records:
        line = f"{record['task_id']}  {record['outcome']}  {record['cpu_s']:.2f} s  {record['detail']}"
        out.print(line.rstrip(), highlight=False, markup=False)
    passed = sum(record["outcome"] == "passed" for record in records)
    out.print(f"{passed} of {len(records)} passed.", highlight=False)
