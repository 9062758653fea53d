"""Paired differences that come in clusters: has their mean risen?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from monitor.stats.bank import Floats, Indices

EXACT_CLUSTERS = 14
"""Up to so many clusters every pattern of signs is counted; beyond, patterns are drawn."""

DRAWN_PATTERNS = 20_000
"""Patterns drawn then: a p-value of 0.001 is known to about a fifth of itself."""

_CHUNK = 2048
_FLOAT_NOISE = 1e-9
"""Differences of sums that rounding explains, in units of the largest sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """How far paired differences lie above nought."""

    mean: float
    """Mean over all pairs, clusters weighted by their pairs."""
    low: float | None
    """Two-sided 95 % interval, clustered; None with fewer than two clusters."""
    high: float | None
    p_value: float
    """One-sided, of "the mean is at most what is tolerated"."""
    pairs: int
    clusters: int
    least_p_value: float
    """The smallest p-value that so few clusters can give."""


def clustered_rise(
    differences: Sequence[float],
    clusters: Sequence[str],
    *,
    rng: np.random.Generator,
    tolerated: float = 0.0,
) -> Rise:
    """One-sided sign-flip test of the mean, whole clusters flipped together.

    If each cluster's total is as likely s as -s, every pattern of signs is equally likely (Fisher 1935,
    section 21; for clusters Canay, Romano & Shaikh 2017); p is the share of patterns whose
    total is at least the one seen. Drawn patterns count the seen one with them (Phipson & Smyth 2010).

    >>> rng = np.random.default_rng(1)
    >>> clustered_rise([0.3, 0.1, 0.2, 0.4], ["a", "b", "c", "d"], rng=rng).p_value
    0.0625
    >>> clustered_rise([0.0, 0.0], ["a", "b"], rng=rng).p_value
    1.0

    Args:
        differences: after minus before, one per pair.
        clusters: which cluster each pair belongs to; pairs within one may depend on each other.
        rng: draws patterns of signs where there are too many to count.
        tolerated: a mean up to here is no rise; subtracted from every difference first.

    Raises:
        ValueError: no pairs, or not one cluster per pair.
    """
    if not differences or len(differences) != len(clusters):
        raise ValueError("every difference needs its cluster, and there must be some")
    values = np.asarray(differences, dtype=np.float64)
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    totals: Floats = np.bincount(member, weights=values - tolerated, minlength=len(names)).astype(float)
    half = _half_width(values, member, len(names))
    mean = float(values.mean())
    return Rise(
        mean=mean,
        low=None if half is None else mean - half,
        high=None if half is None else mean + half,
        p_value=_share_as_high(totals, rng),
        pairs=len(values),
        clusters=len(names),
        least_p_value=_least_share(len(names)),
    )


def _share_as_high(totals: Floats, rng: np.random.Generator) -> float:
    seen = totals.sum() - _FLOAT_NOISE * np.abs(totals).max()
    count = len(totals)
    if count <= EXACT_CLUSTERS:
        patterns = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        return float(np.mean((2 * patterns - 1) @ totals >= seen))
    high = 1
    for start in range(0, DRAWN_PATTERNS, _CHUNK):
        signs = rng.integers(0, 2, size=(min(_CHUNK, DRAWN_PATTERNS - start), count), dtype=np.int8)
        high += int(np.count_nonzero((2.0 * signs - 1.0) @ totals >= seen))
    return high / (DRAWN_PATTERNS + 1)


def _least_share(clusters: int) -> float:
    return 0.5**clusters if clusters <= EXACT_CLUSTERS else 1.0 / (DRAWN_PATTERNS + 1)


def _half_width(values: Floats, member: Indices, clusters: int) -> float | None:
    """Half of a 95 % interval with the cluster-robust variance (Liang & Zeger 1986), t with G - 1."""
    if clusters < 2:
        return None
    residuals = np.bincount(member, weights=values - values.mean(), minlength=clusters)
    variance = clusters / (clusters - 1) * float(residuals @ residuals) / len(values) ** 2
    return float(scipy.stats.t.ppf(0.975, clusters - 1)) * math.sqrt(variance)
