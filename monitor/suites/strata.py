"""Which stratum a rarity score falls into."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.domain.tasks import Stratum
from monitor.suites.format import CorpusFeatures, TrainingFrequency, Unranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Rarity scores at which torso and tail begin."""

    torso_from: float
    torso_inclusive: bool
    tail_from: float
    tail_inclusive: bool

    def stratum(self, rarity: float) -> Stratum:
        """The band that holds a score."""
        if rarity > self.tail_from or (self.tail_inclusive and rarity == self.tail_from):
            return Stratum.TAIL
        if rarity > self.torso_from or (self.torso_inclusive and rarity == self.torso_from):
            return Stratum.TORSO
        return Stratum.HEAD


def cuts(rule: TrainingFrequency | CorpusFeatures | Unranked, scores: Sequence[float]) -> Cuts:
    """Where the strata of a suite begin, given the scores of all its tasks.

    A frequency of exactly ``head_at_least`` is head, so there the bands begin beyond the cut; a
    score of exactly a cut point or quantile belongs to the rarer band.
    """
    if isinstance(rule, TrainingFrequency):
        return Cuts(
            torso_from=-math.log2(rule.head_at_least),
            torso_inclusive=False,
            tail_from=-math.log2(rule.torso_at_least),
            tail_inclusive=False,
        )
    if isinstance(rule, Unranked):
        return Cuts(torso_from=-math.inf, torso_inclusive=True, tail_from=math.inf, tail_inclusive=False)
    torso_from, tail_from = _corpus_cuts(rule, scores)
    return Cuts(torso_from=torso_from, torso_inclusive=True, tail_from=tail_from, tail_inclusive=True)


def _corpus_cuts(rule: CorpusFeatures, scores: Sequence[float]) -> tuple[float, float]:
    if rule.cut_points is not None:
        return rule.cut_points.torso_from, rule.cut_points.tail_from
    if rule.quantiles is None:
        message = "a corpus-features rule has quantiles or cut points"
        raise AssertionError(message)
    return quantile(scores, rule.quantiles.torso_from), quantile(scores, rule.quantiles.tail_from)


def quantile(scores: Sequence[float], share: float) -> float:
    """Smallest score that at least ``share`` of the scores lie below, or the largest score.

    >>> quantile([4.0, 1.0, 3.0, 2.0], 0.5)
    3.0
    """
    ordered = sorted(scores)
    return ordered[min(math.ceil(share * len(ordered)), len(ordered) - 1)]
