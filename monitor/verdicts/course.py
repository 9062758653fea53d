"""One phase of one stratum: the test replayed over its waves, and what stands in its way."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.domain.evidence import Bank, Observation, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.stats.sequential import Trial, look
from monitor.verdicts.floors import Margin
from monitor.verdicts.outlook import NOTHING_SCORED, Footing, Problem
from monitor.verdicts.pairing import Halves, Pairing, Phase, pair
from monitor.verdicts.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """One phase of one stratum: its samples, its test, and what stands in the way."""

    stratum: Stratum
    phase: Phase
    margin: Margin
    pairing: Pairing
    trial: Trial
    problem: Problem | None

    @property
    def regressed(self) -> bool:
        """Whether the test stands, and called a regression."""
        return self.problem is None and self.trial.regressed_at is not None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """What lies before the judge."""

    bank: Bank
    observations: Sequence[Observation]
    policy: Policy
    halves: Halves
    margins: Mapping[Stratum, Margin]
    """Of every stratum that the bank holds."""
    whole: bool = False
    """Whether all there will be lies here, in one wave."""

    def footing(self, stratum: Stratum) -> Footing:
        """What a stratum's test stands on."""
        return Footing(
            bank=self.bank,
            policy=self.policy,
            stratum=stratum,
            margin=self.margins[stratum],
            held=self.margins.keys(),
            halves=self.halves,
        )


def follow(table: Table, stratum: Stratum, phase: Phase) -> Course:
    """Replay one phase of one stratum, a look after each wave."""
    footing = table.footing(stratum)
    lines, margin = footing.lines(phase), footing.margin
    pairing = pair(table.bank, table.observations, stratum=stratum, phase=phase, halves=table.halves)
    # Where nothing could be lost, figures are told and no look decides.
    barren = pairing.bank is not None and footing.barren(pairing.bank, phase)
    minimum_samples = sys.maxsize if barren else table.policy.minimum_samples
    trial = Trial(lines=lines, minimum_samples=minimum_samples, single=table.whole)
    coupled = table.policy.coupling and table.bank.seed_stable
    if pairing.bank is not None:
        for scored, lost in pairing.looks:
            draws, unscored = pairing.draws.first(scored), pairing.lost.first(lost)
            trial = look(trial, pairing.bank, draws, coupled=coupled, unscored=unscored)
    return Course(
        stratum=stratum,
        phase=phase,
        margin=margin,
        pairing=pairing,
        trial=trial,
        problem=_problem(footing, phase, pairing, trial),
    )


def _problem(footing: Footing, phase: Phase, pairing: Pairing, trial: Trial) -> Problem | None:
    """What keeps this phase from a conclusion, whatever else is drawn or although all is drawn."""
    if pairing.bank is None:
        return NOTHING_SCORED
    if footing.barren(pairing.bank, phase):
        return footing.problem()
    doubt = _lost(pairing, footing.policy) or _contradiction(trial)
    if doubt is not None or trial.decided_at is not None:
        return doubt
    # A confirmation is tried with what there is: the drop that screening saw may be a large one.
    if phase is Phase.SCREENING and not footing.able(pairing.bank, phase).feasible:
        return footing.problem()
    if not pairing.undrawn:
        text = f"All {pairing.draws.count} samples the bank allows for were drawn without a conclusion."
        return Problem(cause=ReasonCode.STRATUM_UNDECIDED, text=text)
    return None


def _contradiction(trial: Trial) -> Problem | None:
    """Whether what was drawn after a STEADY look speaks against it."""
    if not trial.contradicted:
        return None
    text = f"{trial.steady_at} samples ruled out a drop by the margin; all {trial.samples} exceed it."
    return Problem(cause=ReasonCode.STRATUM_UNDECIDED, text=text)


def _lost(pairing: Pairing, policy: Policy) -> Problem | None:
    """Whether too many samples have no result."""
    asked = pairing.unscored + pairing.draws.count
    share = pairing.unscored / max(asked, 1)
    if share <= policy.max_unscored_share or asked < policy.minimum_samples:
        return None
    text = f"{share:.0%} of the samples could not be scored; at most {policy.max_unscored_share:.0%} may."
    return Problem(cause=ReasonCode.TOO_MANY_UNSCORED, text=text)
