"""Stored observations in; findings, and what must be drawn next, out.

Evidence is a pure function of what is stored. Samples carry the number of the wave that drew them, and
the test is replayed look by look, so that weighing twice, or after a crash, gives the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.domain.evidence import (
    Bank,
    Boundary,
    Confirmation,
    Evidence,
    Finding,
    FindingKind,
    Observation,
    ReasonCode,
)
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.boundaries import Lines, design_lines
from monitor.stats.planning import detectable_delta, expected_more, feasibility, plan_samples
from monitor.stats.sequential import Trial, look
from monitor.verdicts.pairing import Halves, Pairing, Phase, check_outcomes, halve, pair
from monitor.verdicts.policy import PRUDENCE, Depth, Policy

__all__ = ["Assessment", "Phase", "Want", "assess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """Samples that one stratum still needs."""

    stratum: Stratum
    phase: Phase
    indices: tuple[int, ...]
    """Sample indices of this phase at which some task is still to be drawn, ascending."""
    samples: int = 1
    """How many more the test is expected to need: a sensible size for the stratum's next wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Where an evaluation stands after some waves."""

    findings: tuple[Finding, ...]
    """One per stratum of the bank, rarest first."""
    wanted: tuple[Want, ...]
    """What must be drawn next, most urgent first; empty when nothing more can change the decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a stratum cannot be decided."""

    cause: ReasonCode
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """One phase of one stratum: its samples, its test, and what stands in the way."""

    stratum: Stratum
    phase: Phase
    pairing: Pairing
    trial: Trial
    problem: Problem | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Table:
    """What lies before the judge."""

    bank: Bank
    observations: Sequence[Observation]
    policy: Policy
    halves: Halves


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
    table = _Table(
        bank=bank,
        observations=observations,
        policy=policy,
        halves=halve(bank, confirm=policy.confirm),
    )
    held = {one.stratum for one in bank.observations}
    courses: list[tuple[Course, Course | None]] = []
    for stratum in (stratum for stratum in RAREST_FIRST if stratum in held):
        alpha = policy.alpha_of(stratum, held)
        lines = design_lines(alpha=alpha, beta=policy.beta, margin=policy.margin_of(stratum))
        first = _follow(table, stratum, Phase.SCREENING, lines)
        courses.append((first, _confirm(table, first)))
    findings = tuple(_finding(first, second) for first, second in courses)
    return Assessment(findings=findings, wanted=_wanted(courses, findings, policy))


def _follow(table: _Table, stratum: Stratum, phase: Phase, lines: Lines) -> Course:
    """Replay one phase of one stratum, a look after each wave."""
    pairing = pair(
        table.bank,
        table.observations,
        stratum=stratum,
        phase=phase,
        margin=lines.margin,
        halves=table.halves,
    )
    trial = Trial(lines=lines, minimum_samples=table.policy.minimum_samples)
    coupled = table.policy.coupling and table.bank.seed_stable
    if pairing.bank is not None:
        for count in pairing.looks:
            trial = look(trial, pairing.bank, pairing.draws.first(count), coupled=coupled)
    return Course(
        stratum=stratum,
        phase=phase,
        pairing=pairing,
        trial=trial,
        problem=_problem(pairing, trial, table.policy),
    )


def _confirm(table: _Table, first: Course) -> Course | None:
    """The second test of a regressed critical stratum; None where there is nothing to confirm."""
    policy = table.policy
    if not policy.confirm or first.stratum not in policy.critical or not _regressed(first):
        return None
    lines = design_lines(
        alpha=PRUDENCE * policy.confirm_alpha,
        beta=policy.confirm_beta,
        margin=policy.margin_of(first.stratum),
    )
    return _follow(table, first.stratum, Phase.CONFIRMATION, lines)


def _regressed(course: Course) -> bool:
    return course.problem is None and course.trial.regressed_at is not None


def _problem(pairing: Pairing, trial: Trial, policy: Policy) -> Problem | None:
    """What keeps this phase from a conclusion, whatever else is drawn or although all is drawn."""
    lines, drawn = trial.lines, pairing.draws.count
    if pairing.bank is None:
        text = "The bank holds no scored sample of this stratum for this phase."
        return Problem(cause=ReasonCode.BASELINE_UNDERPOWERED, text=text)
    share = pairing.unscored / max(pairing.unscored + drawn, 1)
    if share > policy.max_unscored_share and pairing.unscored + drawn >= policy.minimum_samples:
        text = f"{share:.0%} of the samples could not be scored; at most {policy.max_unscored_share:.0%} may."
        return Problem(cause=ReasonCode.TOO_MANY_UNSCORED, text=text)
    if trial.decided_at is not None:
        return None
    able = feasibility(pairing.bank, lines, draws_per_task=len(pairing.indices))
    if not able.feasible:
        halves = 2 if policy.confirm else 1
        needed = able.required_depth * halves
        text = f"The baseline is underpowered: its bank needs n0 = {needed} samples per task."
        return Problem(cause=ReasonCode.BASELINE_UNDERPOWERED, text=text)
    if not pairing.open_indices:
        text = f"All {drawn} samples the bank allows for were drawn without a conclusion."
        return Problem(cause=ReasonCode.STRATUM_UNDECIDED, text=text)
    return None


