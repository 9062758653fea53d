"""A server's log file, and the lines of it that explain a failure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

LOG_NAME = "vllm.log"
_TAIL_BYTES = 64 * 2**10
_SHOWN_LINES = 12
_SHOWN_COLUMNS = 300
_PREFIX = re.compile(r"^(\(\w+( pid=\d+)?\) )?((ERROR|WARNING|INFO) \S+ \S+ \[[\w.]+:\d+\] ?)?")
_CAUSE = re.compile(r"^(\w+\.)*\w*(Error|Exception|Interrupt|Exit)\b.*:.")
_WITHOUT_MESSAGE = re.compile(r"\d+ validation errors? for \w+$")
"""How pydantic begins; what is wrong stands on the next line."""
_USELESS = re.compile(r"Engine core initialization failed|See (root|stack) (cause|trace)", re.IGNORECASE)


def fresh_log(folder: Path) -> Path:
    """Path of a new log; the one before it is kept under another name, older ones are not."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOG_NAME
    if path.exists():
        path.replace(folder / f"{LOG_NAME}.1")
    return path


def last_lines(path: Path) -> tuple[str, ...]:
    """The end of a log, bounded in lines and columns, without vLLM's prefixes and empty lines."""
    lines = _tail(path)
    return tuple(line[:_SHOWN_COLUMNS] for line in lines[-_SHOWN_LINES:])


def cause(path: Path) -> str | None:
    """The exception that the log's end blames, or None: the first that is not a consequence."""
    return _first_cause(_tail(path))


def _first_cause(lines: Sequence[str]) -> str | None:
    for number, line in enumerate(lines):
        stripped = line.strip()
        if _CAUSE.match(stripped) and not _USELESS.search(stripped):
            if _WITHOUT_MESSAGE.search(stripped):
                stripped = " ".join([stripped, *(each.strip() for each in lines[number + 1 : number + 2])])
            return stripped[:_SHOWN_COLUMNS]
    return None


def _tail(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    stripped = (_PREFIX.sub("", line).rstrip() for line in text.splitlines())
    return [line for line in stripped if line]
