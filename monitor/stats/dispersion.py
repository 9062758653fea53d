"""How widely rows of features spread, and whether two sets of rows lie in different places.

Both tests exchange the two sides of whole clusters: under the null a cluster's rows are as likely on one
side as on the other, whatever their dependence within it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
Clusters = NDArray[np.int64]

EXCHANGES = 1999
"""Exchanges drawn beside the observation."""

LEAST_P_VALUE = 1.0 / (EXCHANGES + 1)
"""The smallest that they can give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A statistic of two sides, and what exchanging them makes of it."""

    value: float
    """Of the second side, or of both."""
    baseline: float
    """What it is compared with."""
    p_value: float
    """Share of exchanges with a difference at least as large, the observed one counted."""
    noise: NDArray[np.float64]
    """Differences under exchange."""


def narrowing(first: Rows, second: Rows, clusters: Clusters, *, rng: np.random.Generator) -> Exchange:
    """Whether the second side fills fewer directions than the first, row i of both of one cluster.

    The number of directions is the participation ratio, (sum of eigenvalues)² / sum of their squares of the
    covariance (Gao et al. 2017, bioRxiv 214262, eq. 5): one where all variance lies on a line, the number of
    columns where it is equal in all of them. It needs no eigenvalues: the trace and the squared Frobenius
    norm. Rows are centred on their common mean, so that a shift of the whole is no change of spread.

    >>> cross = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> line = np.array([[1.0, 1.0], [-1.0, -1.0], [2.0, 2.0], [-2.0, -2.0]])
    >>> found = narrowing(cross, line, np.arange(4), rng=np.random.default_rng(1))
    >>> round(found.baseline, 6), round(found.value, 6)
    (2.0, 1.0)

    Args:
        first: one row of features per draw.
        second: likewise, as many.
        clusters: which cluster a pair of rows belongs to, from 0.
        rng: draws the exchanges.
    """
    sides = _centred(first, second)
    count = int(clusters.max()) + 1
    traces = np.array([np.bincount(clusters, (side**2).sum(axis=1), count) for side in sides])
    kernel = _cluster_kernel(np.concatenate(sides), np.concatenate([clusters, clusters + count]), 2 * count)
    swaps = _swaps(count, rng)
    ratios = []
    for chosen in (swaps, 1.0 - swaps):
        picks = np.concatenate([1.0 - chosen, chosen], axis=1)
        squares = np.einsum("pi,pi->p", picks @ kernel, picks)
        ratios.append((picks @ traces.ravel()) ** 2 / np.maximum(squares, np.finfo(float).tiny))
    narrower = ratios[0] - ratios[1]
    # The first row of swaps exchanges nothing: it is the observation.
    return Exchange(
        value=float(ratios[1][0]),
        baseline=float(ratios[0][0]),
        p_value=_share(narrower, scale=float(ratios[0].max())),
        noise=narrower[1:],
    )


def displacement(first: Rows, second: Rows, clusters: Clusters, *, rng: np.random.Generator) -> Exchange:
    """Squared distance of the two sides' mean rows, beside what exchanging sides makes of it.

    The maximum mean discrepancy with the kernel that the rows' own product is (Gretton et al. 2012, JMLR
    13, eq. 5). The baseline is its mean under exchange, since a distance of noisy means is never 0.

    Args:
        first: one row of features per draw.
        second: likewise, as many.
        clusters: which cluster a pair of rows belongs to, from 0.
        rng: draws the exchanges.
    """
    count = int(clusters.max()) + 1
    moved = np.zeros((count, first.shape[1]))
    np.add.at(moved, clusters, second - first)
    signs = 1.0 - 2.0 * _swaps(count, rng)
    distances = ((signs @ moved) ** 2).sum(axis=1) / len(first) ** 2
    baseline = float(distances[1:].mean())
    return Exchange(
        value=float(distances[0]),
        baseline=baseline,
        p_value=_share(distances, scale=float(distances.max())),
        noise=distances[1:] - baseline,
    )


def _centred(first: Rows, second: Rows) -> tuple[Rows, Rows]:
    centre = (first.mean(axis=0) + second.mean(axis=0)) / 2.0
    return first - centre, second - centre


def _cluster_kernel(rows: Rows, clusters: Clusters, count: int) -> Rows:
    """Sums over pairs of rows of their squared products, for every pair of clusters."""
    order = np.argsort(clusters, kind="stable")
    starts = np.searchsorted(clusters[order], np.arange(count))
    squared = (rows[order] @ rows[order].T) ** 2
    summed: Rows = np.add.reduceat(np.add.reduceat(squared, starts, axis=0), starts, axis=1)
    return summed


def _swaps(count: int, rng: np.random.Generator) -> Rows:
    swaps = rng.integers(0, 2, size=(EXCHANGES + 1, count)).astype(np.float64)
    swaps[0] = 0.0
    return swaps


def _share(differences: Rows, *, scale: float) -> float:
    """Share as large as the first, the first included; rounding, on this scale, makes no difference."""
    return float(np.mean(differences >= differences[0] - 1e-9 * scale))
