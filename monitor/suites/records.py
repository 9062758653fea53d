"""JSON Lines files, read one record at a time; ``.gz`` files are unpacked on the way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from monitor.domain.encodings import wide_encoding
from monitor.domain.errors import InvalidInput

MAX_LINE_BYTES = 64 * 2**20
"""A longer line is not JSON Lines but something else."""

_HEAD_BYTES = 512

_LINES_WANTED = "Give JSON Lines: one JSON object per line, `.gz` or not."

_FOREIGN: Mapping[bytes, tuple[str, str]] = {
    b"PK\x03\x04": ("a zip archive, as the .eval logs of Inspect are", _LINES_WANTED),
    b"\x1f\x8b": ("gzip data under a name that does not end in .gz", "Rename it to end in .gz."),
    b"\x28\xb5\x2f\xfd": ("Zstandard data", "Unpack it first."),
    b"BZh": ("bzip2 data", "Unpack it first."),
    b"\xfd7zXZ": ("xz data", "Unpack it first."),
    b"PAR1": ("a Parquet file", _LINES_WANTED),
    b"SQLite format 3\0": ("an SQLite database", _LINES_WANTED),
}
"""What files begin with that are taken for JSON Lines by mistake: what each is, and the next step."""


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
            _refuse_foreign(path, file.peek(_HEAD_BYTES), error)
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if line.strip():
                    yield Record(path=path, line=number, value=_object(path, number, line, error))
    except (OSError, EOFError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise error(f"{path} cannot be read: {reason}.", next_step="Check the path and the file.") from exc


def _open(path: Path) -> BufferedReader:
    if path.suffix == ".gz":
        return cast("BufferedReader", gzip.open(path, "rb"))
    return path.open("rb")


def _refuse_foreign(path: Path, head: bytes, error: type[InvalidInput]) -> None:
    """See that a file does not begin as something that is known and no JSON Lines."""
    wide = wide_encoding(head)
    if wide is not None:
        raise error(f"{path} is {wide} text.", next_step="Save it as UTF-8.")
    for magic, (what, next_step) in _FOREIGN.items():
        if head.startswith(magic):
            raise error(f"{path} is {what}, which is not supported.", next_step=next_step)
    first = head.lstrip().partition(b"\n")[0].rstrip()
    if first in {b"{", b"["} or first.startswith(b"[{"):
        raise error(
            f"{path} is one JSON document, not JSON Lines.",
            next_step="Give one JSON object per line; `jq -c '.[]'` makes them of an array.",
        )


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
