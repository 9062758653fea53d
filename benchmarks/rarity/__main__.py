"""The corpus' commands: ``python -m benchmarks.rarity build | correlate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rarity.build import TABLE, build

CACHE = Path.home() / ".cache" / "tailwatch" / "rarity"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    chosen = _parser().parse_args(arguments)
    table = build(chosen.cache, chosen.workers, _say)
    size_mb = TABLE.stat().st_size / 1e6
    _say(f"{table.documents} documents, {len(table.counts)} features, {size_mb:.2f} MB: {TABLE}")
    _say(f"{table.reference}, ordinary bits {table.ordinary_bits}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rarity", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="download the corpus, count it, write table.json")
    make.add_argument("--cache", type=Path, default=CACHE, help="folder for wheels and sources")
    make.add_argument("--workers", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
