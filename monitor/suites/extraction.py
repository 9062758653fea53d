"""The code in an answer: a deterministic rule, without a parser's mercy and without a model.

Reasoning is dropped first. Of the fenced blocks, the first that defines the entry point is taken,
one that parses before one that does not; without any, the longest that parses, else the longest;
without fences, the text from its first line of code up to a stop.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable

from monitor.suites.languages import Syntax

MAX_PARSED_CHARS = 64 * 2**10
MAX_PARSED_DEPTH = 40
"""Text beyond these is never given to the parser of this process: it was written by a stranger."""

MAX_PROSE_LINES = 30
"""Lines at the margin that are tried as the end of unfenced code."""

_REASONING = re.compile(
    r"^[ \t]*<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE | re.MULTILINE
)
_REASONING_END = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)
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

    A chat template may have opened the mark in the prompt, so an end without a start counts as well.

    >>> without_reasoning("<think>maybe\n</think>\nanswer")
    'answer'
    """
    text = _REASONING.sub("", text)
    ends = list(_REASONING_END.finditer(text))
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
    blocks: list[tuple[str, str]] = []
    open_fence, indent, tag = "", "", ""
    lines: list[str] = []
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if not open_fence:
            if match:
                indent, open_fence = match[1], match[2]
                tag = match[3].strip().partition(" ")[0].lower()
        elif match and match[2].startswith(open_fence) and not match[3].strip():
            blocks.append((tag, _block(lines, indent)))
            open_fence, lines = "", []
        else:
            lines.append(line)
    if open_fence and any(line.strip() for line in lines):
        blocks.append((tag, _block(lines, indent)))
    return blocks


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


def _block(lines: list[str], indent: str) -> str:
    return "".join(line.removeprefix(indent) + "\n" for line in lines)


def _bracket_depth(source: str) -> int:
    deepest = depth = 0
    for character in source:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest
