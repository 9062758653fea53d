"""Which of the code in an answer is its program, and how it takes its place in the task's prompt.

A deterministic rule, without a model. Of the blocks that define the entry point the last is taken, one
that parses before one that does not: what is said later corrects what was said before, and of true
alternatives any will do.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from monitor.domain.tasks import Task
from monitor.programs.extraction import (
    cut_at_stop,
    indented_code,
    is_of,
    places,
    tidied,
    unfenced_code,
    without_label,
    without_magic,
    without_prose,
)
from monitor.programs.fences import Block, without_blocks
from monitor.programs.languages import PYTHON, Syntax, syntax_of
from monitor.programs.python_code import (
    is_hollow,
    parsed,
    with_futures_first,
    with_needed,
    without_ending_script,
)

MAX_TRIED = 32
"""Blocks of one reading that are looked at, from the last: an answer has a few."""

_FENCED_LINE = re.compile(r"^[ \t]*(?:```|~~~)|(?:```|~~~)[ \t]*$", re.MULTILINE)


def source_in(task: Task, answer: str, *, cut: bool) -> str:
    """The source that an answer makes of its task; empty when there is no code in it.

    Args:
        task: what was asked.
        answer: what a model says to the user, without its reasoning.
        cut: whether it ended because it became too long; only code whose end is marked counts then.
    """
    syntax = syntax_of(task.language)
    readings = [_usable(blocks, closed_only=cut) for blocks in places(answer)]
    defining = [each for each in (_defining(task, blocks, syntax) for blocks in readings) if each]
    found = _soundest(defining)
    if found is None and not cut:
        found = _unfenced(task, answer, syntax, fenced=bool(readings[0]))
    found = found or _continuing(task, readings[0], syntax)
    if found is None:
        return ""
    if task.language != PYTHON:
        return cut_at_stop(_after_imports(found, syntax), syntax.ends)
    source = without_ending_script(found.source)
    return with_needed(source, (block.code for block in found.beside if is_of(block, PYTHON)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """Code in its place in the prompt."""

    source: str
    parses: bool
    """Whether it is of its language's grammar, as far as that is known here."""
    hollow: bool = False
    """Whether it only repeats the head of what it should define."""
    before: tuple[Block, ...] = ()
    """Other blocks of the answer before it, in their order."""
    behind: tuple[Block, ...] = ()

    @property
    def sound(self) -> bool:
        return self.parses and not self.hollow

    @property
    def beside(self) -> Iterator[Block]:
        """The other blocks, those before it first, the nearest first."""
        yield from reversed(self.before)
        yield from self.behind


def _usable(blocks: Sequence[Block], *, closed_only: bool) -> list[Block]:
    kept = [block for block in blocks if block.code.strip() and (block.closed or not closed_only)]
    return [without_label(block) for block in kept]


def _defining(task: Task, blocks: Sequence[Block], syntax: Syntax) -> list[_Candidate]:
    """The blocks that define the entry point; those of other languages only where there are no others."""
    found: list[tuple[Block, _Candidate]] = []
    for number, block in list(enumerate(blocks))[-MAX_TRIED:]:
        code = tidied(block.code, syntax, task.entry_point)
        if not syntax.defines(code, task.entry_point):
            continue
        placed = _placed(task, code, syntax, open_ended=not block.closed)
        candidate = replace(placed, before=tuple(blocks[:number]), behind=tuple(blocks[number + 1 :]))
        found.append((block, candidate))
    own = [each for block, each in found if is_of(block, task.language)]
    return own or [each for _, each in found]


def _soundest(readings: Sequence[Sequence[_Candidate]]) -> _Candidate | None:
    """The last candidate of the first reading where that is sound; else the last that comes nearest to it."""
    for candidates in readings:
        if candidates[-1].sound:
            return candidates[-1]
    tried = [each for candidates in readings for each in reversed(candidates)]
    return max(tried, key=lambda each: (each.sound, each.parses), default=None)


