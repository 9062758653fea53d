"""Outcomes that others recorded, replayed as if they were being drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.domain.evidence import Observation
from monitor.domain.identity import content_digest
from monitor.domain.tasks import Stratum


def as_stream(observations: Sequence[Observation], *, batch: int) -> tuple[Observation, ...]:
    """Recorded samples in the order and the waves in which an evaluation would draw them.

    Files are usually sorted by task; a test that read them so would judge the stratum by its first
    tasks. So they are put in passes: every task's lowest index, in an order fixed by the task's name, then
    every task's next one, with a look after each ``batch`` samples of a stratum.

    Args:
        observations: as read; their waves are ignored.
        batch: samples of a stratum between two looks.
    """
    rank: dict[str, int] = {}
    placed = []
    for one in sorted(observations, key=lambda one: (one.task_id, one.index)):
        rank[one.task_id] = rank.get(one.task_id, -1) + 1
        place = content_digest("order", str(rank[one.task_id]), one.task_id)
        placed.append((rank[one.task_id], place, one))
    taken: dict[Stratum, int] = {}
    stream = []
    for _, _, one in sorted(placed, key=lambda row: row[:2]):
        count = taken.get(one.stratum, 0)
        taken[one.stratum] = count + 1
        stream.append(replace(one, wave=count // batch))
    return tuple(stream)
