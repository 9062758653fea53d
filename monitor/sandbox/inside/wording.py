"""How what happened is put into one bounded, printable line."""

from __future__ import annotations

import types

UNRUNNABLE = "the task's test cannot be run"
"""Begins the detail when a test failed before it had called the program."""

MAX_DETAIL = 300
"""Most characters of a detail."""


def printable(text: str, limit: int = MAX_DETAIL) -> str:
    r"""One line of printable characters; the rest is escaped, the length bounded.

    >>> printable("a\x00b")
    'a\\x00b'
    """
    cut = text[: limit + 1]
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def first_line(text: str) -> str:
    """The first line that holds anything."""
    return next((line.strip() for line in text[:4000].splitlines() if line.strip()), "")


def describe(error: BaseException) -> str:
    """Type and first line of an exception.

    An exception of untrusted code may lie or fail when asked for its text.
    """
    name = type.__dict__["__name__"].__get__(type(error))
    try:
        message = first_line(str(error))
    except BaseException:  # noqa: BLE001
        message = ""
    return printable(f"{name}: {message}" if message else name)


def failing_line(error: BaseException, file_name: str, source: str) -> str:
    """The deepest line of ``source`` that the traceback passes through, stripped; or empty."""
    line_number = 0
    step: types.TracebackType | None = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == file_name:
            line_number = step.tb_lineno
        step = step.tb_next
    lines = source.splitlines()
    return lines[line_number - 1].strip() if 0 < line_number <= len(lines) else ""
