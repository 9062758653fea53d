"""Where suites are found by name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from monitor.domain.errors import InvalidSuite
from monitor.suites.format import SUITE_FILE

_PACKAGE = Path(__file__).resolve().parent.parent

SHELVES: tuple[Path, ...] = (_PACKAGE / "share" / "suites", _PACKAGE.parent / "benchmarks" / "suites")
"""Folders whose sub-folders are known suites: the wheel's data, and a checkout's."""


def find_suite(path_or_name: str | Path, *, shelves: Sequence[Path] = SHELVES) -> Path:
    """The folder of a suite.

    A bare name is looked up on the shelves first; anything with a separator is a path.

    Raises:
        InvalidSuite: there is no such suite.
    """
    path = Path(path_or_name)
    if _is_bare(path_or_name):
        for shelf in shelves:
            if (shelf / path / SUITE_FILE).is_file():
                return shelf / path
    if (path / SUITE_FILE).is_file():
        return path
    if path.name == SUITE_FILE and path.is_file():
        return path.parent
    raise _not_found(path_or_name, shelves)


def anchored_suite(path_or_name: str, folder: Path, *, shelves: Sequence[Path] = SHELVES) -> str:
    """The name of a known suite as it is, and anything else as a path below a folder."""
    if _is_bare(path_or_name) and path_or_name in known_suites(shelves=shelves):
        return path_or_name
    return str(folder / path_or_name)


def known_suites(*, shelves: Sequence[Path] = SHELVES) -> dict[str, Path]:
    """Folders of all suites on the shelves, by name; an earlier shelf hides a later one."""
    found: dict[str, Path] = {}
    for shelf in shelves:
        if shelf.is_dir():
            for folder in sorted(shelf.iterdir()):
                if (folder / SUITE_FILE).is_file():
                    found.setdefault(folder.name, folder)
    return found


def _is_bare(path_or_name: str | Path) -> bool:
    text = os.fspath(path_or_name)
    return os.sep not in text and text not in {"", os.curdir, os.pardir}


def _not_found(path_or_name: str | Path, shelves: Sequence[Path]) -> InvalidSuite:
    path = Path(path_or_name)
    known = sorted(known_suites(shelves=shelves))
    if path.is_dir():
        return InvalidSuite(
            f"The folder {path} is not a suite: it has no {SUITE_FILE}.",
            next_step=f"Write its header, or name one of the known suites: {', '.join(known) or 'none'}.",
        )
    close = difflib.get_close_matches(path.name, known, n=1)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return InvalidSuite(
        f"There is no suite called {path.name!r}, and no folder {str(path_or_name)!r}.",
        next_step=f"{guess}Known suites: {', '.join(known) or 'none'}; a folder works as well.",
    )
