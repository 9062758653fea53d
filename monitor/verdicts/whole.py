"""Findings on outcomes that lie there whole: one look at all of them, since nothing was stopped early."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from monitor.domain.evidence import (
    Bank,
    Boundary,
    Confirmation,
    Finding,
    FindingKind,
    Observation,
    ReasonCode,
)
from monitor.domain.tasks import RAREST_FIRST
from monitor.verdicts.assessment import Assessment, Phase, confirmation_of, finding_of
from monitor.verdicts.course import Table, follow
from monitor.verdicts.evidence import evidence_of
from monitor.verdicts.floors import margins_on
from monitor.verdicts.pairing import check_outcomes, halve
from monitor.verdicts.policy import Policy


def assess_whole(bank: Bank, observations: Sequence[Observation], policy: Policy) -> Assessment:
    """Weigh each stratum's samples once and together, against the whole bank.

    STEADY and REGRESSED are those of a single test at the lines' error rates. Where the policy confirms, a
    regression is confirmed only if both halves of the samples, each against its own half of the bank, show
    it too: the levels of screening and confirmation, without anything drawn again. No stratum is STEADY in
    which the candidate has no outcome of some task, or skips a sample number that its other tasks have.

    Args:
        bank: the baseline's recorded outcomes.
        observations: all of the candidate's.
        policy: what is asked of the candidate.

    Raises:
        InvalidOutcomes: see :func:`~monitor.verdicts.pairing.check_outcomes`.
    """
    check_outcomes(bank, observations)
    together = Table(
        bank=bank,
        observations=[replace(one, wave=0) for one in observations],
        policy=replace(policy, confirm=False),
        halves=halve(bank, confirm=False),
        margins=margins_on(bank, policy),
        whole=True,
    )
    halved = replace(together, policy=policy, halves=halve(bank, confirm=policy.confirm))
    asked: dict[str, set[int]] = defaultdict(set)
    for one in observations:
        asked[one.task_id].add(one.index)
    findings = [
        _repeated(_complete(finding_of(course, None), course.pairing.tasks, asked), halved)
        for course in (
            follow(together, stratum, Phase.SCREENING)
            for stratum in RAREST_FIRST
            if stratum in together.margins
        )
    ]
    return Assessment(findings=tuple(findings), wanted=())


def _complete(found: Finding, tasks: Sequence[str], asked: Mapping[str, Collection[int]]) -> Finding:
    """STEADY taken back where lines are missing, for which there may be a reason: that they failed."""
    text = _unasked(tasks, asked) or _skipped([asked[task] for task in tasks if task in asked])
    if not text or found.kind not in {FindingKind.STEADY, FindingKind.IMPROVED}:
        return found
    text += " Give each a line; `passed` is null where there is no result."
    evidence = replace(
        found.evidence,
        boundary=Boundary.NONE,
        decided_at=None,
        minimum_detectable_delta=None,
        problem=text,
    )
    return Finding(kind=FindingKind.UNDECIDED, evidence=evidence, cause=ReasonCode.STRATUM_UNDECIDED)


def _unasked(tasks: Sequence[str], asked: Collection[str]) -> str:
    """What is wrong where tasks of the baseline's were left out; empty where none was."""
    missing = sum(task not in asked for task in tasks)
    if not missing:
        return ""
    return (
        f"{missing} of {len(tasks)} tasks have no outcome of the candidate's, and what was not asked cannot "
        "be seen to fail."
    )


def _skipped(numbers: Sequence[Collection[int]]) -> str:
    """What is wrong where tasks lack samples before their last; fewer samples than others they may have.

    Args:
        numbers: of the samples of each task.
    """
    used = sorted({number for each in numbers for number in each})
    missing = sum(bisect_right(used, max(each)) - len(each) for each in numbers)
    if not missing:
        return ""
    return (
        f"{missing} samples of the candidate's have no line, although others of their task follow, and what "
        "has no line cannot be seen to fail."
    )


def _repeated(found: Finding, halved: Table) -> Finding:
    """A regression with what its halves say by themselves; any other finding as it is."""
    stratum, policy = found.evidence.stratum, halved.policy
    if found.kind is not FindingKind.REGRESSED or not policy.confirm or stratum not in policy.critical:
        return found
    first, second = (follow(halved, stratum, phase) for phase in Phase)
    confirmation = confirmation_of(second)
    if confirmation is Confirmation.CONFIRMED and not first.regressed:
        confirmation = Confirmation.PENDING
    return replace(found, confirmation=confirmation, confirming=evidence_of(second))
