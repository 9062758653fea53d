"""The corpus' commands: ``python -m benchmarks.rarity build``, ``snippets``, ``likelihood`` and others."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rarity import likelihood
from benchmarks.rarity.build import TABLE, build
from benchmarks.rarity.choosing import as_lines, choose
from benchmarks.rarity.correlation import as_markdown, correlate, write
from benchmarks.rarity.packages import unpack
from monitor.drift.snippets import Cut, cut_snippets, digest_of, write_snippets
from monitor.rarity.features import PYTHON
from monitor.rarity.score import score
from monitor.rarity.table import load_table

CACHE = Path.home() / ".cache" / "tailwatch" / "rarity"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "build":
        _build(chosen.cache, chosen.workers)
    elif chosen.command == "snippets":
        _snippets(chosen.cache, chosen.out, Cut(longest=chosen.longest, per_project=chosen.per_project))
    elif chosen.command == "likelihood":
        likelihood.measure(chosen.suite, likelihood.smollm2(chosen.model), _say)
    elif chosen.command == "choose":
        for line in as_lines(choose(chosen.suite, load_table())):
            _say(line)
    else:
        table = load_table()
        rows = correlate(chosen.suite, table)
        write(rows, table)
        _say(as_markdown(rows))
    return 0


def _build(cache: Path, workers: int) -> None:
    table = build(cache, workers, _say)
    size_mb = TABLE.stat().st_size / 1e6
    _say(f"{table.documents} documents, {len(table.counts)} features, {size_mb:.2f} MB: {TABLE}")
    _say(f"{table.reference}, ordinary bits {table.ordinary_bits}")


def _snippets(cache: Path, out: Path, cut: Cut) -> None:
    table = load_table()
    found = cut_snippets(unpack(cache), lambda source: score(source, PYTHON, table), cut)
    write_snippets(out, found)
    projects = len({snippet.project for snippet in found})
    _say(f"{len(found)} functions of {projects} projects, digest {digest_of(found)[:12]}: {out}")


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rarity", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="download the corpus, count it, write table.json")
    make.add_argument("--cache", type=Path, default=CACHE, help="folder for wheels and sources")
    make.add_argument("--workers", type=int, default=2)
    cut = commands.add_parser("snippets", help="download the corpus, cut common and rare functions from it")
    cut.add_argument("--cache", type=Path, default=CACHE, help="folder for wheels and sources")
    cut.add_argument("--out", type=Path, default=Path("snippets.jsonl"), help="for `drift.snippets`")
    cut.add_argument("--longest", type=int, default=Cut().longest, help="characters of a function")
    cut.add_argument("--per-project", type=int, default=Cut().per_project, help="of each kind")
    measure = commands.add_parser("likelihood", help="measure how unlikely a model finds the references")
    measure.add_argument("--model", type=Path, required=True, help="SmolLM2-135M-Instruct's .gguf file")
    measure.add_argument("--suite", default="core")
    compare = commands.add_parser("correlate", help="correlate rarity with the measured likelihoods")
    compare.add_argument("--suite", default="core")
    pick = commands.add_parser("choose", help="see whether another way to weigh features would do better")
    pick.add_argument("--suite", default="core")
    return parser


if __name__ == "__main__":
    sys.exit(main())
