"""More small mistakes in languages that we have no parser for, by their brackets and lines.

They are for programs in which the usual ones are few: more of these do no harm to a program, and
somebody has to look at each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from monitor.suites.mutation.mutant import Mutation

Edit = tuple[Mutation, int, int, str]
"""The kind of mistake, from where to where, and what is written there."""

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_STEP = re.compile(r"(?<=[\w)\]}?!])(?:\.|->|:)[A-Za-z_]\w*[?!]?")
_CALLED = re.compile(r"(?<![\w.:>])[A-Za-z_]\w*[?!]?(?=\()")
_BRANCH = re.compile(r"^[ \t]*when\b[^\n]*\bthen\b[^\n]*\n", re.MULTILINE)
_THEN = re.compile(r"(?<=\bthen )[^\n;]+")
_RETURNED = re.compile(r"(?<=\breturn )(?:(?! if | unless )[^\n;}])+")
_LISP_TOKEN = re.compile(
    r"""(?P<open>['`,@#]*[(\[])|(?P<close>[)\]])|(?P<atom>['`,@]*(?:"[^"]*"|[^\s()\[\]"';]+))"""
)


def bracket_changes(code: str, blank: str, *, lisp: bool, nothing: str) -> Iterator[Edit]:
    """What else could have been written in a program by mistake.

    Args:
        code: the program.
        blank: the same with blanks inside texts and comments.
        lisp: whether operators come first in their brackets.
        nothing: what the language calls no value; empty when it has none.
    """
    if lisp:
        yield from _form_changes(code, blank)
        return
    pairs = _pairs(blank)
    yield from _dropped_steps(blank, pairs)
    yield from _bare_arguments(code, blank, pairs)
    yield from _dropped_elements(blank, pairs)
    for match in _BRANCH.finditer(blank):
        yield Mutation.STATEMENT, match.start(), match.end(), ""
    for pattern in (_THEN, _RETURNED) if nothing else ():
        for match in pattern.finditer(blank):
            yield Mutation.RESULT, match.start(), match.end(), nothing


def _pairs(blank: str) -> dict[int, int]:
    """Where each bracket that opens is closed."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for at, character in enumerate(blank):
        if character in _CLOSING:
            opened.append(at)
        elif opened and character == _CLOSING[blank[opened[-1]]]:
            found[opened.pop()] = at
    return found


def _dropped_steps(blank: str, pairs: dict[int, int]) -> Iterator[Edit]:
    """A chain without one of its calls, the call's arguments and block included."""
    for match in _STEP.finditer(blank):
        end = match.end()
        if end in pairs:
            end = pairs[end] + 1
        block = end + 1 if blank[end : end + 2] == " {" else end
        if block in pairs and blank[block] == "{":
            end = pairs[block] + 1
        yield Mutation.CALL, match.start(), end, ""


def _bare_arguments(code: str, blank: str, pairs: dict[int, int]) -> Iterator[Edit]:
    """The argument of a call in place of the call."""
    for match in _CALLED.finditer(blank):
        closed = pairs.get(match.end())
        if closed is not None and code[match.end() + 1 : closed].strip():
            yield Mutation.CALL, match.start(), closed + 1, code[match.end() : closed + 1]


def _dropped_elements(blank: str, pairs: dict[int, int]) -> Iterator[Edit]:
    """A list in brackets or parentheses without one of its elements."""
    for opened, closed in sorted(pairs.items()):
        if blank[opened] == "{":
            continue
        commas = [at for at in _outer(blank, opened, closed) if blank[at] == ","]
        for start, end in pairwise([opened, *commas, closed]) if commas else ():
            # The first element goes with the comma behind it, the others with the one before them.
            shift = 1 if start == opened else 0
            yield Mutation.ELEMENT, start + shift, end + shift, ""


def _outer(blank: str, opened: int, closed: int) -> Iterator[int]:
    """Offsets between two brackets that are in no brackets between them."""
    depth = 0
    for at in range(opened + 1, closed):
        depth += (blank[at] in _CLOSING) - (blank[at] in _CLOSING.values())
        if depth == 0:
            yield at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """Where a list or an atom of a Lisp program stands, quotes before it included."""

    start: int
    end: int
    parts: tuple[_Form, ...]


def _form_changes(code: str, blank: str) -> Iterator[Edit]:
    """A list without one of its parts, with its last two swapped, or its last part in its place."""
    for form in _lists(_forms(blank)):
        parts = form.parts
        if len(parts) < 2:
            continue
        for part in parts[1:]:
            yield Mutation.ELEMENT, part.start, part.end, ""
        one, other = parts[-2:]
        if len(parts) > 2:
            swapped = code[other.start : other.end] + code[one.end : other.start] + code[one.start : one.end]
            yield Mutation.ARGUMENTS, one.start, other.end, swapped
        yield Mutation.CALL, form.start, form.end, code[other.start : other.end]


def _lists(forms: tuple[_Form, ...]) -> Iterator[_Form]:
    for form in forms:
        if form.parts:
            yield form
            yield from _lists(form.parts)


def _forms(blank: str) -> tuple[_Form, ...]:
    """The forms of a program; brackets that the prompt opened may close at its end."""
    levels: list[tuple[int, list[_Form]]] = [(0, [])]
    for token in _LISP_TOKEN.finditer(blank):
        if token["open"]:
            levels.append((token.start(), []))
        elif token["atom"]:
            levels[-1][1].append(_Form(start=token.start(), end=token.end(), parts=()))
        elif len(levels) > 1:
            start, parts = levels.pop()
            levels[-1][1].append(_Form(start=start, end=token.end(), parts=tuple(parts)))
    return tuple(form for _, forms in levels for form in forms)
