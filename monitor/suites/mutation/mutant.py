"""What a mutant is, and which of many are run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.domain.identity import content_digest

SHOWN_CHARS = 100
"""Longest piece of code that names a change."""

FEW_MUTANTS = 8
"""A score of fewer mutants says little: one more or less that survives decides it."""


class Mutation(StrEnum):
    """Which kind of small mistake was made."""

    COMPARISON = "comparison"
    ARITHMETIC = "arithmetic"
    LOGIC = "logic"
    CONDITION = "condition"
    """A condition was negated or left out."""
    CONSTANT = "constant"
    BOUNDARY = "boundary"
    """A range or slice begins or ends one off, or not at all."""
    ARGUMENTS = "arguments"
    """Two arguments changed places, or a named one was left out."""
    NAME = "name"
    """What is called was taken for its twin: min for max, first for last."""
    STATEMENT = "statement"
    """A statement was left out, or one jump taken for another."""
    RESULT = "result"
    """Nothing is returned where something should be."""
    CALL = "call"
    """A call was left out: of a chain, or around its argument."""
    ELEMENT = "element"
    """An element of a list was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A reference solution with one small mistake in it."""

    kind: Mutation
    line: int
    """Line of the program, prompt included, counted from 1."""
    change: str
    """What was written and what is written now; no two mutants of a task share it."""
    source: str
    """The whole program."""


def mutant(kind: Mutation, line: int, change: tuple[str, str], source: str) -> Mutant:
    """A mutant whose change is put into words."""
    before, after = (_shown(text) for text in change)
    words = f"line {line}: {before} -> {after}" if after else f"line {line}: {before} left out"
    return Mutant(kind=kind, line=line, change=words, source=source)


def distinct(mutants: Iterable[Mutant], reference: str) -> list[Mutant]:
    """The mutants that differ from the reference and from each other, each change named once.

    Where two changes read alike, as when a line holds the same constant twice, the later are numbered.
    """
    seen = {reference}
    names: Counter[str] = Counter()
    different = []
    for each in mutants:
        if each.source in seen:
            continue
        seen.add(each.source)
        names[each.change] += 1
        number = names[each.change]
        different.append(replace(each, change=f"{each.change} (#{number})") if number > 1 else each)
    return different


def chosen(mutants: list[Mutant], most: int) -> list[Mutant]:
    """At most so many of the mutants, in their order: those whose changes have the smallest digests.

    The choice is as good as random over kinds and lines, and an edit elsewhere in a task leaves it alone.
    """
    ranked = sorted(mutants, key=lambda each: content_digest(each.change))
    kept = {each.change for each in ranked[:most]}
    return [each for each in mutants if each.change in kept]


def _shown(code: str) -> str:
    line = " ".join(code.split())
    return line if len(line) <= SHOWN_CHARS else line[: SHOWN_CHARS - 1] + "…"
