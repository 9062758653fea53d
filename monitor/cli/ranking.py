"""`tailwatch suite rank`, and why a task is as rare as it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from monitor.cli.app import json_option, terminal
from monitor.domain.tasks import RAREST_FIRST, Task
from monitor.rarity.corpus import count_folder
from monitor.rarity.score import Explanation
from monitor.rarity.table import RarityTable, load_table
from monitor.suites.loading import read_suite_files
from monitor.suites.ranking import Ranking, explain_task, moves, rank_suite, write_copy, write_in_place
from monitor.suites.request_logs import count_requests
from monitor.suites.shelves import find_suite

SHOWN_FEATURES = 10
"""Features of a task that are shown; what follows weighs nothing."""


@click.command()
@click.argument("name")
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with code to count instead of the shipped table.",
)
@click.option(
    "--requests",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON Lines file of requests to a model to count instead of the shipped table.",
)
@click.option("--write", is_flag=True, help="Write the scores into the suite's own files.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write a copy to a new folder.")
@json_option
def rank(
    name: str, corpus: Path | None, requests: Path | None, write: bool, out: Path | None, as_json: bool
) -> None:
    """Score how rare each task of the suite NAME is, and say which strata change.

    Without a corpus of your own, rarity is measured against human-written Python of before November 2022.
    """
    if corpus is not None and requests is not None:
        raise click.UsageError("Give --corpus or --requests, not both.")
    if write and out is not None:
        raise click.UsageError("Give --write or --out, not both.")
    folder = find_suite(name)
    ranking = rank_suite(read_suite_files(folder), _table(corpus, requests))
    if write:
        write_in_place(ranking, folder)
    if out is not None:
        write_copy(ranking, folder, out)
    written = folder if write else out
    terminal(as_json=as_json).answer(_document(ranking, written), lambda to: _print(to, ranking, written))


def explanation(task: Task) -> tuple[Explanation, str] | None:
    """Why a task has its score by the shipped table, and that table's name; None for answers."""
    table = load_table()
    found = explain_task(task, table)
    return None if found is None else (found, table.reference)


def explanation_document(task: Task) -> dict[str, Any]:
    """What ``--json`` tells of a task's rarity, empty for answers."""
    found = explanation(task)
    return {} if found is None else {"rarity_explained": {**asdict(found[0]), "corpus": found[1]}}


def print_explanation(out: Console, task: Task) -> None:
    """Show the features that make a task rare, rarest first."""
    found = explanation(task)
    if found is None:
        return
    told, corpus = found
    out.print(
        f"Rarity {told.score:.2f} bits by {corpus}: {told.language} {told.language_bits:.2f}, "
        f"features {told.feature_bits:.2f}",
        highlight=False,
    )
    if not told.features:
        remark = f"Features are only known of Python; a {told.language} program is weighed as a whole."
        out.print(remark, highlight=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("feature", "files", "bits", "weight"):
        table.add_column(heading, justify="left" if heading == "feature" else "right")
    for each in told.features[:SHOWN_FEATURES]:
        table.add_row(each.feature, str(each.documents), f"{each.bits:.2f}", f"{each.weight:.2f}")
    out.print(table)


def _table(corpus: Path | None, requests: Path | None) -> RarityTable:
    if corpus is not None:
        return count_folder(corpus)
    return load_table() if requests is None else count_requests(requests)


def _document(ranking: Ranking, written: Path | None) -> dict[str, Any]:
    return {
        "corpus": ranking.corpus,
        "written": None if written is None else str(written),
        "strata": _strata(ranking),
        "answers": list(ranking.answers),
        "doubts": list(ranking.doubts),
        "tasks": [asdict(row) for row in ranking.tasks],
    }


def _strata(ranking: Ranking) -> dict[str, int]:
    counts = Counter(row.after for row in ranking.tasks)
    return {stratum.value: counts[stratum] for stratum in RAREST_FIRST}


def _print(out: Console, ranking: Ranking, written: Path | None) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("task", "rarity", "before", "after", "language"):
        table.add_column(heading, justify="right" if heading == "rarity" else "left")
    for row in ranking.tasks:
        before = "" if row.before is row.after else row.before.value
        table.add_row(row.task_id, f"{row.rarity:.2f}", before, row.after.value, row.language)
    out.print(table)
    counts = ", ".join(f"{count} {stratum}" for stratum, count in _strata(ranking).items())
    moved = sum(moves(ranking).values())
    out.print(f"{counts} by {ranking.corpus}; {moved} tasks change their stratum.", highlight=False)
    if ranking.answers:
        remark = (
            f"{len(ranking.answers)} tasks are answers, no programs; they have the programs' median score."
        )
        out.print(remark, highlight=False)
    for doubt in ranking.doubts:
        out.print(doubt, highlight=False)
    out.print(f"Written to {written}." if written else "Nothing was written.", highlight=False)
