"""What a baseline's bank is worth in each stratum: how much it passes, and whether its loss could be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.samples import Outcome
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.verdicts.outlook import NOTHING_SCORED, unheld
from monitor.verdicts.plan import StratumPlan
from monitor.verdicts.policy import Policy

Tallies = Mapping[tuple[Stratum, Outcome], int]
"""Samples by stratum and outcome."""


class Standing(StrEnum):
    """What a stratum of a bank is good for."""

    GOOD = "good"
    ADVISORY = "advisory"
    TOO_SMALL = "too small"
    """It cannot show the drop that matters: every candidate is held."""
    PASSES_TOO_LITTLE = "passes too little"
    """Likewise, since the drop that matters is that small."""
    PASSES_NOTHING = "passes nothing"
    """Likewise: there is no drop that could be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumHealth:
    """One stratum of a bank."""

    stratum: Stratum
    samples: int
    """With a result."""
    unscored: int
    passed: int
    invalid: int
    """Did not compile, were empty, or were cut off."""
    critical: bool
    """Whether the policy lets it hold a promotion; otherwise it is advisory."""
    plan: StratumPlan | None
    """What an evaluation will take; None where no sample has a result, as when every reference fails."""

    @property
    def pass_ratio(self) -> float | None:
        """Share of the scored samples that passed; None without any."""
        return self.passed / self.samples if self.samples else None

    @property
    def invalid_ratio(self) -> float | None:
        """Share of the scored samples that were no program at all; None without any."""
        return self.invalid / self.samples if self.samples else None

    @property
    def lost(self) -> bool:
        """Whether nothing that was drawn of it has a result, which is no fact about the checkpoint."""
        return self.unscored > 0 and not self.samples

    @property
    def floor(self) -> bool:
        """Whether every candidate is held, since the baseline passes too little of a critical stratum."""
        return self.critical and not self.lost and (self.plan is None or self.plan.floor)

    @property
    def passes_nothing(self) -> bool:
        """Whether nothing passed of a critical stratum, or nothing of it could be asked."""
        return self.critical and not self.lost and self.passed == 0

    @property
    def standing(self) -> Standing:
        """What it is good for."""
        if not self.critical:
            return Standing.ADVISORY
        if self.floor:
            return Standing.PASSES_NOTHING if self.passes_nothing else Standing.PASSES_TOO_LITTLE
        return Standing.TOO_SMALL if self.problem else Standing.GOOD

    @property
    def problem(self) -> str:
        """Why every candidate is held for it, and what can be done; empty where none is."""
        if not self.critical:
            return ""
        if self.lost:
            return NOTHING_SCORED.text
        return unheld(self.stratum).text if self.plan is None else self.plan.problem


def bank_health(
    tallies: Tallies, plans: Sequence[StratumPlan], policy: Policy, *, strata: Iterable[Stratum] = ()
) -> tuple[StratumHealth, ...]:
    """Every stratum of which a bank holds samples, or should hold some, rarest first.

    Args:
        tallies: of the bank.
        plans: of its strata with scored samples.
        policy: what is asked.
        strata: those of the suite.
    """
    planned = {each.stratum: each for each in plans}
    present = {stratum for stratum, _ in tallies} | set(strata)
    return tuple(
        _stratum_health(stratum, tallies, planned.get(stratum), critical=stratum in policy.critical)
        for stratum in RAREST_FIRST
        if stratum in present
    )


def _stratum_health(
    stratum: Stratum, tallies: Tallies, plan: StratumPlan | None, *, critical: bool
) -> StratumHealth:
    counts = {outcome: tallies.get((stratum, outcome), 0) for outcome in Outcome}
    unscored = counts[Outcome.UNSCORED]
    return StratumHealth(
        stratum=stratum,
        samples=sum(counts.values()) - unscored,
        unscored=unscored,
        passed=counts[Outcome.PASSED],
        invalid=counts[Outcome.REJECTED],
        critical=critical,
        plan=plan,
    )
