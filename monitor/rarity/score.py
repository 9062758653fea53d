"""The rarity of a program: its rarest features weigh most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.rarity.features import PYTHON, features_of, language_feature
from monitor.rarity.table import RarityTable

WEIGHTS: tuple[float, ...] = tuple(0.5**place for place in range(5))
"""Weight of the rarest feature, the second rarest and so on; the rest weighs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedFeature:
    """One feature of a program and what it adds to the score."""

    feature: str
    documents: int
    """Documents of the corpus that have it."""
    bits: float
    """-log2 of its smoothed document frequency."""
    weight: float
    """Share of these bits in the score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A score and what it is made of: ``score = language_bits + feature_bits``."""

    score: float
    language: str
    language_bits: float
    """-log2 of the language's share."""
    feature_bits: float
    """Weighted mean of the rarest features' bits; see :func:`score` for other languages."""
    features: tuple[WeighedFeature, ...]
    """All features, rarest first; none for programs in other languages."""


def score(source: str, language: str, table: RarityTable) -> float:
    """How rare a program is, in bits; larger is rarer.

    The bits of the five rarest features, weighed 1, 1/2, 1/4, 1/8, 1/16 and divided by the sum of the
    weights, plus the bits of the language's share. A feature counts once, however often it occurs, and
    a program with fewer features has nothing in the missing places.

    Features are only known of Python. A program in another language is taken to be as ordinary as the
    corpus' own functions if the corpus has files in that language, else as rare as whatever it has not.
    """
    return explain(source, language, table).score


def explain(source: str, language: str, table: RarityTable) -> Explanation:
    """The score of a program with the features behind it."""
    language_bits = table.language_bits(language)
    weighed: tuple[WeighedFeature, ...] = ()
    if language == PYTHON:
        weighed = weigh(features_of(source), table)
        bits = sum(each.bits * each.weight for each in weighed)
    else:
        bits = _bits_of_other(language, table)
    return Explanation(
        score=language_bits + bits,
        language=language,
        language_bits=language_bits,
        feature_bits=bits,
        features=weighed,
    )


def weigh(features: Iterable[str], table: RarityTable) -> tuple[WeighedFeature, ...]:
    """Distinct features with bits and weights, rarest first, equally rare ones by name."""
    ranked = sorted((-table.rarity_bits(feature), feature) for feature in set(features))
    return tuple(
        WeighedFeature(
            feature=feature,
            documents=table.counts.get(feature, 0),
            bits=-negative_bits,
            weight=_weight(place, WEIGHTS),
        )
        for place, (negative_bits, feature) in enumerate(ranked)
    )


def _bits_of_other(language: str, table: RarityTable) -> float:
    feature = language_feature(language)
    return table.ordinary_bits if feature in table.counts else table.rarity_bits(feature)


def _weight(place: int, weights: Sequence[float]) -> float:
    return weights[place] / sum(weights) if place < len(weights) else 0.0
