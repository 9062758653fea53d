"""Which samples are drawn next: for each checkpoint a random order that a restart finds again."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Itinerary:
    """The random way in which one checkpoint is led through the tasks and their sample indices.

    It depends on suite and checkpoint alone, so that every restart and every later evaluation finds it
    again. Another checkpoint goes another way: were all to draw the same samples of the bank, what is
    peculiar about these would look like evidence that piles up from checkpoint to checkpoint.
    """

    suite: Suite
    checkpoint: str
    """Its digest."""

    def order_of_tasks(self, stratum: Stratum, turn: int, tasks: Collection[str]) -> list[str]:
        """The tasks of a stratum in the order of their ``turn``-th sample.

        Whatever part of a pass is drawn, it is then a random part of the stratum.
        """
        names = [task.task_id for task in self.suite.stratum(stratum) if task.task_id in tasks]
        rng = np.random.default_rng(self._number("order", stratum.value, str(turn)))
        return [names[position] for position in rng.permutation(len(names))]

    def index(self, task_id: str, turn: int, indices: Sequence[int]) -> int:
        """Which of the indices is the task's ``turn``-th: all in a circle, from one of the task's own on."""
        return indices[(self._number("start", task_id) + turn) % len(indices)]

    def _number(self, *parts: str) -> int:
        return int(content_digest(*parts, str(self.suite.seed), self.checkpoint)[:16], 16)


def next_wave(
    way: Itinerary,
    wants: Sequence[Want],
    *,
    tasks: Collection[str],
    drawn: Collection[Pick],
    size: int,
) -> list[Pick]:
    """The next samples, at most ``size``, for the strata that want more, the most urgent first.

    Each stratum is passed through once per sample index, one sample per task and pass. Serving the most
    urgent stratum first spends least on the others when it turns out to be worse. Every want counts as
    at least :data:`FEWEST`, since small waves leave the engine idle.

    Args:
        way: how this checkpoint goes through the suite.
        wants: what the evidence still needs, most urgent first.
        tasks: ids that may be drawn: those the bank holds and whose reference passes here.
        drawn: what earlier waves drew.
        size: most samples in the wave.
    """
    picks: dict[Pick, None] = {}
    for want in wants:
        share = min(max(want.samples, FEWEST), size - len(picks))
        fresh = (pick for pick in _passes(way, want, tasks) if pick not in drawn and pick not in picks)
        picks |= dict.fromkeys(list(islice(fresh, share)))
    return list(picks)


def _passes(way: Itinerary, want: Want, tasks: Collection[str]) -> Iterator[Pick]:
    for turn in range(len(want.indices)):
        for task_id in way.order_of_tasks(want.stratum, turn, tasks):
            yield Pick(task_id, way.index(task_id, turn, want.indices))


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
