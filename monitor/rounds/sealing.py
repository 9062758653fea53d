"""Whose turn it is: in which evaluations sealed tasks take part."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from monitor.domain.evaluation import Evaluation, Purpose
from monitor.domain.tasks import Seal


def resting(seal: Seal, evaluation: Evaluation, evaluations: Iterable[Evaluation]) -> tuple[str, ...]:
    """The sealed tasks that an evaluation leaves alone, sorted; none when it is their turn.

    Counted are the evaluations of the model on this suite that were queued before, so that a restart
    finds the same answer. Banks hold every task and are not counted.

    Args:
        seal: the suite's.
        evaluation: the one that begins.
        evaluations: all of the model.
    """
    earlier = sum(
        each.key.suite == evaluation.key.suite
        and each.key.purpose is not Purpose.BANK
        and _arrival(each) < _arrival(evaluation)
        for each in evaluations
    )
    return () if (earlier + 1) % seal.every == 0 else tuple(sorted(seal.task_ids))


def _arrival(evaluation: Evaluation) -> tuple[datetime, str]:
    return evaluation.created_at, evaluation.key.evaluation_id
