"""pass@k of an evaluation's samples, per stratum: a figure that other reports can be compared with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict

import numpy as np

from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.export.documents import Document
from monitor.ports import TaskTally
from monitor.stats.passk import PassAtK, pass_at_k

COVERED = 0.9
"""Share of the tasks with a scored sample that must have k of them: fewer are not the stratum any more."""


def pass_at_k_by_stratum(tallies: Iterable[TaskTally]) -> Mapping[Stratum, tuple[PassAtK, ...]]:
    """pass@1, and pass@k at the largest k that the samples of nearly every task allow; rarest first.

    An evaluation draws tasks in random order and stops when it knows enough, so that tasks differ in
    their number of samples by chance alone. A stratum without a scored sample is absent.
    """
    scored = [tally for tally in tallies if tally.scored]
    return {
        stratum: _figures([tally for tally in scored if tally.stratum is stratum])
        for stratum in RAREST_FIRST
        if any(tally.stratum is stratum for tally in scored)
    }


def pass_at_k_document(tallies: Iterable[TaskTally]) -> Document:
    """The same as JSON: a list per stratum, ascending in k."""
    return {
        stratum.value: [asdict(figure) for figure in figures]
        for stratum, figures in pass_at_k_by_stratum(tallies).items()
    }


def _figures(tallies: list[TaskTally]) -> tuple[PassAtK, ...]:
    passes = np.array([tally.passed for tally in tallies], dtype=np.float64)
    samples = np.array([tally.scored for tally in tallies], dtype=np.float64)
    found = (pass_at_k(passes, samples, k=k) for k in sorted({1, _largest(samples.tolist())}))
    return tuple(figure for figure in found if figure is not None)


def _largest(samples: list[float]) -> int:
    """The largest k of which nearly every task has as many samples.

    >>> _largest([8.0] * 9 + [3.0]), _largest([2.0, 1.0])
    (8, 1)
    """
    descending = sorted(samples, reverse=True)
    return int(descending[math.ceil(COVERED * len(descending)) - 1])
