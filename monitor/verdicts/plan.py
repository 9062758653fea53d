"""What an evaluation under a policy will cost on a bank, before any sample is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.domain.evidence import Bank
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.bank import BankSummary, least_variance
from monitor.stats.boundaries import Lines
from monitor.stats.planning import feasibility, plan_samples
from monitor.verdicts.pairing import Pairing, Phase, check_outcomes, halve, pair
from monitor.verdicts.policy import Policy, confirming_lines, screening_lines


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
    """Samples per task the bank needs for it, and for confirming it."""


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
            lines = [screening_lines(policy, stratum, held)]
            if policy.confirm and stratum in policy.critical:
                lines.append(confirming_lines(policy, stratum))
            expected = _coupled(pairing.bank, correlation, margin)
            plans.append(_plan(stratum, pairing, expected, lines, policy))
    return tuple(plans)


def _coupled(bank: BankSummary, correlation: float, margin: float) -> BankSummary:
    """The bank as a coupled comparison sees it."""
    variance = bank.variance * (1.0 - correlation**2)
    return replace(bank, variance=max(variance, least_variance(margin)))


def _plan(
    stratum: Stratum, pairing: Pairing, expected: BankSummary, lines: Sequence[Lines], policy: Policy
) -> StratumPlan:
    assert pairing.bank is not None
    draws = len(pairing.indices)
    samples = plan_samples(expected, lines[0], draws_per_task=draws)
    able = [feasibility(pairing.bank, line, draws_per_task=draws) for line in lines]
    return StratumPlan(
        stratum=stratum,
        margin=lines[0].margin,
        tasks=pairing.bank.tasks,
        baseline_ratio=pairing.bank.mean,
        unchanged_samples=max(samples.unchanged, policy.minimum_samples),
        dropped_samples=max(samples.dropped, policy.minimum_samples),
        most_samples=samples.most,
        feasible=able[0].feasible,
        required_depth=max(one.required_depth for one in able) * (2 if policy.confirm else 1),
    )
