"""Fenced blocks of a text, as Markdown means them and as models write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_FENCE_INDENT = 3
"""Blanks by which a closing fence may be deeper than the opening one, as in Markdown; beyond, it is text."""

# Possessive, here and below: strangers' text must not make a search slow.
_LEAD = r"[ \t]*+(?:>[ \t>]*+)?+"
"""What may stand before a fence: blanks and a block quote's marks."""
_RUN = r"`{3,}+|~{3,}+"
_OPENING = re.compile(rf"^({_LEAD}(?:(?:[-*+]|\d{{1,9}}[.)])[ \t]++)?)({_RUN})[ \t]*+([^`\n]*+)$")
_CLOSING = re.compile(rf"^({_LEAD})({_RUN})[ \t]*+$")
_QUOTE = re.compile(r"^[ \t]*>[ \t]?")
_TAG = re.compile(r"[\w+#-]+")

_BEFORE_FENCE = re.compile(r"^([^`~\n]*[^`~\s>][ \t]*)(`{3,}+|~{3,}+)([ \t]*+[\w+#.-]*+[ \t]*+)$")
"""Code or prose, and at the end of its line a fence, with or without a language."""
_BEHIND_FENCE = re.compile(rf"^([ \t>]*+(?:{_RUN}))[ \t]*+([^`\n]*[^`\s])$")
_MARK = re.compile(r"</?[A-Za-z|]|[\[(*]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of an answer that is set off as code."""

    tag: str
    """The word that its fence opens with, in lower case; empty when there is none."""
    code: str
    closed: bool
    """Whether its end is marked; what was cut off is not."""


def with_plain_newlines(text: str) -> str:
    r"""The text with ``\n`` as its only line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def blocks_of(text: str) -> list[Block]:
    r"""The fenced blocks, outermost fences only; the last may be unclosed.

    >>> [(block.tag, block.code) for block in blocks_of("So:\n```Python title=a\nx = 1\n```\nor\n~~~\ny")]
    [('python', 'x = 1\n'), ('', 'y\n')]
    """
    lines = text.split("\n")
    found = (Block(tag=place.tag, code=place.content(lines), closed=place.closed) for place in _places(lines))
    return [block for block in found if block.closed or block.code.strip()]


def without_blocks(text: str) -> str:
    """What stands outside of all fenced blocks."""
    lines = text.split("\n")
    kept, at = [], 0
    for place in _places(lines):
        kept += lines[at : place.first - 1]
        at = place.end + 1
    return "\n".join([*kept, *lines[at:]])


def with_blank_blocks(text: str) -> str:
    """The text with blanks in place of what stands in closed fenced blocks, so that offsets stay."""
    lines = text.split("\n")
    for place in _places(lines):
        if place.closed:
            lines[place.first : place.end] = [" " * len(line) for line in lines[place.first : place.end]]
    return "\n".join(lines)


def with_fences_on_lines(text: str) -> str:
    r"""The text with each fence that shares its line with code or prose on a line of its own.

    >>> with_fences_on_lines("Here: ```python\nreturn x```\n``` So that is it.")
    'Here: \n```python\nreturn x\n```\n```\nSo that is it.'
    """
    return "\n".join(_split(line) for line in text.split("\n"))


def _split(line: str) -> str:
    if before := _BEFORE_FENCE.match(line):
        return f"{before[1]}\n{before[2]}{before[3]}"
    behind = _BEHIND_FENCE.match(line)
    if behind and _is_no_tag(behind[2]):
        return f"{behind[1]}\n{behind[2]}"
    return line


def _is_no_tag(words: str) -> bool:
    """Whether what follows a fence is prose or a mark, and not the language and title of what it opens."""
    if _MARK.match(words):
        return True
    return len(words.split()) >= 3 and not re.search(r"[={]", words)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a fenced block stands."""

    tag: str
    lead: str
    first: int
    """Number of the first line behind the opening fence, counted from 0."""
    end: int
    """Number of the closing fence's line, or of the lines when it is missing."""
    closed: bool

    def content(self, lines: Sequence[str]) -> str:
        """What stands in it, moved left by as much as its opening fence is indented."""
        return "".join(_moved(line, self.lead) + "\n" for line in lines[self.first : self.end])


def _moved(line: str, lead: str) -> str:
    for _ in range(lead.count(">")):
        line = _QUOTE.sub("", line, count=1)
    return line if ">" in lead else line.removeprefix(re.sub(r"\S", " ", lead))


def _places(lines: Sequence[str]) -> Iterator[_Place]:
    opening: re.Match[str] | None = None
    first = 0
    for number, line in enumerate(lines):
        if opening is None:
            opening, first = _OPENING.match(line), number + 1
        elif _closes(line, opening):
            yield _place(opening, first, number, closed=True)
            opening = None
    if opening is not None:
        yield _place(opening, first, len(lines), closed=False)


def _closes(line: str, opening: re.Match[str]) -> bool:
    fence = _CLOSING.match(line)
    if fence is None or not fence[2].startswith(opening[2]):
        return False
    if ">" in fence[1] and ">" not in opening[1]:
        return False
    return _width(fence[1]) - _width(opening[1]) <= MAX_FENCE_INDENT


def _width(lead: str) -> int:
    return len(lead.expandtabs(4))


def _place(opening: re.Match[str], first: int, end: int, *, closed: bool) -> _Place:
    tag = _TAG.search(opening[3])
    return _Place(tag=tag[0].lower() if tag else "", lead=opening[1], first=first, end=end, closed=closed)
