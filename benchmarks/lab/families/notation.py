"""The compact notation in which a task family is written, and how one example is drawn from it.

A family is one kind of small programming problem. Its spec comment has several phrasings, separated by
``//``; inside a phrasing ``[a|b]`` is a free choice and ``@`` is short for a choice of verbs. Arguments are
written by *role* (``xs`` is a list, ``s`` a string), and every example draws its own name for each role.
Capital letters are constants with a pool of values. ``$role`` and ``$CONST`` stand for the drawn text in the
spec and in the body.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template

VERBS = "[Return|Give|Compute|Find]"
CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")

# Loop variables of the bodies (i j r v w p q h out) are in no pool: a drawn name can never shadow one.
ROLES: dict[str, tuple[str, ...]] = {
    "n": ("n", "num", "value", "number", "amount"),
    "k": ("k", "step", "size", "count", "limit"),
    "a": ("a", "x", "left", "first", "low"),
    "b": ("b", "y", "right", "second", "high"),
    "s": ("s", "text", "word", "line", "phrase"),
    "t": ("t", "other", "part", "target", "piece"),
    "c": ("c", "ch", "char", "letter", "mark"),
    "xs": ("xs", "nums", "values", "items", "seq", "data"),
    "ys": ("ys", "others", "more", "rest", "tail"),
    "ws": ("words", "names", "labels", "tokens", "lines"),
    "d": ("d", "table", "mapping", "record", "scores"),
    "e": ("e", "extra", "update", "patch", "changes"),
    "m": ("grid", "matrix", "rows", "board", "cells"),
    "ps": ("pairs", "points", "edges", "entries", "links"),
    "day": ("day", "date_text", "when", "stamp", "start"),
    "end": ("end", "until", "stop_day", "finish", "last"),
    "year": ("year", "yr", "y"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One drawn problem: what the model reads and what it should write."""

    family: str  # key of the family it came from
    prompt: str  # spec comment and signature; ends with a newline, the body comes next
    body: str  # the reference body, indented, without a final newline
    entry_point: str  # name of the function


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of problem: phrasings, names, constants, a reference body, and inputs to test it."""

    key: str  # unique, used in task ids
    topic: str  # the part of programming it exercises
    roles: tuple[str, ...]  # roles of the arguments, in order
    specs: tuple[str, ...]  # phrasings in the notation above
    names: tuple[str, ...]  # possible function names
    body: str  # reference body, unindented, in the notation above
    cases: tuple[object, ...]  # one tuple of arguments per case, or the bare argument if there is only one
    wrap: str  # callable applied to the result before it is compared, such as "list"; may be empty
    uses: str  # module imported above the function; may be empty
    consts: Mapping[str, Sequence[object]]  # pool of values per constant

    def draw(self, rng: random.Random) -> Example:
        """Return one example with freshly drawn phrasing, names and constants."""
        filling: dict[str, object] = {name: rng.choice(pool) for name, pool in self.consts.items()}
        taken: set[object] = set()
        for role in self.roles:
            filling[role] = rng.choice([name for name in ROLES[role] if name not in taken])
            taken.add(filling[role])
        name = rng.choice([name for name in self.names if name not in taken])
        spec = Template(phrase(rng.choice(self.specs), rng)).substitute(filling)
        arguments = ", ".join(str(filling[role]) for role in self.roles)
        header = f"import {self.uses}\n" if self.uses else ""
        body = Template(self.body).substitute(filling)
        return Example(
            family=self.key,
            prompt=f"{header}# {spec}\ndef {name}({arguments}):\n",
            body=textwrap.indent(body, "    "),
            entry_point=name,
        )

    def arguments(self) -> list[tuple[object, ...]]:
        """Return the inputs of every case as argument tuples."""
        if len(self.roles) == 1:
            return [(case,) for case in self.cases]
        return [tuple(case) for case in self.cases if isinstance(case, tuple)]


def phrase(spec: str, rng: random.Random) -> str:
    """Return ``spec`` with every ``[a|b]`` replaced by one of its choices, inner ones first."""
    spec = spec.replace("@", VERBS)
    while found := CHOICE.search(spec):
        spec = spec[: found.start()] + rng.choice(found.group(1).split("|")) + spec[found.end() :]
    return spec


def fam(  # noqa: PLR0917 - a declarative table of 240 rows reads best without keywords
    key: str,
    roles: str,
    specs: str,
    names: str,
    body: str,
    cases: Sequence[object],
    *,
    wrap: str = "",
    uses: str = "",
    **consts: Sequence[object],
) -> Family:
    """Return the family written in the compact notation; its topic is set by the module that lists it."""
    return Family(
        key=key,
        topic="",
        roles=tuple(roles.split()),
        specs=tuple(part.strip() for part in specs.split("//")),
        names=tuple(names.split()),
        body=body,
        cases=tuple(cases),
        wrap=wrap,
        uses=uses,
        consts=consts,
    )
