"""pass@k of a set of tasks, unbiased, with errors that hold for the tasks at hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.stats.bank import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAtK:
    """Probability that at least one of k samples passes, averaged over tasks."""

    k: int
    ratio: float
    error: float
    """Standard error clustered by task: it covers other tasks of the same kind, too."""
    tasks: int
    """Tasks with at least k samples; the others could not be counted."""


def pass_at_k(passes: Floats, samples: Floats, *, k: int) -> PassAtK | None:
    """Estimate pass@k from n samples per task, c of them passed; None when no task has k samples.

    Per task 1 - C(n-c, k)/C(n, k), the unbiased estimator (Chen et al. 2021, arXiv 2107.03374, eq. 1);
    the error is that of a mean over independent tasks (Miller 2024, arXiv 2411.00640, section 2.2).

    >>> found = pass_at_k(np.array([1.0, 4.0]), np.array([4.0, 4.0]), k=2)
    >>> found.ratio, round(found.error, 3)
    (0.75, 0.25)

    Raises:
        ValueError: k below 1, or more passes than samples.
    """
    if k < 1 or np.any(passes > samples) or np.any(passes < 0):
        raise ValueError("pass@k needs k >= 1 and between none and all of the samples passed")
    enough = samples >= k
    if not enough.any():
        return None
    each = np.array(
        [_of_task(int(c), int(n), k) for c, n in zip(passes[enough], samples[enough], strict=True)]
    )
    error = float(each.std(ddof=1) / math.sqrt(len(each))) if len(each) > 1 else 0.5
    return PassAtK(k=k, ratio=float(each.mean()), error=error, tasks=len(each))


def _of_task(passed: int, drawn: int, k: int) -> float:
    return 1.0 - math.comb(drawn - passed, k) / math.comb(drawn, k)
