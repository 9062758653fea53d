"""Two measurements of one probe, weighed against each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from statistics import NormalDist, fmean

import numpy as np

from monitor.domain.drift import Indicator, Measurement, Reading
from monitor.domain.tasks import Stratum
from monitor.stats.clustered import clustered_rise

METHOD = "sign flips of whole clusters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """When a rise of an indicator warns."""

    alpha: float
    """How often an unchanged model may."""
    least_rise: float = 0.0
    """A rise up to here never does, however sure it is; in the indicator's unit."""
    least_share: float = 0.0
    """Nor does one up to this share of the baseline's figure."""
    noise: float = 0.0
    """Mean squared difference of two readings of one cluster of an unchanged model."""

    def floor(self, baseline: float, clusters: int) -> float:
        """Rise of a mean over so many clusters that chance reaches with probability ``alpha``."""
        chance = NormalDist().inv_cdf(1.0 - self.alpha) * sqrt(self.noise / clusters)
        return max(self.least_rise, self.least_share * abs(baseline), chance)


def rises(
    baseline: Measurement, candidate: Measurement, scale: Scale, *, noise: Mapping[str, float] | None = None
) -> tuple[Indicator, ...]:
    """One indicator per group that both have readings of: how far its mean lies above the baseline's.

    Readings are paired by item; those of one side alone do not count. Nothing is compared that was asked
    differently. The same two measurements always give the same p-values: the drawn signs follow from what
    was asked.

    Args:
        baseline: of the bank.
        candidate: likewise.
        scale: when a rise warns.
        noise: mean squared difference of two readings of one cluster of an unchanged model, by group.
    """
    if baseline.material != candidate.material or baseline.probe != candidate.probe:
        return ()
    before = {reading.item: reading for reading in baseline.readings}
    groups: dict[str, list[tuple[Reading, Reading]]] = defaultdict(list)
    for reading in candidate.readings:
        if reading.item in before:
            groups[reading.group].append((before[reading.item], reading))
    rng = np.random.default_rng(int(candidate.material[:16], 16))
    known = noise or {}
    return tuple(
        _indicator(candidate.probe, group, pairs, replace(scale, noise=known.get(group, 0.0)), rng)
        for group, pairs in sorted(groups.items())
    )


def _indicator(
    probe: str,
    group: str,
    pairs: list[tuple[Reading, Reading]],
    scale: Scale,
    rng: np.random.Generator,
) -> Indicator:
    differences = [after.value - before.value for before, after in pairs]
    rise = clustered_rise(differences, [after.cluster for _, after in pairs], rng=rng)
    baseline = fmean(before.value for before, _ in pairs)
    return Indicator(
        name=probe,
        method=METHOD,
        value=fmean(after.value for _, after in pairs),
        baseline=baseline,
        p_value=rise.p_value,
        alpha=scale.alpha,
        noise_floor=scale.floor(baseline, rise.clusters),
        clusters=rise.clusters,
        stratum=Stratum(group),
        least_p_value=rise.least_p_value,
    )
