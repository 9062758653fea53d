"""What an evaluation under a policy will cost on a bank, before any sample is drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from monitor.domain.evidence import Bank
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.bank import BankSummary, least_variance
from monitor.stats.boundaries import Lines
from monitor.stats.paired import fewest_tasks
from monitor.stats.planning import SamplePlan, feasibility, plan_samples
from monitor.verdicts.greedy import answers_of
from monitor.verdicts.pairing import Halves, Phase, check_outcomes, halve, pair
from monitor.verdicts.policy import Policy, confirming_lines, screening_lines
from monitor.verdicts.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumPlan:
    """What one stratum is expected to take."""

    stratum: Stratum
    margin: float
    tasks: int
    baseline_ratio: float
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
    """Samples per task the bank needs for it, and for confirming it; None at temperature 0."""
    required_tasks: int | None
    """Tasks the stratum needs for it at temperature 0; None above, where samples make up for tasks."""


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
    held = {one.stratum for one in bank.observations}
    strata = [stratum for stratum in RAREST_FIRST if stratum in held]
    if rules.greedy:
        found = [_greedy_plan(bank, rules.policy, stratum, held) for stratum in strata]
    else:
        table = _Table(bank=bank, policy=rules.policy, correlation=correlation, held=held)
        found = [_sequential_plan(table, stratum) for stratum in strata]
    return tuple(each for each in found if each is not None)


def _greedy_plan(
    bank: Bank, policy: Policy, stratum: Stratum, held: Collection[Stratum]
) -> StratumPlan | None:
    """One answer per task and no choice: what can be shown depends on the number of tasks alone."""
    mine = [one for one in bank.observations if one.stratum is stratum]
    scored = [passed for passed in answers_of(mine).values() if passed is not None]
    if not scored:
        return None
    margin = policy.margin_of(stratum)
    required = fewest_tasks(margin, alpha=policy.alpha_of(stratum, held), beta=policy.beta)
    return StratumPlan(
        stratum=stratum,
        margin=margin,
        tasks=len(scored),
        baseline_ratio=sum(scored) / len(scored),
        unchanged_samples=len(scored),
        dropped_samples=len(scored),
        confirming_samples=0,
        most_samples=len(scored),
        feasible=len(scored) >= required,
        required_depth=None,
        required_tasks=required,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """What every stratum's sequential test is planned from."""

    bank: Bank
    policy: Policy
    correlation: float
    held: Collection[Stratum]

    @property
    def halves(self) -> Halves:
        return halve(self.bank, confirm=self.policy.confirm)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """One phase of one stratum: its share of the bank, and what its test will take."""

    bank: BankSummary
    samples: SamplePlan
    feasible: bool
    required_depth: int


def _sequential_plan(table: _Table, stratum: Stratum) -> StratumPlan | None:
    policy = table.policy
    first = _outlook(table, stratum, Phase.SCREENING, screening_lines(policy, stratum, table.held))
    if first is None:
        return None
    second = None
    if policy.confirm and stratum in policy.critical:
        second = _outlook(table, stratum, Phase.CONFIRMATION, confirming_lines(policy, stratum))
    depths = [each.required_depth for each in (first, second) if each is not None]
    return StratumPlan(
        stratum=stratum,
        margin=policy.margin_of(stratum),
        tasks=first.bank.tasks,
        baseline_ratio=first.bank.mean,
        unchanged_samples=max(first.samples.unchanged, policy.minimum_samples),
        dropped_samples=max(first.samples.dropped, policy.minimum_samples),
        confirming_samples=max(second.samples.dropped, policy.minimum_samples) if second else 0,
        most_samples=first.samples.most,
        feasible=first.feasible,
        required_depth=max(depths) * (2 if policy.confirm else 1),
        required_tasks=None,
    )


def _outlook(table: _Table, stratum: Stratum, phase: Phase, lines: Lines) -> _Outlook | None:
    pairing = pair(table.bank, (), stratum=stratum, phase=phase, margin=lines.margin, halves=table.halves)
    if pairing.bank is None:
        return None
    draws = len(pairing.indices)
    able = feasibility(pairing.bank, lines, draws_per_task=draws)
    return _Outlook(
        bank=pairing.bank,
        samples=plan_samples(
            _coupled(pairing.bank, table.correlation, lines.margin), lines, draws_per_task=draws
        ),
        feasible=able.feasible,
        required_depth=able.required_depth,
    )


def _coupled(bank: BankSummary, correlation: float, margin: float) -> BankSummary:
    """The bank as a coupled comparison sees it."""
    variance = bank.variance * (1.0 - correlation**2)
    return replace(bank, variance=max(variance, least_variance(margin)))
