"""The lab's traffic: families follow Zipf's law, and their rank says nothing about difficulty."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from benchmarks.lab.families import FAMILIES, Example

EXPONENT = 1.2
CORPUS_SIZE = 30_000
SEED = 20_260


def ranking(keys: Iterable[str], seed: int = SEED) -> list[str]:
    """Return ``keys`` from the most to the least frequent family: a seeded shuffle, blind to difficulty."""
    ranked = sorted(keys)
    random.Random(f"rank-{seed}").shuffle(ranked)
    return ranked


def zipf_shares(count: int, exponent: float = EXPONENT) -> list[float]:
    """Return the traffic share of each rank, largest first; they sum to 1.

    >>> [round(share, 3) for share in zipf_shares(3, 1.0)]
    [0.545, 0.273, 0.182]
    """
    weights = [(rank + 1) ** -exponent for rank in range(count)]
    return [weight / sum(weights) for weight in weights]


def traffic(rng: random.Random, forbidden: frozenset[str] = frozenset()) -> Iterator[Example]:
    """Yield problems as they arrive, forever; one with a prompt in ``forbidden`` is drawn again."""
    keys = ranking(FAMILIES)
    cumulative = list(itertools.accumulate(zipf_shares(len(keys))))
    while True:
        family = FAMILIES[rng.choices(keys, cum_weights=cumulative)[0]]
        example = family.draw(rng)
        while example.prompt in forbidden:
            example = family.draw(rng)
        yield example


def draw_traffic(size: int, seed: str, forbidden: frozenset[str] = frozenset()) -> list[Example]:
    """Return ``size`` problems of the traffic named ``seed``; the same name gives the same problems."""
    return list(itertools.islice(traffic(random.Random(seed), forbidden), size))


def frequencies(corpus: Sequence[Example]) -> dict[str, float]:
    """Return the measured share of every family in ``corpus``, 0 for one that never occurs."""
    counted = Counter(example.family for example in corpus)
    return {key: counted[key] / len(corpus) for key in FAMILIES}
