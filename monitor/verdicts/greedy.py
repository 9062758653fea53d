"""Findings at temperature 0, where a task has one answer and a second sample tells nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from monitor.domain.evidence import (
    Bank,
    Boundary,
    Evidence,
    Finding,
    FindingKind,
    Observation,
    ReasonCode,
)
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.paired import Discordance, fewest_tasks, largest_drop, mcnemar, smallest_drop
from monitor.verdicts.assessment import Assessment, Phase, Want
from monitor.verdicts.floors import Margin, margin_on
from monitor.verdicts.outlook import NOTHING_SCORED, Problem, floor_problem
from monitor.verdicts.pairing import check_outcomes
from monitor.verdicts.policy import Depth, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """One stratum's answers on both sides."""

    stratum: Stratum
    tasks: int
    passed_before: int
    """Among the tasks scored on both sides."""
    changed: Discordance
    worst: Discordance
    """Likewise, with every answer of the candidate that is UNSCORED counted as failed."""
    unscored: int
    missing: int
    """Tasks the candidate has not answered yet."""
    alpha: float
    margin: Margin
    known: int
    """Tasks with a result of the baseline's, answered by the candidate or not."""
    passed: int
    """Those of them that it passes."""

    def largest(self, *, beta: float) -> float:
        """The largest drop that is credible, whatever the UNSCORED answers were."""
        return max(largest_drop(each, beta=beta) for each in (self.changed, self.worst))

    def can_decide(self, *, beta: float) -> bool:
        """Whether some answers would: an unchanged candidate's, or those of one that passes nothing."""
        if not self.known:
            return False
        steady = (
            self.margin.effective > 0.0
            and largest_drop(Discordance(tasks=self.known, lost=0, gained=0), beta=beta)
            < self.margin.effective
        )
        lost = Discordance(tasks=self.known, lost=self.passed, gained=0)
        return steady or mcnemar(lost) <= self.alpha


def assess_greedy(bank: Bank, observations: Sequence[Observation], policy: Policy) -> Assessment:
    """Compare one answer per task on both sides, those of the lowest index, by exact tests.

    REGRESSED by McNemar's test at the stratum's alpha; STEADY when the largest drop that is credible at
    beta stays below the margin. Nothing can be confirmed by drawing again: decide with a policy whose
    ``confirm`` is off. A stratum that no answers could decide is not asked for any, unless all that is
    planned shall be drawn.

    Raises:
        InvalidOutcomes: see :func:`~monitor.verdicts.pairing.check_outcomes`.
    """
    check_outcomes(bank, observations)
    before, after = answers_of(bank.observations), answers_of(observations)
    home = {one.task_id: one.stratum for one in bank.observations}
    held = set(home.values())
    comparisons = [
        _compare(
            stratum,
            {task: before[task] for task in home if home[task] is stratum},
            after,
            policy=policy,
            held=held,
        )
        for stratum in RAREST_FIRST
        if stratum in held
    ]
    first = min(one.index for one in bank.observations)
    wanted = tuple(
        Want(stratum=one.stratum, phase=Phase.SCREENING, indices=(first,), samples=one.missing)
        for one in comparisons
        if one.missing and (policy.depth is Depth.FULL or one.can_decide(beta=policy.beta))
    )
    return Assessment(findings=tuple(_finding(one, policy) for one in comparisons), wanted=wanted)


def answers_of(observations: Sequence[Observation]) -> dict[str, bool | None]:
    """The outcome of each task's lowest index."""
    ordered = sorted(observations, key=lambda one: one.index, reverse=True)
    return {one.task_id: one.passed for one in ordered}


def _compare(
    stratum: Stratum,
    before: Mapping[str, bool | None],
    after: Mapping[str, bool | None],
    *,
    policy: Policy,
    held: Collection[Stratum],
) -> _Comparison:
    known = [old for old in before.values() if old is not None]
    pairs = [(old, after[task]) for task, old in before.items() if task in after]
    scored = [(old, new) for old, new in pairs if old is not None and new is not None]
    return _Comparison(
        stratum=stratum,
        tasks=len(before),
        passed_before=sum(old for old, _ in scored),
        changed=_discordance(scored),
        worst=_discordance([(old, bool(new)) for old, new in pairs if old is not None]),
        unscored=sum(new is None for _, new in pairs),
        missing=len(before) - len(pairs),
        alpha=policy.alpha_of(stratum, held),
        margin=margin_on([(int(old), 1) for old in known], policy, stratum),
        known=len(known),
        passed=sum(known),
    )


