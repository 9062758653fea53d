"""`tailwatch suite`: list, show, validate, import and compare suites of tasks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from monitor.cli.app import asynchronous, cli, json_option, terminal
from monitor.cli.ranking import explanation_document, print_explanation, rank
from monitor.cli.sandbox import backend_option, sandbox_for
from monitor.cli.suite_validate import validate
from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Suite, Task
from monitor.suites.comparing import SuiteDifference, compare_suites
from monitor.suites.importing.formats import Format
from monitor.suites.importing.importer import ImportOrder, import_suite
from monitor.suites.loading import doubts, load_suite
from monitor.suites.near_duplicates import NEAR, Likeness, closest, passages_of, read_passages
from monitor.suites.prompt_likeness import likest_prompts
from monitor.suites.shelves import known_suites

SHOWN_PAIRS = 5
"""Pairs that are shown even when they are far from being near-duplicates."""


@cli.group()
def suite() -> None:
    """Look at suites, check them, and bring in public benchmarks."""


suite.add_command(rank)
suite.add_command(validate)


@suite.command("list")
@json_option
def list_suites(as_json: bool) -> None:
    """List the suites that come with Tailwatch."""
    loaded = [(load_suite(folder), folder) for folder in known_suites().values()]
    documents = [{**_header(each), "folder": str(folder)} for each, folder in loaded]

    def render(out: Console) -> None:
        for each, _ in loaded:
            counts = ", ".join(f"{len(each.stratum(s))} {s.value}" for s in each.strata)
            out.print(f"{each.name} {each.version}: {counts}. {each.description}", highlight=False)

    terminal(as_json=as_json).answer({"suites": documents}, render)


@suite.command()
@click.argument("name")
@click.argument("task_id", required=False)
@json_option
def show(name: str, task_id: str | None, as_json: bool) -> None:
    """Show the suite NAME, or one task of it with everything that decides its outcome."""
    loaded = load_suite(name)
    if task_id is not None and task_id not in loaded:
        raise InvalidSuite(
            f"Suite {loaded.name} has no task {task_id!r}.",
            next_step=f"List them: tailwatch suite show {name}.",
        )
    speak = terminal(as_json=as_json)
    if task_id is not None:
        task = loaded[task_id]
        speak.answer({**asdict(task), **explanation_document(task)}, lambda out: _print_task(out, task))
    else:
        document = {
            **_header(loaded),
            "tasks": [_summary(task) for task in loaded],
            "doubts": list(doubts(loaded)),
        }
        speak.answer(document, lambda out: _print_suite(out, loaded))


@suite.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "benchmark", type=click.Choice([f.value for f in Format]), required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@click.option("--name", help="Name of the suite.  [default: the folder's]")
@click.option("--licence", help="SPDX licence of the tasks.  [default: the benchmark's]")
@click.option("--source", help="Where the tasks come from.  [default: the benchmark's]")
@click.option("--trust", is_flag=True, help="Do not run the reference solutions.")
@backend_option
@json_option
@asynchronous
async def import_benchmark(
    files: tuple[Path, ...],
    benchmark: str,
    out: Path,
    name: str | None,
    licence: str | None,
    source: str | None,
    trust: bool,
    backend: str,
    as_json: bool,
) -> None:
    """Make a suite of a public benchmark's FILES, or of tasks of your own (--format jsonl).

    Tasks whose own reference solution fails here are left out and named.
    """
    order = ImportOrder(
        format=Format(benchmark),
        files=files,
        out=out,
        name=name or out.name,
        licence=licence,
        source=source,
    )
    sandbox = None if trust else await sandbox_for(backend)
    try:
        report = await import_suite(order, sandbox)
    finally:
        if sandbox is not None:
            await sandbox.close()

    def render(console: Console) -> None:
        for each in report.left_out:
            console.print(f"left out {each.task_id}: {each.detail}", highlight=False, markup=False)
        console.print(
            f"Imported {report.imported} tasks to {report.folder}, {len(report.left_out)} left out.",
            highlight=False,
        )
        if report.own_stops:
            console.print(f"{report.own_stops} tasks have stops of their own.", highlight=False)

    document = {**asdict(report), "folder": str(report.folder)}
    terminal(as_json=as_json).answer(document, render)


@suite.command()
@click.argument("before")
@click.argument("after")
@json_option
def diff(before: str, after: str, as_json: bool) -> None:
    """Show which tasks differ between two suites, and which changed their stratum."""
    difference = compare_suites(load_suite(before), load_suite(after))
    terminal(as_json=as_json).answer(asdict(difference), lambda out: _print_difference(out, difference))


@suite.command()
@click.argument("name")
@click.option(
    "--against", multiple=True, metavar="SUITE_OR_FILE", help="Also compare with these; JSON Lines if a file."
)
@json_option
def duplicates(name: str, against: tuple[str, ...], as_json: bool) -> None:
    """Find tasks of NAME that say nearly the same as each other, or as those of other suites.

    Exit code 0 when there are none, 1 otherwise.
    """
    loaded = load_suite(name)
    own = passages_of(loaded)
    others = [each for source in against for each in read_passages(source)]
    pairs = closest(own, others, most=SHOWN_PAIRS)
    near = [pair for pair in pairs if pair.similarity >= NEAR]
    alike = likest_prompts(list(loaded), most=SHOWN_PAIRS)

    def render(out: Console) -> None:
        _print_pairs(out, pairs)
        out.print("Prompts that are most alike, to be read:", highlight=False)
        _print_pairs(out, alike)
        compared = f"{len(own)} tasks compared with each other and {len(others)} more"
        out.print(f"{len(near)} near-duplicates, {NEAR:g} or more; {compared}.", highlight=False)

    document = {
        "tasks": len(own),
        "others": len(others),
        "threshold": NEAR,
        "near_duplicates": len(near),
        "closest": [asdict(pair) for pair in pairs],
        "prompts_alike": [asdict(pair) for pair in alike],
    }
    terminal(as_json=as_json).answer(document, render)
    sys.exit(1 if near else 0)


def _print_pairs(out: Console, pairs: Sequence[Likeness]) -> None:
    for pair in pairs:
        line = f"{pair.similarity:.3f}  {pair.task_id}  {pair.other}"
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def _header(loaded: Suite) -> dict[str, Any]:
    return {
        "name": loaded.name,
        "version": loaded.version,
        "digest": loaded.digest,
        "licence": loaded.licence,
        "description": loaded.description,
        "rarity_method": loaded.rarity_method,
        "strata": {stratum.value: len(loaded.stratum(stratum)) for stratum in loaded.strata},
    }


def _summary(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "stratum": task.stratum.value,
        "rarity": task.rarity,
        "language": task.language,
        "topic": task.topic,
    }


def _print_suite(out: Console, loaded: Suite) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("task", "stratum", "rarity", "language", "topic"):
        table.add_column(heading, justify="right" if heading == "rarity" else "left")
    for task in loaded:
        table.add_row(task.task_id, task.stratum.value, f"{task.rarity:.1f}", task.language, task.topic)
    out.print(table)
    for doubt in doubts(loaded):
        out.print(doubt, highlight=False)


def _print_task(out: Console, task: Task) -> None:
    out.print(
        f"{task.task_id}: {task.stratum.value}, rarity {task.rarity:.2f}, {task.topic}", highlight=False
    )
    out.print(Syntax(task.prompt + task.canonical_solution, task.language))
    out.print(Syntax(task.test, task.language))
    print_explanation(out, task)


def _print_difference(out: Console, difference: SuiteDifference) -> None:
    if difference.same_digest:
        out.print("The suites are the same.")
    for word, tasks in (
        ("added", difference.added),
        ("removed", difference.removed),
        ("changed", difference.changed),
    ):
        for task_id in tasks:
            out.print(f"{word} {task_id}", highlight=False)
    for move in difference.moved:
        out.print(f"moved {move.task_id}: {move.before.value} to {move.after.value}", highlight=False)
