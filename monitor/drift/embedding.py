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
    rows = np.zeros((len(shapes), DIMENSIONS))
    for row, shape in zip(rows, shapes, strict=True):
        _fill(row, shape)
    return rows


def _fill(row: Rows, shape: Shape) -> None:
    total = sum(shape.features.values())
    for position, count in shape.features.items():
        row[position] = np.sqrt(count / total)
