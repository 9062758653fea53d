"""What an evaluation under a policy will cost on a bank, before any sample is drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from monitor.domain.evidence import Bank, ReasonCode
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.bank import LEAST_VARIANCE
from monitor.stats.paired import fewest_tasks
from monitor.stats.planning import SamplePlan, plan_samples
from monitor.verdicts.floors import margin_on, margins_on
from monitor.verdicts.greedy import answers_of, too_few
from monitor.verdicts.outlook import Footing, Outlook
from monitor.verdicts.pairing import Phase, check_outcomes, halve
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumPlan:
    """What one stratum is expected to take."""

    stratum: Stratum
    margin: float
    """The drop that matters; 0 where the baseline passes nothing."""
    stated_margin: float
    """The policy's, which is more where the baseline passes too little to lose it."""
    tasks: int
    baseline_ratio: float
    """Of all that the bank holds."""
    unchanged_samples: int
    """Expected when the candidate equals the baseline."""
    dropped_samples: int
    """Expected when it is worse by the margin."""
    confirming_samples: int
    """Expected on top of those, to confirm it; 0 where nothing is confirmed."""
    most_samples: int
    """Screening never takes more."""
    feasible: bool
    """Whether this bank can show the margin at all."""
    required_depth: int | None
    """Samples per task the bank needs for it, and for confirming it; None at temperature 0, and where the
    baseline passes nothing."""
    required_tasks: int | None
    """Tasks the stratum needs for it at temperature 0; None above, where samples make up for tasks."""
    cause: ReasonCode | None
    """Why it is not feasible, as the gate will say; None where it is."""
    problem: str
    """The same for people, with what can be done; empty where it is feasible."""

    @property
    def floor(self) -> bool:
        """Whether the baseline passes too little for its loss to be seen."""
        return self.cause is ReasonCode.FLOOR


def plan(bank: Bank, rules: Rules, *, correlation: float = 0.0) -> tuple[StratumPlan, ...]:
    """Plan every stratum that the bank holds, rarest first.

    Args:
        bank: the baseline's.
        rules: what will be asked, and how.
        correlation: rho expected of candidate and bank at equal seeds, 0 to 1.

    Raises:
        InvalidOutcomes: the bank is empty or contradicts itself.
    """
    check_outcomes(bank, ())
    margins = margins_on(bank, rules.policy)
    if rules.greedy:
        held = margins.keys()
        found = [
            _greedy_plan(bank, rules.policy, stratum, held) for stratum in RAREST_FIRST if stratum in held
        ]
    else:
        halves = halve(bank, confirm=rules.policy.confirm)
        found = [
            _sequential_plan(
                Footing(
                    bank=bank,
                    policy=rules.policy,
                    stratum=stratum,
                    margin=margins[stratum],
                    held=margins.keys(),
                    halves=halves,
                ),
                correlation,
            )
            for stratum in RAREST_FIRST
            if stratum in margins
        ]
    return tuple(each for each in found if each is not None)


def _greedy_plan(
    bank: Bank, policy: Policy, stratum: Stratum, held: Collection[Stratum]
) -> StratumPlan | None:
    """One answer per task and no choice: what can be shown depends on the number of tasks alone."""
    mine = [one for one in bank.observations if one.stratum is stratum]
    scored = [passed for passed in answers_of(mine).values() if passed is not None]
    if not scored:
        return None
    margin = margin_on([(int(passed), 1) for passed in scored], policy, stratum)
    alpha = policy.alpha_of(stratum, held)
    required = fewest_tasks(margin.effective, alpha=alpha, beta=policy.beta) if margin.effective else None
    problem = None
    if required is None or len(scored) < required:
        problem = too_few(margin, policy, stratum, tasks=len(scored), alpha=alpha)
    return StratumPlan(
        stratum=stratum,
        margin=margin.effective,
        stated_margin=margin.stated,
        tasks=len(scored),
        baseline_ratio=margin.rate,
        unchanged_samples=len(scored),
        dropped_samples=len(scored),
        confirming_samples=0,
        most_samples=len(scored),
        feasible=problem is None,
        required_depth=None,
        required_tasks=required,
        cause=problem.cause if problem else None,
        problem=problem.text if problem else "",
    )


def _sequential_plan(footing: Footing, correlation: float) -> StratumPlan | None:
    policy, margin = footing.policy, footing.margin
    first = footing.outlook(Phase.SCREENING)
    if first is None:
        return None
    again = Phase.CONFIRMATION in footing.phases
    second = footing.outlook(Phase.CONFIRMATION) if again else None
    problem, need, samples = footing.problem(), footing.needed, _samples(first, correlation)
    fewest = policy.minimum_samples
    return StratumPlan(
        stratum=footing.stratum,
        margin=margin.effective,
        stated_margin=margin.stated,
        tasks=first.bank.tasks,
        baseline_ratio=margin.rate,
        unchanged_samples=max(samples.unchanged, fewest),
        dropped_samples=max(samples.dropped, fewest),
        confirming_samples=max(_samples(second, correlation).dropped, fewest) if second else 0,
        most_samples=samples.most,
        feasible=problem is None,
        required_depth=need.depth if need else None,
        required_tasks=None,
        cause=problem.cause if problem else None,
        problem=problem.text if problem else "",
    )


def _samples(outlook: Outlook, correlation: float) -> SamplePlan:
    """What a phase will take when candidate and bank are correlated so at equal seeds."""
    bank, lines = outlook.bank, outlook.lines
    variance = max(bank.variance * (1.0 - correlation**2), LEAST_VARIANCE)
    return plan_samples(replace(bank, variance=variance), lines, draws_per_task=outlook.draws_per_task)