def _unfenced(task: Task, answer: str, syntax: Syntax, *, fenced: bool) -> _Candidate | None:
    """Code outside of all fences that defines the entry point; without fences, also code that does not.

    Fences may stand in a docstring, so that the whole answer is looked at first.
    """
    outside = without_blocks(answer)
    texts = [tidied(text, syntax, task.entry_point) for text in (answer, outside, indented_code(answer))]
    defining = [text for text in texts if syntax.defines(text, task.entry_point)]
    if not defining and not fenced and outside.strip():
        defining = [outside]
    stops = task.stop or syntax.stops
    codes = (unfenced_code(text, syntax, task.entry_point, stops) for text in defining)
    found = [_placed(task, code, syntax) for code in codes if code.strip()]
    return next((each for each in found if each.sound), found[0] if found else None)


def _continuing(task: Task, blocks: Sequence[Block], syntax: Syntax) -> _Candidate | None:
    """The longest block that makes a program behind the prompt, of the task's language if any is."""
    own = [block for block in blocks if is_of(block, task.language)] or blocks
    longest = sorted(own, key=lambda block: len(block.code), reverse=True)[:MAX_TRIED]
    found = [_placed(task, block.code, syntax) for block in longest]
    return next((each for each in found if each.parses), found[0] if found else None)


def _placed(task: Task, code: str, syntax: Syntax, *, open_ended: bool = False) -> _Candidate:
    """Code in its place; of the places where it may stand, the first in which it parses."""
    forms: list[Callable[[], str]]
    if syntax.defines(code, task.entry_point):
        forms = [
            lambda: _redefined(task, code, syntax),
            lambda: _redefined(task, without_magic(code), syntax),
        ]
        if open_ended:
            forms.append(lambda: _redefined(task, without_prose(code, syntax, task.entry_point), syntax))
    else:
        forms = [lambda: task.prompt + code, lambda: _continued(task.prompt, code)]
    if task.language != PYTHON:
        return _Candidate(source=forms[0](), parses=_FENCED_LINE.search(code) is None)
    for source in dict.fromkeys(form() for form in forms):
        tree = parsed(source)
        if tree is not None:
            return _Candidate(source=source, parses=True, hollow=is_hollow(tree, task.entry_point))
    return _Candidate(source=forms[0](), parses=False)


def _redefined(task: Task, code: str, syntax: Syntax) -> str:
    """What stands before the definition in the prompt (imports, helpers), then the whole code."""
    defined_at = syntax.first_definition(task.prompt, task.entry_point)
    before = task.prompt[:defined_at] if defined_at is not None else ""
    decorators = re.search(r"(?:^@.*\n)+\Z", before, re.MULTILINE)
    before = before[: decorators.start()] if decorators else before
    if not before.strip():
        return code
    if task.language != PYTHON:
        # Said twice, a module header or language line is an error in many languages.
        return code if before.strip().split("\n", 1)[0] in code else before + code
    return with_futures_first(before, code)


def _continued(prompt_text: str, code: str) -> str:
    """The prompt with a body behind it that was written at the margin, moved to its place."""
    margin = re.findall(r"^([ \t]*)\S", prompt_text, re.MULTILINE)
    indent = margin[-1] if margin and margin[-1] else "    "
    joint = "" if prompt_text.endswith("\n") else "\n"
    return prompt_text + joint + textwrap.indent(textwrap.dedent(code), indent)


def _after_imports(found: _Candidate, syntax: Syntax) -> str:
    """The source behind blocks of the answer that do nothing but bring in libraries."""
    if not syntax.imports:
        return found.source
    line = re.compile(syntax.imports)
    needed = [
        block.code
        for block in found.before
        if all(line.match(each) for each in block.code.split("\n") if each.strip())
        and block.code.strip() not in found.source
    ]
    return "".join(needed) + found.source
