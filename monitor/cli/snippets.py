"""`tailwatch snippets`: common and rare code that people wrote, cut from a folder of projects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from monitor.cli.app import cli, json_option, terminal
from monitor.drift.snippets import Cut, cut_snippets, digest_of, write_snippets
from monitor.rarity.features import PYTHON
from monitor.rarity.score import score
from monitor.rarity.table import load_table

FEWEST_PROJECTS = 12
"""Fewer cannot warn at the usual alpha of 0.001: a project is the unit that the test flips."""


@cli.command()
@click.argument("corpus", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("snippets.jsonl"),
    show_default=True,
    help="File to write: JSON lines.",
)
@click.option(
    "--per-project",
    type=click.IntRange(1),
    default=Cut().per_project,
    show_default=True,
    help="Most common, and most rare, functions of one project.",
)
@click.option(
    "--longest",
    type=click.IntRange(1),
    default=Cut().longest,
    show_default=True,
    help="Characters of the longest function: what the model's context holds.",
)
@click.option("--seed", type=int, default=Cut().seed, show_default=True, help="Which functions are taken.")
@click.option(
    "--table",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Rarity table.  [default: the shipped one]",
)
@json_option
def snippets(
    corpus: Path, out: Path, per_project: int, longest: int, seed: int, table: Path | None, as_json: bool
) -> None:
    """Cut common and rare functions from CORPUS, a folder with one subfolder of Python code per project.

    The setting `drift: {snippets: FILE}` then has every evaluation ask how surprised the model is by them.
    """
    rarity = load_table(table)
    cut = Cut(per_project=per_project, longest=longest, seed=seed)
    found = cut_snippets(corpus, lambda source: score(source, PYTHON, rarity), cut)
    write_snippets(out, found)
    strata = Counter(snippet.stratum.value for snippet in found)
    projects = len({snippet.project for snippet in found})
    document = {"file": str(out), "digest": digest_of(found), "projects": projects, **strata}
    text = f"{len(found)} functions of {projects} projects in {out}, as many rare ones as common ones."
    if projects < FEWEST_PROJECTS:
        text += f" Fewer than {FEWEST_PROJECTS} projects: too few to warn, add some."
    terminal(as_json=as_json).answer(document, lambda console: console.print(text, highlight=False))
