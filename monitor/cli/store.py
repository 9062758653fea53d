"""`tailwatch store verify`: do the aggregates still agree with what they count?"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from monitor.cli.app import ERROR, cli, config_option, json_option, terminal
from monitor.config import load_options
from monitor.store import Difference, open_store


@cli.group()
def store() -> None:
    """Look after the store."""


@store.command()
@click.option("--rebuild", is_flag=True, help="Write the recounted figures where they differ.")
@config_option
@json_option
def verify(rebuild: bool, config: Path | None, as_json: bool) -> None:
    """Recount every aggregate and list what differs; exit code 3 when something is left wrong."""
    opened = open_store(load_options(config).store)
    try:
        differences = opened.rebuild() if rebuild else opened.verify()
    finally:
        opened.close()
    document = {"differences": [asdict(each) for each in differences], "rebuilt": rebuild}
    terminal(as_json=as_json).answer(document, lambda out: _render(out, differences, rebuild=rebuild))
    sys.exit(ERROR if differences and not rebuild else 0)


def _render(out: Console, differences: tuple[Difference, ...], *, rebuild: bool) -> None:
    if not differences:
        out.print("Every aggregate agrees with the samples it counts.")
    for each in differences:
        out.print(
            f"{each.evaluation_id} {each.counted}: stored {each.stored}, recounted {each.recounted}"
            + (", mended" if rebuild else ""),
            highlight=False,
        )
