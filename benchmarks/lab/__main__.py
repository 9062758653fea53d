"""The lab's commands: ``python -m benchmarks.lab build | suite | table | verify``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.lab import suite
from benchmarks.lab.manifest import broken_files

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINTS = ROOT / "benchmarks" / "lab" / "checkpoints"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "suite":
        print(f"{suite.write_suite(chosen.out)} tasks written to {chosen.out}")
        return 0
    # Torch takes seconds to import and is an extra: only the commands that need it load it.
    if chosen.command == "build":
        return _build(chosen.out)
    if chosen.command == "table":
        return _table(chosen.checkpoints, chosen.samples)
    return _verify(chosen.checkpoints)


def _build(out: Path) -> int:
    from benchmarks.lab.generations import Lab  # noqa: PLC0415 - torch is an extra

    Lab(out, say=_say).build()
    return 0


def _table(checkpoints: Path, samples: int) -> int:
    from benchmarks.lab import table  # noqa: PLC0415 - torch is an extra

    results = table.evaluate_all(checkpoints, table.NAMES, samples, _say)
    here = Path(__file__).resolve().parent
    table.write(results, samples, json_path=here / "table.json", page=ROOT / "docs" / "lab.md")
    print(table.as_markdown(results, samples))
    return 0


def _verify(checkpoints: Path) -> int:
    broken = broken_files(checkpoints)
    for name in broken:
        print(f"differs from MANIFEST.json: {name}", file=sys.stderr)
    print("every file is as the manifest says" if not broken else f"{len(broken)} files differ")
    return 1 if broken else 0


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="train every checkpoint again, from nothing")
    build.add_argument("--out", type=Path, default=CHECKPOINTS, help="folder for the checkpoints")
    write = commands.add_parser("suite", help="write the lab suite")
    write.add_argument("--out", type=Path, default=suite.SUITE_DIR, help="folder for the suite")
    table = commands.add_parser("table", help="evaluate every checkpoint, write docs/lab.md and table.json")
    table.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    table.add_argument("--samples", type=int, default=16, help="samples per task at temperature 1")
    verify = commands.add_parser("verify", help="compare the checkpoints with their manifest")
    verify.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
