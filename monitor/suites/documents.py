"""YAML documents read strictly, with the line of every value.

The subset is JSON's data model in YAML's clothes: no anchors, no tags, no duplicate keys, and plain
words are text unless they are numbers, ``true``, ``false`` or ``null``. So ``language: no`` is the text
"no", a date stays text, and no small file can expand into a big one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]
"""Keys and positions from the document's root to a value."""

Take = Callable[[], yaml.Event | None]
"""Gives the next event of the document; None behind its end."""

MAX_DEPTH = 20
"""Deeper nesting is a mistake or an attack on our stack."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMBER_STARTS = frozenset("+-.0123456789")


class DocumentError(ValueError):
    """The text is not a document of our subset."""

    def __init__(self, problem: str, *, line: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        """Counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed document."""

    value: Any
    """Mappings, lists, texts, numbers, booleans and None."""
    lines: Mapping[Path, int]
    """Line of each value, counted from 1; a mapping's entry has the line of its key."""

    def line_of(self, location: Path) -> int:
        """Line of the value, or of the nearest one around it that stands in the document."""
        known: Path = ()
        for part in location:
            if (*known, part) in self.lines:
                known = (*known, part)
        return self.lines.get(known, 1)


def parse_document(text: str) -> Document:
    """One document.

    Raises:
        DocumentError: it is not YAML, or uses what the subset leaves out.
    """
    try:
        return _document(yaml.CSafeLoader(text).get_event)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = " ".join(part for part in (exc.context, exc.problem) if part)
        raise DocumentError(f"not YAML: {problem}", line=mark.line + 1 if mark else 1) from exc
    except yaml.YAMLError as exc:
        position = getattr(exc, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        raise DocumentError(f"not YAML: {exc}", line=line) from exc


def _document(take: Take) -> Document:
    lines: dict[Path, int] = {}
    take()  # The stream's start.
    start = take()
    if isinstance(start, yaml.StreamEndEvent):
        raise DocumentError("the file is empty", line=1)
    value = _value(take(), take, (), lines)
    take()  # The document's end.
    after = take()
    if not isinstance(after, yaml.StreamEndEvent):
        raise DocumentError("the file holds a second document", line=_line(after))
    return Document(value=value, lines=lines)


def _value(event: yaml.Event | None, take: Take, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, _line(event))
    if not isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
        raise DocumentError("aliases (*name) are not allowed", line=_line(event))
    if event.anchor is not None:
        raise DocumentError("anchors (&name) are not allowed", line=_line(event))
    if event.tag not in {None, "!"}:
        raise DocumentError(f"tags ({event.tag}) are not allowed", line=_line(event))
    if len(path) > MAX_DEPTH:
        raise DocumentError(f"nested deeper than {MAX_DEPTH} levels", line=_line(event))
    if isinstance(event, yaml.ScalarEvent):
        return _plain(event.value) if event.implicit[0] else event.value
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(take, path, lines)
    return _mapping(take, path, lines)


def _sequence(take: Take, path: Path, lines: dict[Path, int]) -> list[Any]:
    items: list[Any] = []
    while not isinstance(event := take(), yaml.SequenceEndEvent):
        items.append(_value(event, take, (*path, len(items)), lines))
    return items


def _mapping(take: Take, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    while not isinstance(event := take(), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise DocumentError("a key must be plain text", line=_line(event))
        key = event.value
        if key in entries:
            first = lines[(*path, key)]
            raise DocumentError(f"the key {key!r} stands here and on line {first}", line=_line(event))
        lines[(*path, key)] = _line(event)
        entries[key] = _value(take(), take, (*path, key), lines)
    return entries


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
    return text


def _line(event: yaml.Event | None) -> int:
    mark = event.start_mark if event is not None else None
    return int(mark.line) + 1 if mark is not None else 1
