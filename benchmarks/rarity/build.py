"""Counts the corpus and writes the table."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.rarity.packages import STDLIB, STDLIB_RELEASE, STDLIB_SHA256, pinned, tree_digest, unpack
from benchmarks.rarity.shares import SHARES, SOURCE
from monitor.domain.errors import InvalidCorpus
from monitor.rarity.corpus import source_files, source_text
from monitor.rarity.counting import Document, Tally, Threshold, document_of
from monitor.rarity.features import PYTHON
from monitor.rarity.table import TABLE_FILE, RarityTable, write_table

NAME = "python-2022"
TABLE = Path(__file__).resolve().parent / TABLE_FILE
THRESHOLD = Threshold(documents=2, projects=2)

MAX_BYTES = 200_000
"""Larger files are generated, or data in Python's clothes."""

_TEST_FOLDERS = frozenset({"test", "tests", "testing", "idle_test", "lib2to3"})
_COPIED_FOLDERS = frozenset({"_vendor", "vendored", "_distutils", "extern", "packages"})

LEFT_OUT = (
    "tests, vendored copies, repeated files and those over 200 kB; features of one file only, and names "
    "of projects that no other project uses"
)
LICENCES = (
    "The packages are under their own licences (mostly MIT, BSD, Apache-2.0, PSF). The table holds counts "
    "of names and constructs, no part of their texts."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What came of one file."""

    project: str
    lines: int
    document: Document | None
    """None when this Python's grammar does not know the file."""


def build(cache: Path, workers: int, say: Callable[[str], None]) -> RarityTable:
    """Download, unpack, count, and write ``table.json`` beside this file.

    Raises:
        InvalidCorpus: this interpreter's standard library is not the pinned one.
    """
    sources = unpack(cache)
    say(f"sources in {sources}")
    files = list(files_to_count(sources))
    refuse_another_library(sources / STDLIB, [path for path, project in files if project == STDLIB])
    say(f"{len(files)} files to count")
    tally, lines, unparsed = Tally(), 0, 0
    projects: dict[str, int] = {}
    with ProcessPoolExecutor(max_workers=workers) as pool:
        for counted in pool.map(count_file, files, chunksize=64):
            if counted.document is None:
                unparsed += 1
                continue
            tally.add(counted.document)
            lines += counted.lines
            projects[counted.project] = projects.get(counted.project, 0) + 1
    provenance = provenance_of(lines, unparsed, projects)
    table = tally.table(NAME, threshold=THRESHOLD, shares=SHARES, provenance=provenance)
    write_table(table, TABLE)
    return table


def refuse_another_library(folder: Path, paths: Sequence[Path]) -> None:
    """See that the standard library to be counted is the pinned one, as the packages are.

    Raises:
        InvalidCorpus: it is another release, or was changed by whoever built it.
    """
    digest = tree_digest(folder, paths)
    if digest != STDLIB_SHA256:
        raise InvalidCorpus(
            f"This standard library, of Python {platform.python_version()}, is not the pinned one, that of "
            f"{STDLIB_RELEASE}: its files have sha256 {digest}.",
            next_step=f"Build with {STDLIB_RELEASE}, in a new cache folder; or pin this one in packages.py, "
            "and rank the suites again.",
        )


def files_to_count(sources: Path) -> Iterator[tuple[Path, str]]:
    """Files with their projects: tests, copies of other projects and repeated files left out."""
    seen: set[bytes] = set()
    for file in source_files(sources):
        inside = set(file.path.relative_to(sources).parts[1:-1])
        if file.language != PYTHON or inside & (_TEST_FOLDERS | _COPIED_FOLDERS) or _is_test(file.path.name):
            continue
        content = file.path.read_bytes()
        digest = hashlib.sha256(content).digest()
        if len(content) <= MAX_BYTES and digest not in seen:
            seen.add(digest)
            yield file.path, file.project


def count_file(file: tuple[Path, str]) -> Counted:
    """The document of one file."""
    path, project = file
    text = source_text(path)
    return Counted(project=project, lines=text.count("\n"), document=document_of(text, PYTHON, project))


def _is_test(name: str) -> bool:
    return name.startswith("test_") or name.endswith(("_test.py", "_tests.py")) or name == "conftest.py"


def provenance_of(lines: int, unparsed: int, projects: dict[str, int]) -> dict[str, Any]:
    """What the table says of its origin."""
    return {
        "built_by": "python -m benchmarks.rarity build",
        "files": sum(projects.values()),
        "lines": lines,
        "files_without_features": unparsed,
        "left_out": LEFT_OUT,
        "standard_library": {"release": STDLIB_RELEASE, "files_sha256": STDLIB_SHA256},
        "language_shares": SOURCE,
        "licences": LICENCES,
        "files_by_project": dict(sorted(projects.items())),
        "packages": [asdict(package) for package in pinned()],
    }
