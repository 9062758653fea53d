"""The slow-decline process over what evaluations really draw."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.domain.evidence import Bank, Observation
from monitor.domain.identity import content_digest
from monitor.domain.tasks import Stratum
from monitor.rounds.waves import Itinerary, next_wave
from monitor.verdicts.assessment import Want
from monitor.verdicts.changes import decline_over
from monitor.verdicts.pairing import Phase

from .conftest import small_suite

SUITE = small_suite(133)
TASKS = [task.task_id for task in SUITE.stratum(Stratum.TAIL)]
STREAMS, LENGTH, DEPTH, SAMPLES = 25, 50, 32, 45
FIRST_HALF = tuple(range(DEPTH // 2))


def anchor(seed: int) -> dict[tuple[str, int], Observation]:
    rng = np.random.default_rng(seed)
    truth = dict(zip(TASKS, rng.beta(0.7, 1.0, len(TASKS)), strict=True))
    return {
        (task_id, index): Observation(
            task_id=task_id,
            stratum=Stratum.TAIL,
            index=index,
            wave=0,
            passed=bool(rng.random() < truth[task_id]),
            seed=index,
        )
        for task_id in TASKS
        for index in range(DEPTH)
    }


def copy_of(outcomes: dict[tuple[str, int], Observation], digest: str) -> list[Observation]:
    """What a checkpoint draws whose every sample repeats the bank's at the same seed."""
    want = Want(stratum=Stratum.TAIL, phase=Phase.SCREENING, indices=FIRST_HALF, samples=SAMPLES)
    way = Itinerary(suite=SUITE, checkpoint=digest)
    picks = next_wave(way, [want], tasks=set(TASKS), drawn=set(), size=SAMPLES)
    return [outcomes[pick.task_id, pick.index] for pick in picks]


def alarms(digests: list[str]) -> int:
    """Streams of copies with these digests in which a decline is called; seeds are fixed."""
    found = 0
    for seed in range(STREAMS):
        outcomes = anchor(seed)
        bank = Bank(checkpoint="b" * 64, observations=tuple(outcomes.values()), seed_stable=True)
        copies = [copy_of(outcomes, digest) for digest in digests]
        found += decline_over(bank, copies).alarm
    return found


@pytest.mark.parametrize("own_way", [True, False])
def test_copies_of_the_anchor_are_no_decline_because_each_draws_other_samples(own_way):
    # Were all to draw the same ones, these would tell the same tale fifty times.
    digests = [content_digest("copy", str(number if own_way else 0)) for number in range(LENGTH)]
    assert (alarms(digests) == 0) is own_way
