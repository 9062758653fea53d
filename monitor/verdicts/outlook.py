"""What a bank can bear in one stratum, before any sample of a candidate is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

from monitor.domain.evidence import Bank, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.stats.bank import BankSummary
from monitor.stats.boundaries import Lines
from monitor.stats.planning import Feasibility, feasibility
from monitor.verdicts.floors import Margin
from monitor.verdicts.pairing import Halves, Phase, pair
from monitor.verdicts.policy import Policy, confirming_lines, screening_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a stratum cannot be decided."""

    cause: ReasonCode
    text: str


RESERVE = 1.1
"""How much deeper than needed a bank is asked to be: its scatter is estimated again on what is drawn then."""

NOTHING_SCORED = Problem(
    cause=ReasonCode.BASELINE_UNDERPOWERED,
    text="The bank holds no scored sample of this stratum for this phase.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One phase of one stratum: its share of the bank, its lines, and whether they can be reached."""

    bank: BankSummary
    lines: Lines
    draws_per_task: int
    """Samples of a task that this phase may draw."""
    able: Feasibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a bank must hold."""

    depth: int
    """Samples per task, both halves together."""
    by_minimum: bool
    """Whether it is the policy's ``minimum_samples`` that asks for so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What a stratum's sequential test stands on."""

    bank: Bank
    policy: Policy
    stratum: Stratum
    margin: Margin
    held: Collection[Stratum]
    """Strata that the bank holds."""
    halves: Halves

    def lines(self, phase: Phase) -> Lines:
        """The stopping lines of a phase, at the drop that matters here."""
        if phase is Phase.SCREENING:
            return screening_lines(self.policy, self.stratum, self.held, margin=self.margin.tested)
        return confirming_lines(self.policy, self.stratum, margin=self.margin.tested)

    def outlook(self, phase: Phase) -> Outlook | None:
        """What the bank's share for a phase can show; None where it holds no scored sample."""
        lines = self.lines(phase)
        mine = pair(self.bank, (), stratum=self.stratum, phase=phase, halves=self.halves).bank
        if mine is None:
            return None
        draws = len(self.halves.indices[phase])
        return Outlook(bank=mine, lines=lines, draws_per_task=draws, able=self.able(mine, phase))

    def able(self, mine: BankSummary, phase: Phase) -> Feasibility:
        """Whether a phase can reach its end on the bank's share for it."""
        return feasibility(
            mine,
            self.lines(phase),
            draws_per_task=len(self.halves.indices[phase]),
            minimum_samples=self.policy.minimum_samples,
        )

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The tests that a regression has to pass."""
        confirmed = self.policy.confirm and self.stratum in self.policy.critical
        return (Phase.SCREENING, Phase.CONFIRMATION) if confirmed else (Phase.SCREENING,)

    @property
    def needed(self) -> Need | None:
        """The depth with which every phase can show the margin; None where none is known to do."""
        found = [
            (phase, outlook.able) for phase in self.phases if (outlook := self.outlook(phase)) is not None
        ]
        if not (found and self.margin.effective):
            return None
        depth, by_minimum = max(_in_reserve(phase, able) for phase, able in found)
        return Need(depth=depth * (2 if self.policy.confirm else 1), by_minimum=by_minimum)

    def problem(self) -> Problem | None:
        """Why this bank cannot decide the stratum, and what can be done; None where it can."""
        first = self.outlook(Phase.SCREENING)
        if first is None:
            return NOTHING_SCORED
        if self.margin.effective and self.barren(first.bank, Phase.SCREENING):
            return self._halves_differ(first.bank)
        if self.margin.effective and first.able.feasible:
            return None
        if not self.margin.lowered:
            text = f"The baseline is underpowered: {self._want()}."
            return Problem(cause=ReasonCode.BASELINE_UNDERPOWERED, text=text)
        return floor_problem(self.margin, self.policy, self.stratum, need=self._want)

    def barren(self, mine: BankSummary, phase: Phase) -> bool:
        """Whether a phase's share of the bank passes too little to lose the drop that matters.

        The whole bank may pass more than the half that screening compares with, as when it was drawn on after
        a repair. A confirmation against such a half confirms nothing, which holds.
        """
        if not self.margin.effective:
            return True
        return phase is Phase.SCREENING and mine.mean <= self.margin.effective

    def _halves_differ(self, mine: BankSummary) -> Problem:
        redraw = f"`tailwatch baseline build {self.bank.checkpoint[:12]} --again`"
        text = (
            f"The first half of the bank passes {_percent(mine.mean)} % here and all of it "
            f"{_percent(self.margin.rate)} %, as if something had changed while it was drawn; a candidate is "
            f"compared with that half, which could not be seen to fail: draw it again"
            f"{f' ({redraw})' if self.bank.checkpoint else ''}, or {_advisory(self.stratum)}."
        )
        return Problem(cause=ReasonCode.FLOOR, text=text)

    def _want(self) -> str:
        """What the bank lacks, with the command that draws it where the bank is one of ours."""
        need, baseline = self.needed, self.bank.checkpoint
        assert need is not None
        text = f"its bank needs n0 = {need.depth} samples per task"
        if need.by_minimum:
            text += f", as nothing is decided on fewer than {self.policy.minimum_samples} (minimum_samples)"
        if baseline:
            text += f" (`tailwatch baseline build {baseline[:12]} --samples {need.depth}`)"
        return text


def _in_reserve(phase: Phase, able: Feasibility) -> tuple[int, bool]:
    """The depth that a phase needs, and whether ``minimum_samples`` asks for it.

    Screening must be feasible on what is drawn then, a confirmation is tried with what there is.
    """
    if phase is Phase.CONFIRMATION or able.by_minimum:
        return able.required_depth, able.by_minimum
    return math.ceil(RESERVE * able.required_depth), False


def unheld(stratum: Stratum) -> Problem:
    """Of a stratum of the suite a bank holds nothing: what is not asked cannot be seen to fail either."""
    text = (
        f"No task of {stratum.value} is weighed: the reference solution of each fails here, and `tailwatch "
        f"suite validate` says why, or each is sealed and rests; seal fewer, or {_advisory(stratum)}."
    )
    return Problem(cause=ReasonCode.FLOOR, text=text)


def floor_problem(margin: Margin, policy: Policy, stratum: Stratum, *, need: Callable[[], str]) -> Problem:
    """What cannot fall cannot be seen to fail.

    Args:
        margin: the stratum's, less than the policy states.
        policy: what is asked.
        stratum: which one.
        need: says what a bank would have to hold, where some depth or number of tasks would do.
    """
    advisory = _advisory(stratum)
    if not margin.effective:
        text = (
            f"The baseline passes nothing here, which cannot be seen to fail: repair its bank, or {advisory}."
        )
        return Problem(cause=ReasonCode.FLOOR, text=text)
    text = (
        f"The baseline passes {_percent(margin.rate)} % here, so that the drop that matters is "
        f"{_percent(margin.effective)} points ({policy.relative_margin:g} of the {_percent(margin.least)} % "
        f"that it passes at least), not {_percent(margin.stated)}: {need()}, or {advisory}."
    )
    return Problem(cause=ReasonCode.FLOOR, text=text)


def _advisory(stratum: Stratum) -> str:
    return f"declare the stratum advisory (`advisory: [{stratum.value}]` in the policy)"


def _percent(ratio: float) -> str:
    """A ratio in percent with two figures.

    >>> _percent(0.00962), _percent(0.1), _percent(1.0)
    ('0.96', '10', '100')
    """
    return f"{float(f'{100 * ratio:.2g}'):g}"
