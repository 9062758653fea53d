"""The code in an answer: a deterministic rule, without a parser's mercy and without a model.

Reasoning is dropped first. Of the fenced blocks, the first that defines the entry point is taken,
one that parses before one that does not; without any, the longest that parses, else the longest;
without fences, the text from its first line of code up to a stop.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitor.suites.languages import Syntax

MAX_PARSED_CHARS = 64 * 2**10
MAX_PARSED_DEPTH = 40
"""Text beyond these is never given to the parser of this process: it was written by a stranger."""

MAX_PROSE_LINES = 30
"""Lines at the margin that are tried as the end of unfenced code."""

MAX_FENCE_INDENT = 3
"""Blanks by which a closing fence may be deeper than the opening one, as in Markdown; beyond, it is text."""

_REASONING = re.compile(r"^[ \t]*<(?:think|thinking|reasoning)>", re.IGNORECASE | re.MULTILINE)
_REASONING_END = re.compile(r"(?<!['\"`])</(?:think|thinking|reasoning)>", re.IGNORECASE)
"""One in quotes is spoken of."""
_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^`\n]*)$")
_CODE_START = re.compile(r"^(?:from |import |def |class |async def |@)", re.MULTILINE)


def with_plain_newlines(text: str) -> str:
    r"""The text with ``\n`` as its only line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def cut_at_stop(text: str, stops: Iterable[str]) -> str:
    r"""The text before the first stop.

    >>> cut_at_stop("    return 1\n\ndef other():", ["\ndef ", "\nclass "])
    '    return 1\n'
    """
    ends = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    return text[: min(ends)] if ends else text


def without_reasoning(text: str) -> str:
    r"""The answer proper: what a model says after, or around, its marked reasoning.

    A chat template may have opened the mark in the prompt, so an end without a start counts as well. A mark
    inside a closed fenced block is code.

    >>> without_reasoning("<think>maybe\n</think>\nanswer")
    'answer'
    """
    kept, at = [], 0
    for start in _REASONING.finditer(_without_closed_blocks(text)):
        if start.start() >= at:
            kept.append(text[at : start.start()])
            end = _REASONING_END.search(text, start.end())
            at = end.end() if end else len(text)
    text = "".join([*kept, text[at:]])
    ends = list(_REASONING_END.finditer(_without_closed_blocks(text)))
    return (text[ends[-1].end() :] if ends else text).strip("\n")


def fenced_blocks(text: str) -> list[str]:
    r"""The contents of all fenced blocks, outermost fences only; the last may be unclosed.

    >>> fenced_blocks("So:\n```python\nx = 1\n```\nor\n~~~\ny")
    ['x = 1\n', 'y\n']
    """
    return [block for _, block in tagged_blocks(text)]


def tagged_blocks(text: str) -> list[tuple[str, str]]:
    r"""The fenced blocks of :func:`fenced_blocks`, each behind the word that its fence opens with.

    >>> tagged_blocks("So:\n```Python title=a\nx = 1\n```\nor\n~~~\ny")
    [('python', 'x = 1\n'), ('', 'y\n')]
    """
    lines = text.split("\n")
    return [
        (block.tag, block.content(lines))
        for block in _blocks(lines)
        if block.closed or any(line.strip() for line in lines[block.first : block.end])
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Where a fenced block stands."""

    tag: str
    indent: str
    first: int
    """Number of the first line behind the opening fence, counted from 0."""
    end: int
    """Number of the closing fence's line, or of the lines when it is missing."""
    closed: bool

    def content(self, lines: Sequence[str]) -> str:
        """What stands in it, moved left by as much as its opening fence is indented."""
        return "".join(line.removeprefix(self.indent) + "\n" for line in lines[self.first : self.end])


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    opening: re.Match[str] | None = None
    first = 0
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if opening is None:
            opening, first = fence, number + 1
        elif fence and _closes(fence, opening):
            yield _block(opening, first, number, closed=True)
            opening = None
    if opening is not None:
        yield _block(opening, first, len(lines), closed=False)


def _closes(fence: re.Match[str], opening: re.Match[str]) -> bool:
    deeper = len(fence[1].expandtabs(4)) - len(opening[1].expandtabs(4))
    return fence[2].startswith(opening[2]) and not fence[3].strip() and deeper <= MAX_FENCE_INDENT


def _block(opening: re.Match[str], first: int, end: int, *, closed: bool) -> _Block:
    tag = opening[3].strip().partition(" ")[0].lower()
    return _Block(tag=tag, indent=opening[1], first=first, end=end, closed=closed)


def _without_closed_blocks(text: str) -> str:
    """The text with blanks in place of what stands in closed fenced blocks, so that offsets stay."""
    lines = text.split("\n")
    for block in _blocks(lines):
        if block.closed:
            lines[block.first : block.end] = [" " * len(line) for line in lines[block.first : block.end]]
    return "\n".join(lines)


def parses_as_python(source: str) -> bool:
    """Whether text is Python's grammar; text too long or too deep to try counts as not.

    Only the parser sees it: nothing is compiled or run in this process.
    """
    if len(source) > MAX_PARSED_CHARS or _bracket_depth(source) > MAX_PARSED_DEPTH:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(source)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return True


def unfenced_code(text: str, syntax: Syntax, entry_point: str, stops: Iterable[str]) -> str:
    """The code of an answer without fences: from its first line of code up to a stop behind it."""
    defined_at = syntax.first_definition(text, entry_point)
    if defined_at is None:
        return cut_at_stop(text, stops)
    first = _CODE_START.search(text, 0, defined_at)
    start = first.start() if first else defined_at
    body_at = text.find("\n", defined_at)
    if body_at < 0:
        return text[start:]
    code = text[start:body_at] + cut_at_stop(text[body_at:], stops)
    return without_trailing_prose(code) if syntax.title == "Python" else code


def without_trailing_prose(code: str) -> str:
    """Python code without the lines at the margin behind it that keep it from parsing."""
    margins = [match.start() for match in re.finditer(r"^\S", code, re.MULTILINE)][1:]
    for end in (len(code), *reversed(margins[-MAX_PROSE_LINES:])):
        if parses_as_python(code[:end]):
            return code[:end]
    return code


def _bracket_depth(source: str) -> int:
    deepest = depth = 0
    for character in source:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest
