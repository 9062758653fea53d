"""Outcomes that others recorded, replayed as if they were being drawn, and decided on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Bank, Decision, Observation
from monitor.domain.identity import content_digest
from monitor.domain.tasks import Stratum
from monitor.verdicts.decision import Circumstances, decide
from monitor.verdicts.pairing import Phase, halve
from monitor.verdicts.rules import Rules, judge


def decide_recorded(bank: Bank, stream: Sequence[Observation], rules: Rules) -> Decision:
    """The decision that a candidate's recorded outcomes support, those of the same wave read together.

    Raises:
        InvalidOutcomes: the two do not fit together, one answer per task is weighed as if more could be
            drawn, or a stratum has no sample to be screened by.
    """
    if not rules.greedy:
        _check_depth(bank)
        _check_screened(bank, stream, confirm=rules.policy.confirm)
    return decide(judge(bank, stream, rules), rules.policy, Circumstances())


def as_stream(observations: Sequence[Observation], *, batch: int) -> tuple[Observation, ...]:
    """Recorded samples in the order and the waves in which an evaluation would draw them.

    Files are mostly in the order of the tasks; a test that read them so would judge the stratum by its
    first tasks. So they are put in passes: every task's lowest index, in an order fixed by the task's name,
    then every task's next one, with a look after each ``batch`` samples of a stratum.

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


def _check_depth(bank: Bank) -> None:
    samples = Counter(one.task_id for one in bank.observations)
    if samples and max(samples.values()) == 1:
        raise InvalidOutcomes(
            "The baseline has one sample per task, which does not tell how much a task's samples scatter.",
            next_step="Say --greedy if both sides were generated at temperature 0; "
            "otherwise record at least two samples per task of the baseline.",
        )


def _check_screened(bank: Bank, stream: Sequence[Observation], *, confirm: bool) -> None:
    halves = halve(bank, confirm=confirm)
    screened = {one.stratum for one in stream if halves.phase(one.index) is Phase.SCREENING}
    for stratum in sorted({one.stratum for one in stream} - screened):
        lowest = min(one.index for one in stream if one.stratum is stratum)
        first = halves.indices[Phase.CONFIRMATION][0]
        raise InvalidOutcomes(
            f"The candidate's samples in {stratum.value} are numbered from {lowest} on. Numbers from {first} "
            "on, the later half of the baseline's, only confirm a regression; none is left to find one.",
            next_step="Number each task's samples from 0, or do without confirmation: "
            "`confirm: false` in a --policy file.",
        )