def _discordance(pairs: Sequence[tuple[bool, bool]]) -> Discordance:
    return Discordance(
        tasks=len(pairs),
        lost=sum(old and not new for old, new in pairs),
        gained=sum(new and not old for old, new in pairs),
    )


def _finding(one: _Comparison, policy: Policy) -> Finding:
    changed, few = one.changed, NOTHING_SCORED
    if one.known:
        few = too_few(one.margin, policy, one.stratum, tasks=one.known, alpha=one.alpha)
    if not one.margin.effective or (one.missing and not one.can_decide(beta=policy.beta)):
        return _undecided(one, policy, few)
    if one.missing:
        text = f"{one.missing} of {one.tasks} tasks have not been answered yet."
        return _undecided(one, policy, Problem(cause=ReasonCode.STRATUM_UNDECIDED, text=text))
    share = one.unscored / max(one.tasks, 1)
    if share > policy.max_unscored_share:
        text = f"{share:.0%} of the samples could not be scored; at most {policy.max_unscored_share:.0%} may."
        return _undecided(one, policy, Problem(cause=ReasonCode.TOO_MANY_UNSCORED, text=text))
    if changed.tasks and one.largest(beta=policy.beta) < one.margin.effective:
        better = one.largest(beta=policy.beta) < 0.0
        kind = FindingKind.IMPROVED if better else FindingKind.STEADY
        return Finding(kind=kind, evidence=_evidence(one, policy, Boundary.LOWER))
    if changed.tasks and mcnemar(changed) <= one.alpha:
        return Finding(kind=FindingKind.REGRESSED, evidence=_evidence(one, policy, Boundary.UPPER))
    return _undecided(one, policy, few)


def too_few(margin: Margin, policy: Policy, stratum: Stratum, *, tasks: int, alpha: float) -> Problem:
    """Why so many tasks with one answer each do not tell, and how many would."""
    few = f"{tasks} tasks with one answer each are too few to tell"
    if not margin.effective:
        return floor_problem(margin, policy, stratum, need=str)
    required = fewest_tasks(margin.effective, alpha=alpha, beta=policy.beta)
    if margin.lowered and tasks < required:
        need = f"{few}, {required} at least would do"
        return floor_problem(margin, policy, stratum, need=lambda: need)
    needs = f": the margin needs {required} at least" if tasks < required else ""
    return Problem(cause=ReasonCode.BASELINE_UNDERPOWERED, text=f"{few}{needs}.")


def _undecided(one: _Comparison, policy: Policy, problem: Problem) -> Finding:
    evidence = _evidence(one, policy, Boundary.NONE, problem.text)
    return Finding(kind=FindingKind.UNDECIDED, evidence=evidence, cause=problem.cause)


def _evidence(one: _Comparison, policy: Policy, boundary: Boundary, problem: str = "") -> Evidence:
    changed = one.changed
    known = changed.tasks > 0
    before = one.margin.rate if one.known else None
    ratio = one.passed_before / changed.tasks if known else before
    low = -one.largest(beta=policy.beta) if known else None
    high = -smallest_drop(changed, alpha=one.alpha) if known else None
    return Evidence(
        stratum=one.stratum,
        samples=changed.tasks,
        unscored=one.unscored,
        tasks=one.tasks,
        baseline_ratio=ratio,
        pass_ratio=_within(ratio, -changed.drop if known else None),
        pass_low=_within(ratio, low),
        pass_high=_within(ratio, high),
        delta=-changed.drop if known else None,
        delta_low=low,
        delta_high=high,
        margin=one.margin.effective,
        stated_margin=one.margin.overruled,
        boundary=boundary,
        decided_at=None if boundary is Boundary.NONE else changed.tasks,
        max_samples=one.tasks,
        minimum_detectable_delta=None,
        coupling=0.0,
        correlation=None,
        problem=problem,
    )


def _within(ratio: float | None, delta: float | None) -> float | None:
    return None if ratio is None or delta is None else min(max(ratio + delta, 0.0), 1.0)
