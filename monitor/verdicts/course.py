"""One phase of one stratum: the test replayed over its waves, and what stands in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.domain.evidence import Bank, Observation, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.stats.boundaries import Lines
from monitor.stats.planning import feasibility
from monitor.stats.sequential import Trial, look
from monitor.verdicts.pairing import Halves, Pairing, Phase, pair
from monitor.verdicts.policy import Policy


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


def follow(table: Table, stratum: Stratum, phase: Phase, lines: Lines) -> Course:
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
        problem=_problem(phase, pairing, trial, table.policy),
    )


def _problem(phase: Phase, pairing: Pairing, trial: Trial, policy: Policy) -> Problem | None:
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
    # A confirmation is tried with what there is: the drop that screening saw may be a large one.
    if phase is Phase.SCREENING and not able.feasible:
        halves = 2 if policy.confirm else 1
        needed = able.required_depth * halves
        text = f"The baseline is underpowered: its bank needs n0 = {needed} samples per task."
        return Problem(cause=ReasonCode.BASELINE_UNDERPOWERED, text=text)
    if not pairing.undrawn:
        text = f"All {drawn} samples the bank allows for were drawn without a conclusion."
        return Problem(cause=ReasonCode.STRATUM_UNDECIDED, text=text)
    return None
