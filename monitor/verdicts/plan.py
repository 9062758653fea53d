"""What an evaluation under a policy will cost on a bank, before any sample is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.domain.evidence import Bank
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.bank import BankSummary, least_variance
from monitor.stats.boundaries import design_lines
from monitor.stats.planning import feasibility, plan_samples
from monitor.verdicts.pairing import Phase, check_outcomes, halve, pair
from monitor.verdicts.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumPlan:
    """What one stratum's screening is expected to take."""

    stratum: Stratum
    margin: float
    tasks: int
    baseline_ratio: float
    unchanged_samples: int
    """Expected when the candidate equals the baseline."""
    dropped_samples: int
    """Expected when it is worse by the margin; confirmation takes about as many again."""
    most_samples: int
    feasible: bool
    """Whether this bank can show the margin at all."""
    required_depth: int
    """Samples per task the bank needs for it."""


def plan(bank: Bank, policy: Policy, *, correlation: float = 0.0) -> tuple[StratumPlan, ...]:
    """Plan every stratum that the bank holds, rarest first.

    Args:
        bank: the baseline's.
        policy: what will be asked.
        correlation: rho expected of candidate and bank at equal seeds, 0 to 1.

    Raises:
        InvalidOutcomes: the bank is empty or contradicts itself.
    """
    check_outcomes(bank, ())
    halves = halve(bank, confirm=policy.confirm)
    held = {one.stratum for one in bank.observations}
    plans = []
    for stratum in (stratum for stratum in RAREST_FIRST if stratum in held):
        margin = policy.margin_of(stratum)
        pairing = pair(bank, (), stratum=stratum, phase=Phase.SCREENING, margin=margin, halves=halves)
        if pairing.bank is not None:
            draws, alpha = len(pairing.indices), policy.alpha_of(stratum, held)
            plans.append(_plan(stratum, pairing.bank, policy, (draws, alpha, correlation)))
    return tuple(plans)


def _plan(
    stratum: Stratum, bank: BankSummary, policy: Policy, terms: tuple[int, float, float]
) -> StratumPlan:
    draws, alpha, correlation = terms
    margin = policy.margin_of(stratum)
    lines = design_lines(alpha=alpha, beta=policy.beta, margin=margin)
    variance = max(bank.variance * (1.0 - correlation**2), least_variance(margin))
    samples = plan_samples(replace(bank, variance=variance), lines, draws_per_task=draws)
    able = feasibility(bank, lines, draws_per_task=draws)
    return StratumPlan(
        stratum=stratum,
        margin=margin,
        tasks=bank.tasks,
        baseline_ratio=bank.mean,
        unchanged_samples=max(samples.unchanged, policy.minimum_samples),
        dropped_samples=max(samples.dropped, policy.minimum_samples),
        most_samples=samples.most,
        feasible=able.feasible,
        required_depth=able.required_depth * (2 if policy.confirm else 1),
    )