def _finding(first: Course, second: Course | None) -> Finding:
    evidence = _evidence(first)
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
        confirmation=_confirmation(second),
        confirming=_evidence(second),
    )


def _confirmation(second: Course) -> Confirmation:
    if _regressed(second):
        return Confirmation.CONFIRMED
    if second.problem is None and second.trial.steady_at is not None:
        return Confirmation.REFUTED
    return Confirmation.PENDING


def _wanted(
    courses: Sequence[tuple[Course, Course | None]], findings: Sequence[Finding], policy: Policy
) -> tuple[Want, ...]:
    """What is still to be drawn: a pending confirmation before anything else."""
    if policy.depth is Depth.FULL:
        return tuple(want for pair_ in courses for course in pair_ if course for want in _all_of(course))
    confirmed = any(finding.confirmation is Confirmation.CONFIRMED for finding in findings)
    unconfirmable = not policy.confirm and any(
        finding.kind is FindingKind.REGRESSED and finding.evidence.stratum in policy.critical
        for finding in findings
    )
    if confirmed or unconfirmable:
        return ()
    pending = tuple(want for _, second in courses if second for want in _next_of(second))
    return pending or tuple(want for first, _ in courses for want in _next_of(first))


def _next_of(course: Course) -> tuple[Want, ...]:
    """The want of an open test; nothing when it is decided or cannot be."""
    if course.problem is not None or course.trial.decided_at is not None:
        return ()
    return _all_of(course)


def _all_of(course: Course) -> tuple[Want, ...]:
    """Everything not yet drawn of a phase."""
    if course.pairing.bank is None or not course.pairing.open_indices:
        return ()
    want = Want(
        stratum=course.stratum,
        phase=course.phase,
        indices=course.pairing.open_indices,
        samples=_still_expected(course),
    )
    return (want,)


def _still_expected(course: Course) -> int:
    trial, bank = course.trial, course.pairing.bank
    assert bank is not None
    if trial.estimate is not None:
        return expected_more(trial.lines, trial.estimate, trial.samples)
    plan = plan_samples(bank, trial.lines, draws_per_task=len(course.pairing.indices))
    return max(plan.unchanged - course.pairing.draws.count, 1)


def _evidence(course: Course) -> Evidence:
    pairing, trial = course.pairing, course.trial
    lines, bank, found, span = trial.lines, pairing.bank, trial.estimate, trial.interval
    mean = bank.mean if bank is not None else None
    drop = found.drop if found is not None else None
    return Evidence(
        stratum=course.stratum,
        samples=pairing.draws.count,
        unscored=pairing.unscored,
        tasks=len(pairing.tasks),
        baseline_ratio=mean,
        pass_ratio=_ratio(mean, drop),
        pass_low=_ratio(mean, span.high if span else None),
        pass_high=_ratio(mean, span.low if span else None),
        delta=_negative(drop),
        delta_low=_negative(span.high if span else None),
        delta_high=_negative(span.low if span else None),
        margin=lines.margin,
        boundary=_boundary(trial),
        decided_at=trial.decided_at,
        max_samples=_most(course),
        minimum_detectable_delta=_detectable(trial),
        coupling=trial.coupling.weight,
        correlation=trial.coupling.correlation,
        problem=course.problem.text if course.problem else "",
    )


def _ratio(mean: float | None, drop: float | None) -> float | None:
    if mean is None or drop is None:
        return None
    return min(max(mean - drop, 0.0), 1.0)


def _negative(drop: float | None) -> float | None:
    return None if drop is None else max(-1.0, min(1.0, -drop))


def _boundary(trial: Trial) -> Boundary:
    if trial.regressed_at is not None:
        return Boundary.UPPER
    return Boundary.NONE if trial.steady_at is None else Boundary.LOWER


def _most(course: Course) -> int:
    if course.pairing.bank is None:
        return 0
    draws = len(course.pairing.indices)
    return plan_samples(course.pairing.bank, course.trial.lines, draws_per_task=draws).most


def _detectable(trial: Trial) -> float | None:
    """A decided test could have shown its margin; an open one, what its information allows so far."""
    if trial.decided_at is not None:
        return trial.lines.margin
    if trial.estimate is None:
        return None
    seen = detectable_delta(
        alpha=trial.lines.alpha, beta=trial.lines.beta, information=trial.estimate.information
    )
    return max(trial.lines.margin, min(seen, 1.0))
