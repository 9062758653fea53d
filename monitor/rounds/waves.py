"""Which samples are drawn next: a deterministic order that a restarted evaluation finds again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from monitor.domain.identity import content_digest
from monitor.domain.tasks import Stratum, Suite, Task
from monitor.verdicts.assessment import Want

SAMPLES_PER_REQUEST = 16
"""Most adjacent samples of one task in one request to the engine."""


FEWEST = 16
"""Samples that a stratum gets at least while a wave has room."""


@dataclass(frozen=True, slots=True, order=True)
class Pick:
    """One sample to draw."""

    task_id: str
    index: int


def order_of_tasks(suite: Suite, stratum: Stratum, index: int, tasks: Collection[str]) -> list[str]:
    """The tasks of a stratum in the random order in which their sample ``index`` is drawn.

    Depends on nothing but the arguments, so that every checkpoint and every restart has the same.
    Whatever part of a pass is drawn, it is then a random part of the stratum.
    """
    names = [task.task_id for task in suite.stratum(stratum) if task.task_id in tasks]
    seed = int(content_digest("order", str(suite.seed), stratum.value, str(index))[:16], 16)
    return [names[position] for position in np.random.default_rng(seed).permutation(len(names))]


def next_wave(
    suite: Suite,
    wants: Sequence[Want],
    *,
    tasks: Collection[str],
    drawn: Collection[Pick],
    size: int,
) -> list[Pick]:
    """The next samples, at most ``size``, for the strata that want more, the most urgent first.

    Each stratum is passed through once per sample index, one sample per task and pass.

    Args:
        suite: gives the tasks and the seed of their order.
        wants: what the evidence still needs, most urgent first.
        tasks: ids that may be drawn: those the bank holds and whose reference passes here.
        drawn: what earlier waves drew.
        size: most samples in the wave.
    """
    shares = _shares([want.samples for want in wants], size)
    return [
        pick
        for want, share in zip(wants, shares, strict=True)
        for pick in islice(_remaining(suite, want, tasks, drawn), share)
    ]


def _remaining(suite: Suite, want: Want, tasks: Collection[str], drawn: Collection[Pick]) -> Iterator[Pick]:
    for index in want.indices:
        for task_id in order_of_tasks(suite, want.stratum, index, tasks):
            pick = Pick(task_id, index)
            if pick not in drawn:
                yield pick


def _shares(needs: Sequence[int], size: int) -> list[int]:
    """Give each need in its turn what it is expected to take, as long as there is room.

    Serving the most urgent stratum first spends least on the others when it turns out to be worse.
    Every need counts as at least :data:`FEWEST`, since small waves leave the engine idle.

    >>> _shares([75, 60, 100], 128), _shares([2, 3], 128)
    ([75, 53, 0], [16, 16])
    """
    shares, left = [], size
    for need in needs:
        shares.append(min(max(need, FEWEST), left))
        left -= shares[-1]
    return shares


def bank_waves(tasks: Sequence[Task], *, depth: int, size: int) -> Iterator[list[Pick]]:
    """Every sample of a bank, in waves of about ``size`` that keep a task's samples together."""
    per_wave = max(1, size // depth)
    for start in range(0, len(tasks), per_wave):
        yield [
            Pick(task.task_id, index) for task in tasks[start : start + per_wave] for index in range(depth)
        ]


def adjacent(picks: Iterable[Pick]) -> list[list[Pick]]:
    """The picks in their order, adjacent samples of a task together: each list is one request."""
    runs: list[list[Pick]] = []
    for pick in picks:
        last = runs[-1] if runs else []
        if last and last[-1] == Pick(pick.task_id, pick.index - 1) and len(last) < SAMPLES_PER_REQUEST:
            last.append(pick)
        else:
            runs.append([pick])
    return runs
