"""JSON Lines files, read one record at a time; ``.gz`` files are unpacked on the way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from monitor.domain.errors import InvalidInput

MAX_LINE_BYTES = 64 * 2**20
"""A longer line is not JSON Lines but something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One JSON object and where it stands."""

    path: Path
    line: int
    """Counted from 1."""
    value: dict[str, Any]

    @property
    def place(self) -> str:
        """For messages: file and line."""
        return f"{self.path}, line {self.line}"


def read_records(path: Path, error: type[InvalidInput]) -> Iterator[Record]:
    """The objects of a file, in its order; empty lines are skipped.

    Raises:
        InvalidInput: of the given class, naming file and line, when the file cannot be read or a
            line is not a JSON object.
    """
    try:
        with _open(path) as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if line.strip():
                    yield Record(path=path, line=number, value=_object(path, number, line, error))
    except (OSError, EOFError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise error(f"{path} cannot be read: {reason}.", next_step="Check the path and the file.") from exc


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")


def _object(path: Path, number: int, line: bytes, error: type[InvalidInput]) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise error(
            f"{path}, line {number}: longer than {MAX_LINE_BYTES} bytes.",
            next_step="Give a file with one JSON object per line.",
        )
    try:
        value = json.loads(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
    except (ValueError, RecursionError) as exc:
        raise error(
            f"{path}, line {number}: not JSON ({exc}).", next_step="Give one JSON object per line."
        ) from exc
    if not isinstance(value, dict):
        raise error(
            f"{path}, line {number}: a {type(value).__name__}, not an object.",
            next_step="Give one JSON object per line.",
        )
    return value
