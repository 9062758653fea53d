"""What a night adds to the story: a candidate that is held with warnings, and one that waits."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

from monitor.domain.evaluation import Purpose, State
from monitor.domain.evidence import Bank, DecisionKind, Reason, ReasonCode
from monitor.ports import Store
from monitor.verdicts.changes import decline_over
from tests.integration.export.servers import BEGIN
from tests.unit.export import story

LATER = story.checkpoint("gen4")


def warn(store: Store) -> None:
    """gen4: held, since it drifts, with the evidence of a decline that its samples give; and gen5 waits."""
    drifting = Reason(code=ReasonCode.DRIFT, text="Answers became shorter.")
    held = replace(story.PROMOTE, kind=DecisionKind.HOLD, reasons=(drifting,), slow_decline=_decline(store))
    story.judge(store, LATER, held, begun=BEGIN + timedelta(hours=2.5))
    waiting = story.checkpoint("gen5")
    store.remember(story.MODEL, waiting, now=BEGIN + timedelta(hours=2.6))
    store.enqueue(story.evaluation(waiting, begun=BEGIN + timedelta(hours=2.6), state=State.QUEUED))


def _decline(store: Store) -> float:
    """Evidence of a decline over control1, which was promoted, and gen4, which draws what control1 drew."""
    banked = story.evaluation(story.GEN0, begun=BEGIN, purpose=Purpose.BANK)
    promoted = story.evaluation(story.CONTROL1, begun=BEGIN)
    bank, step = (store.observations(each.key.evaluation_id) for each in (banked, promoted))
    anchor = Bank(checkpoint=story.GEN0.digest, observations=bank, seed_stable=False)
    return math.log10(decline_over(anchor, [step, step]).evidence)
