"""What a night adds to the story: a candidate that is held with warnings, and one that waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.domain.evaluation import State
from monitor.domain.evidence import DecisionKind, Reason, ReasonCode
from monitor.ports import Store
from tests.integration.export.servers import BEGIN
from tests.unit.export import story

LATER = story.checkpoint("gen4")


def warn(store: Store) -> None:
    """gen4: held, since it drifts and declines; and gen5 waits."""
    reasons = (
        Reason(code=ReasonCode.DRIFT, text="Answers became shorter."),
        Reason(code=ReasonCode.SLOW_DECLINE, text="It declines.", figures={"log10_evidence": 2.1}),
    )
    decision = replace(story.PROMOTE, kind=DecisionKind.HOLD, reasons=reasons)
    story.judge(store, LATER, decision, begun=BEGIN + timedelta(hours=2.5))
    waiting = story.checkpoint("gen5")
    store.remember(story.MODEL, waiting, now=BEGIN + timedelta(hours=2.6))
    store.enqueue(story.evaluation(waiting, begun=BEGIN + timedelta(hours=2.6), state=State.QUEUED))
