"""All task families of the lab by key; their rank in the traffic is a seeded shuffle, see corpus.py."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from benchmarks.lab.families import (
    arithmetic,
    bits,
    conditions,
    dates,
    dicts,
    digits,
    generators,
    grids,
    heaps,
    itertools_,
    lists,
    primes,
    recursion,
    regexes,
    selections,
    sets,
    sorting,
    strings,
    words,
)
from benchmarks.lab.families.notation import Example, Family, fam

__all__ = ["FAMILIES", "Example", "Family", "fam"]

_MODULES: tuple[ModuleType, ...] = (
    arithmetic,
    bits,
    conditions,
    dates,
    dicts,
    digits,
    generators,
    grids,
    heaps,
    itertools_,
    lists,
    primes,
    recursion,
    regexes,
    selections,
    sets,
    sorting,
    strings,
    words,
)


def _gather() -> dict[str, Family]:
    """Return every family by key, its topic taken from the module it is listed in."""
    found: dict[str, Family] = {}
    for module in _MODULES:
        topic = module.__name__.rpartition(".")[2].rstrip("_")
        for family in module.FAMILIES:
            if family.key in found:
                raise ValueError(f"two families are called {family.key}")
            found[family.key] = replace(family, topic=topic)
    return found


FAMILIES: dict[str, Family] = _gather()
