"""Stored observations in; findings, and what must be drawn next, out.

Evidence is a pure function of what is stored. Samples carry the number of the wave that drew them, and
the test is replayed look by look, so that weighing twice, or after a crash, gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.domain.evidence import Bank, Confirmation, Finding, FindingKind, Observation, ReasonCode
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.planning import expected_more, plan_samples
from monitor.verdicts.course import Course, Table, follow
from monitor.verdicts.evidence import evidence_of
from monitor.verdicts.floors import margins_on
from monitor.verdicts.pairing import Phase, check_outcomes, halve
from monitor.verdicts.policy import Depth, Policy

__all__ = ["Assessment", "Phase", "Want", "assess"]


Courses = tuple[Course, Course | None]
"""A stratum's screening, and its confirmation where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Samples that one stratum still needs."""

    stratum: Stratum
    phase: Phase
    indices: tuple[int, ...]
    """All sample indices of this phase, ascending."""
    samples: int = 1
    """How many more: what the test is expected to need, or all that the plan has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Where an evaluation stands after some waves."""

    findings: tuple[Finding, ...]
    """One per stratum of the bank, rarest first."""
    wanted: tuple[Want, ...]
    """What must be drawn next, most urgent first; empty when nothing more can change the decision."""


def assess(bank: Bank, observations: Sequence[Observation], policy: Policy) -> Assessment:
    """Weigh everything observed so far against the bank.

    A stratum that the policy or suite knows but the bank does not has no finding; the bank decides
    which strata there are.

    Args:
        bank: the baseline's stored outcomes, without tasks that are left out of this evaluation.
        observations: the candidate's, of all waves so far.
        policy: what is asked of the candidate.

    Raises:
        InvalidOutcomes: the two do not fit together; see :func:`~monitor.verdicts.pairing.check_outcomes`.
    """
    check_outcomes(bank, observations)
    table = Table(
        bank=bank,
        observations=observations,
        policy=policy,
        halves=halve(bank, confirm=policy.confirm),
        margins=margins_on(bank, policy),
    )
    courses: list[Courses] = []
    for stratum in (stratum for stratum in RAREST_FIRST if stratum in table.margins):
        first = follow(table, stratum, Phase.SCREENING)
        courses.append((first, _confirm(table, first)))
    findings = tuple(finding_of(first, second) for first, second in courses)
    return Assessment(findings=findings, wanted=_wanted(table, courses, findings))


def _confirm(table: Table, first: Course) -> Course | None:
    """The second test of a regressed critical stratum; None where there is nothing to confirm."""
    policy = table.policy
    if not policy.confirm or first.stratum not in policy.critical or not first.regressed:
        return None
    return follow(table, first.stratum, Phase.CONFIRMATION)


def finding_of(first: Course, second: Course | None) -> Finding:
    """What a stratum's screening, and its confirmation where there is one, amount to."""
    evidence = evidence_of(first)
    if first.problem is not None or first.trial.decided_at is None:
        cause = first.problem.cause if first.problem else ReasonCode.STRATUM_UNDECIDED
        return Finding(kind=FindingKind.UNDECIDED, evidence=evidence, cause=cause)
    if first.trial.steady_at is not None:
        kind = FindingKind.IMPROVED if first.trial.improved else FindingKind.STEADY
        return Finding(kind=kind, evidence=evidence)
    if second is None:
        return Finding(kind=FindingKind.REGRESSED, evidence=evidence)
    return Finding(
        kind=FindingKind.REGRESSED,
        evidence=evidence,
        confirmation=confirmation_of(second),
        confirming=evidence_of(second),
    )


def confirmation_of(second: Course) -> Confirmation:
    """Whether a second test repeats a regression."""
    if second.regressed:
        return Confirmation.CONFIRMED
    if second.problem is None and second.trial.steady_at is not None:
        return Confirmation.REFUTED
    return Confirmation.PENDING


def _wanted(table: Table, courses: Sequence[Courses], findings: Sequence[Finding]) -> tuple[Want, ...]:
    """What is still to be drawn: a pending confirmation before anything else, the plan's rest last."""
    policy = table.policy
    confirmed = any(finding.confirmation is Confirmation.CONFIRMED for finding in findings)
    unconfirmable = not policy.confirm and any(
        finding.kind is FindingKind.REGRESSED and finding.evidence.stratum in policy.critical
        for finding in findings
    )
    needed: tuple[Want, ...] = ()
    if not (confirmed or unconfirmable):
        pending = tuple(want for _, second in courses if second for want in _next_of(second))
        needed = pending or tuple(want for first, _ in courses for want in _next_of(first))
    if policy.depth is Depth.FULL:
        return (*needed, *(want for pair in courses for want in _rest(table, *pair)))
    return needed


def _next_of(course: Course) -> Iterator[Want]:
    """The want of an open test; nothing when it is decided or cannot be."""
    if course.problem is None and course.trial.decided_at is None and course.pairing.undrawn:
        yield _want(course, samples=_still_expected(course))


def _rest(table: Table, first: Course, second: Course | None) -> Iterator[Want]:
    """All that is planned for a stratum and not yet drawn, whatever its tests said."""
    again = second or follow(table, first.stratum, Phase.CONFIRMATION)
    for course in (first, again):
        if course.pairing.undrawn:
            yield _want(course, samples=course.pairing.undrawn)


def _want(course: Course, *, samples: int) -> Want:
    indices = course.pairing.indices
    return Want(stratum=course.stratum, phase=course.phase, indices=indices, samples=samples)


def _still_expected(course: Course) -> int:
    trial, bank = course.trial, course.pairing.bank
    assert bank is not None
    if trial.estimate is not None and trial.worst is not None:
        return expected_more(trial.lines, trial.estimate, trial.worst, trial.samples)
    plan = plan_samples(bank, trial.lines, draws_per_task=len(course.pairing.indices))
    return max(plan.unchanged - course.pairing.draws.count, 1)
