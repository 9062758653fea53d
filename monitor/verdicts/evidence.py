"""What a course amounts to, as the figures that are stored, published and shown."""

from __future__ import annotations

from monitor.domain.evidence import Boundary, Evidence
from monitor.stats.planning import detectable_delta, plan_samples
from monitor.stats.sequential import Trial
from monitor.verdicts.course import Course


def evidence_of(course: Course) -> Evidence:
    """The evidence of one phase of one stratum."""
    pairing, trial = course.pairing, course.trial
    bank, found, span = pairing.bank, trial.estimate, trial.interval
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
        margin=course.margin.effective,
        stated_margin=course.margin.overruled,
        boundary=_boundary(trial),
        decided_at=trial.decided_at,
        max_samples=_most(course),
        minimum_detectable_delta=_detectable(trial) if course.margin.effective else None,
        coupling=trial.coupling.weight,
        correlation=trial.coupling.correlation,
        problem=course.problem.text if course.problem else "",
        stopped_early=not trial.single and trial.decided_at == trial.samples,
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
