"""Tasks that changed: each with its own evidence, named only when the evidence bears it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from monitor.stats.bank import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCounts:
    """One task's outcomes on both sides."""

    task_id: str
    bank_passes: int
    bank_samples: int
    passes: int
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A task that a candidate lost or gained."""

    task_id: str
    lost: bool
    """False: gained."""
    bank_ratio: float
    ratio: float
    p_value: float
    """Two-sided, of this task alone."""


def task_p_values(tasks: Sequence[TaskCounts]) -> Floats:
    """Exact two-sided p-values that tasks' pass probabilities are unchanged (Fisher 1935, section 21.02).

    Twice the smaller tail of the hypergeometric distribution.

    >>> one = TaskCounts(task_id="t", bank_passes=30, bank_samples=32, passes=1, samples=8)
    >>> round(float(task_p_values([one])[0]), 6)
    2.9e-05
    """
    counts = [(one.passes, one.samples, one.bank_passes, one.bank_samples) for one in tasks]
    passes, samples, bank_passes, bank_samples = np.array(counts, dtype=np.int64).reshape(-1, 4).T
    figures = (bank_samples + samples, bank_passes + passes, samples)
    hypergeometric = scipy.stats.hypergeom
    below, above = hypergeometric.cdf(passes, *figures), hypergeometric.sf(passes - 1, *figures)
    smaller: Floats = np.minimum(below, above)
    return np.minimum(1.0, 2.0 * smaller)


def flips(tasks: Sequence[TaskCounts], *, fdr: float = 0.05) -> tuple[Flip, ...]:
    """Tasks that changed, strongest evidence first, at most a share ``fdr`` of them wrongly named.

    Step-up procedure of Benjamini & Hochberg (1995, eq. 1) over all tasks with samples on both sides.

    >>> changed = TaskCounts(task_id="lost", bank_passes=30, bank_samples=32, passes=1, samples=8)
    >>> same = TaskCounts(task_id="same", bank_passes=16, bank_samples=32, passes=4, samples=8)
    >>> [(flip.task_id, flip.lost) for flip in flips([changed, same])]
    [('lost', True)]
    """
    both = [one for one in tasks if one.samples and one.bank_samples]
    rows = zip(task_p_values(both).tolist(), [one.task_id for one in both], both, strict=True)
    ranked = sorted(rows, key=lambda row: row[:2])
    passing = [rank for rank, row in enumerate(ranked, start=1) if row[0] <= fdr * rank / len(ranked)]
    named = ranked[: max(passing, default=0)]
    return tuple(_flip(one, p_value) for p_value, _, one in named)


def _flip(one: TaskCounts, p_value: float) -> Flip:
    before, after = one.bank_passes / one.bank_samples, one.passes / one.samples
    return Flip(task_id=one.task_id, lost=after < before, bank_ratio=before, ratio=after, p_value=p_value)
