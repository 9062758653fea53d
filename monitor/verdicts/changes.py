"""What moved task by task, and over many checkpoints."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from monitor.domain.evidence import Bank, Observation
from monitor.domain.tasks import Stratum
from monitor.stats.bank import BankSummary, summarise
from monitor.stats.decline import Decline, follow_decline, tolerated_drop
from monitor.stats.flips import Flip, TaskCounts, flips
from monitor.verdicts.pairing import tally


def flipped_tasks(bank: Bank, observations: Sequence[Observation], *, fdr: float = 0.05) -> tuple[Flip, ...]:
    """Tasks whose pass probability moved, strongest evidence first; none is named on a whim."""
    before, after = tally(bank.observations), tally(observations)
    return flips(
        [
            TaskCounts(
                task_id=task,
                bank_passes=before[task][0],
                bank_samples=before[task][1],
                passes=after[task][0],
                samples=after[task][1],
            )
            for task in sorted(before.keys() & after.keys())
        ],
        fdr=fdr,
    )


def sealed_gap(bank: Bank, observations: Sequence[Observation], sealed: Collection[str]) -> float | None:
    """Change of the pass ratio on sealed tasks minus that on open ones; None unless both were drawn.

    Each task counts once: its mean change of the pass ratio from bank to candidate. An honest change
    moves sealed and open tasks alike, so the gap is around 0; one that was selected by the open tasks
    leaves the sealed ones behind, and the gap is negative.
    """
    before, after = tally(bank.observations), tally(observations)
    changes: dict[bool, list[float]] = {True: [], False: []}
    for task in before.keys() & after.keys():
        change = after[task][0] / after[task][1] - before[task][0] / before[task][1]
        changes[task in sealed].append(change)
    if not changes[True] or not changes[False]:
        return None
    return math.fsum(changes[True]) / len(changes[True]) - math.fsum(changes[False]) / len(changes[False])


def decline_over(anchor: Bank, checkpoints: Iterable[Sequence[Observation]]) -> Decline:
    """The slow-decline process of the tail over checkpoints in the order they were evaluated.

    Each checkpoint adds the tail samples its evaluation drew anyway, screening and confirmation alike.

    Args:
        anchor: the bank of the first baseline ever adopted.
        checkpoints: the observations of each evaluated checkpoint, oldest first.
    """
    rates = {task: passes / samples for task, (passes, samples) in tally(_tail(anchor.observations)).items()}
    state = Decline()
    if not rates:
        return state
    tolerated = tolerated_drop(_summary(anchor).noise)
    for observations in checkpoints:
        scored = sorted(
            (one for one in _tail(observations) if one.passed is not None and one.task_id in rates),
            key=lambda one: (one.wave, one.task_id, one.index),
        )
        drops = [rates[one.task_id] - float(bool(one.passed)) for one in scored]
        state = follow_decline(state, drops, tolerated=tolerated)
    return state


def _summary(bank: Bank) -> BankSummary:
    counts = tally(_tail(bank.observations)).values()
    passes, samples = np.array(list(counts), dtype=np.float64).T
    return summarise(passes, samples)


def _tail(observations: Iterable[Observation]) -> list[Observation]:
    return [one for one in observations if one.stratum is Stratum.TAIL]
