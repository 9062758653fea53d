"""Programs as vectors: hashed pieces of their syntax trees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.drift.matching import Side
from monitor.drift.shapes import DIMENSIONS, Shape
from monitor.stats.dispersion import Rows


def embedded(sides: Sequence[Side]) -> Rows:
    """One row per sample in the order given; each of length one.

    Counts enter by their square roots, so that a row's product with another is one less half of the
    squared Hellinger distance of their pieces' shares.
    """
    shapes = [work.shape for side in sides for work in side.works]
    # Models repeat themselves, and equal texts share a shape.
    vectors = {key: _vector(shape) for key, shape in {id(shape): shape for shape in shapes}.items()}
    return np.array([vectors[id(shape)] for shape in shapes]).reshape(-1, DIMENSIONS)


def _vector(shape: Shape) -> Rows:
    counts = np.array(list(shape.features.values()), dtype=float)
    vector = np.zeros(DIMENSIONS)
    vector[list(shape.features)] = np.sqrt(counts / counts.sum())
    return vector
