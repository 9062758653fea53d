"""Tasks that say nearly the same, within a suite and against published benchmarks.

The measure is Broder's resemblance (1997): the Jaccard similarity of the sets of shingles, here of
three neighbouring tokens of prompt and reference, computed exactly.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Suite
from monitor.suites.loading import load_suite
from monitor.suites.records import read_records

SHINGLE_TOKENS: Final = 3
NEAR: Final = 0.3
"""Pairs at least this similar are near-duplicates: the closest pairs of HumanEval, which are variations of
each other (56 and 61, 40 and 43, 7 and 29, 30 and 35, 33 and 37), have 0.64 to 0.33."""

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A task as far as its text goes."""

    name: str
    shingles: frozenset[tuple[str, ...]]
    """Runs of neighbouring tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Two tasks and how similar they are."""

    task_id: str
    other: str
    """A task of the same suite, or one of those it is compared with."""
    similarity: float
    """Share of their shingles that both have, 0 to 1."""


def passage(name: str, text: str) -> Passage:
    """A text as its shingles: identifiers are kept, case and white space are not.

    >>> sorted(passage("t", "def  Add(a)").shingles)
    [('(', 'a', ')'), ('add', '(', 'a'), ('def', 'add', '(')]
    """
    tokens = _TOKEN.findall(text.casefold())
    starts = range(max(1, len(tokens) - SHINGLE_TOKENS + 1))
    return Passage(name=name, shingles=frozenset(tuple(tokens[at : at + SHINGLE_TOKENS]) for at in starts))


def passages_of(suite: Suite) -> list[Passage]:
    """The passages of a suite's tasks: prompt and reference."""
    return [passage(task.task_id, task.prompt + "\n" + task.canonical_solution) for task in suite]


def read_passages(suite_or_file: str) -> list[Passage]:
    """The passages of a suite, or of a benchmark's file of JSON Lines with HumanEval's field names.

    Raises:
        InvalidSuite: it is neither; the message names file and line.
    """
    path = Path(suite_or_file)
    if not path.is_file():
        return passages_of(load_suite(suite_or_file))
    return list(_passages_in(path))


def _passages_in(path: Path) -> Iterator[Passage]:
    for record in read_records(path, InvalidSuite):
        prompt = record.value.get("prompt")
        if not isinstance(prompt, str):
            raise InvalidSuite(
                f"{record.place}: no text in the field 'prompt'.",
                next_step="Give a file with HumanEval's field names, or import it as a suite first.",
            )
        name = str(record.value.get("task_id") or f"line {record.line}")
        yield passage(f"{path.name}: {name}", f"{prompt}\n{record.value.get('canonical_solution') or ''}")


def closest(passages: Sequence[Passage], others: Sequence[Passage], *, most: int) -> list[Likeness]:
    """The most similar pairs, the closest first: of the passages among themselves, and with others.

    All pairs at least as similar as :data:`NEAR` are among them, however many.
    """
    found = [*_pairs(passages, passages, among_themselves=True)]
    found += _pairs(passages, others, among_themselves=False)
    found.sort(key=lambda pair: (-pair.similarity, pair.task_id, pair.other))
    near = sum(pair.similarity >= NEAR for pair in found)
    return found[: max(near, most)]


def _pairs(
    passages: Sequence[Passage], others: Sequence[Passage], *, among_themselves: bool
) -> Iterator[Likeness]:
    """Every pair that shares a shingle; each pair once."""
    holders = _holders(others)
    for at, one in enumerate(passages):
        shared: Counter[int] = Counter()
        for shingle in one.shingles:
            shared.update(holders.get(shingle, ()))
        for number, count in shared.items():
            if among_themselves and number <= at:
                continue
            other = others[number]
            union = len(one.shingles) + len(other.shingles) - count
            yield Likeness(task_id=one.name, other=other.name, similarity=count / union)


def _holders(passages: Iterable[Passage]) -> dict[tuple[str, ...], list[int]]:
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, each in enumerate(passages):
        for shingle in each.shingles:
            holders[shingle].append(number)
    return holders
