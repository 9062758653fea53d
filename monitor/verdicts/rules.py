"""How evidence is weighed: a policy, as far as the way of sampling leaves it room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.domain.evidence import Bank, Observation
from monitor.verdicts.assessment import Assessment, assess
from monitor.verdicts.greedy import assess_greedy
from monitor.verdicts.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A policy, and which test applies it."""

    policy: Policy
    greedy: bool
    """Whether every sample of a task is the same: one answer per task, nothing to draw again."""


def rules_for(policy: Policy, *, greedy: bool) -> Rules:
    """The rules under a policy for samples drawn at temperature 0, or above."""
    return Rules(policy=replace(policy, confirm=False) if greedy else policy, greedy=greedy)


def judge(bank: Bank, observations: Sequence[Observation], rules: Rules) -> Assessment:
    """Weigh everything observed so far against the bank.

    Raises:
        InvalidOutcomes: the two do not fit together; see :func:`~monitor.verdicts.pairing.check_outcomes`.
    """
    weigh = assess_greedy if rules.greedy else assess
    return weigh(bank, observations, rules.policy)
