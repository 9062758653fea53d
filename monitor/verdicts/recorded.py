"""Outcomes that others recorded, and what they support."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Bank, Decision, Observation
from monitor.verdicts.decision import Circumstances, decide
from monitor.verdicts.pairing import Phase, halve
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import Rules, judge
from monitor.verdicts.whole import assess_whole


def decide_recorded(
    bank: Bank, outcomes: Sequence[Observation], rules: Rules, *, in_order: bool = False
) -> Decision:
    """The decision that a candidate's recorded outcomes support.

    They lie there whole and are weighed whole, in one look at all of them. A stream that was written as it
    was drawn, in an order that says nothing about the tasks, can be read as one: a look after each wave,
    until a stratum is decided.

    Args:
        bank: the baseline's.
        outcomes: the candidate's.
        rules: how they are weighed.
        in_order: whether they are such a stream.

    Raises:
        InvalidOutcomes: the two do not fit together, too much of the baseline has no result, one answer per
            task is weighed as if more could be drawn, or a stratum has no sample to be screened by.
    """
    _check_scored(bank, rules.policy)
    if not rules.greedy:
        _check_depth(bank)
        _check_screened(bank, outcomes, confirm=rules.policy.confirm)
    if rules.greedy or in_order:
        found = judge(bank, outcomes, rules)
    else:
        found = assess_whole(bank, outcomes, rules.policy)
    return decide(found, rules.policy, Circumstances())


def _check_scored(bank: Bank, policy: Policy) -> None:
    """What the baseline has no result of is weighed by nobody, whatever the candidate does with it."""
    asked = Counter(one.stratum for one in bank.observations)
    lost = Counter(one.stratum for one in bank.observations if one.passed is None)
    for stratum in sorted(policy.critical & lost.keys()):
        share = lost[stratum] / asked[stratum]
        if share > policy.max_unscored_share:
            raise InvalidOutcomes(
                f"{share:.0%} of the baseline's samples in {stratum.value} have no result; at most "
                f"{policy.max_unscored_share:.0%} may.",
                next_step="Record them again, or leave their tasks out on both sides.",
            )


def _check_depth(bank: Bank) -> None:
    samples = Counter(one.task_id for one in bank.observations)
    if samples and max(samples.values()) == 1:
        raise InvalidOutcomes(
            "The baseline has one sample per task, which does not tell how much a task's samples scatter.",
            next_step="Say --greedy if both sides were generated at temperature 0; "
            "otherwise record at least two samples per task of the baseline.",
        )


def _check_screened(bank: Bank, outcomes: Sequence[Observation], *, confirm: bool) -> None:
    halves = halve(bank, confirm=confirm)
    screened = {one.stratum for one in outcomes if halves.phase(one.index) is Phase.SCREENING}
    for stratum in sorted({one.stratum for one in outcomes} - screened):
        lowest = min(one.index for one in outcomes if one.stratum is stratum)
        first = halves.indices[Phase.CONFIRMATION][0]
        raise InvalidOutcomes(
            f"The candidate's samples in {stratum.value} are numbered from {lowest} on. Numbers from {first} "
            "on, the later half of the baseline's, only confirm a regression; none is left to find one.",
            next_step="Number each task's samples from 0, or do without confirmation: "
            "`confirm: false` in a --policy file.",
        )
