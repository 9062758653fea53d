"""A candidate's stored observations set against the bank's, as numbers for the tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby, product
from typing import NamedTuple

import numpy as np

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Bank, Observation
from monitor.domain.tasks import Stratum
from monitor.stats.bank import BankSummary, summarise
from monitor.stats.difference import Draws


class Phase(StrEnum):
    """What a sample is drawn for; the bank is halved between the two, by sample index."""

    SCREENING = "screening"
    CONFIRMATION = "confirmation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """Which sample indices serve which phase.

    Halves are contiguous, so that several samples of one engine request serve one phase. Screening and
    confirmation share no sample of either checkpoint: their errors are independent.
    """

    indices: Mapping[Phase, tuple[int, ...]]
    """The bank's indices of each phase, ascending."""

    def phase(self, index: int) -> Phase:
        """The phase that a sample of the candidate serves; unknown to the bank: as the nearest one."""
        later = self.indices[Phase.CONFIRMATION]
        return Phase.CONFIRMATION if later and index >= later[0] else Phase.SCREENING


class Look(NamedTuple):
    """How many samples have come by the end of a wave."""

    scored: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairing:
    """One stratum and phase: the bank's share and the candidate's samples against it."""

    tasks: tuple[str, ...]
    """Tasks with at least one scored bank sample in this phase, sorted."""
    bank: BankSummary | None
    """None when there is no such task."""
    draws: Draws
    """Scored samples, ordered by wave, task and index."""
    lost: Draws
    """UNSCORED samples, likewise, as if they had failed."""
    looks: tuple[Look, ...]
    """After each wave, from the first scored sample on."""
    indices: tuple[int, ...]
    """All sample indices of this phase."""
    undrawn: int
    """Samples at these indices without an observation yet, over all tasks."""

    @property
    def unscored(self) -> int:
        """Samples of tasks that are weighed, without a result."""
        return self.lost.count


def check_outcomes(bank: Bank, observations: Sequence[Observation]) -> None:
    """See that two sets of outcomes can be compared at all.

    Raises:
        InvalidOutcomes: an empty bank, a repeated (task, index), a task the bank does not know or holds
            in another stratum.
    """
    if not bank.observations:
        raise InvalidOutcomes(
            "The baseline's bank holds no samples.", next_step="Build it with 'tailwatch baseline build'."
        )
    _check_unique(bank.observations, "baseline")
    _check_unique(observations, "candidate")
    home = {one.task_id: one.stratum for one in bank.observations}
    for one in (*bank.observations, *observations):
        if one.task_id not in home:
            raise InvalidOutcomes(
                f"Task {one.task_id} of the candidate is not in the baseline's bank.",
                next_step="Compare outcomes of one suite version, or build the bank again.",
            )
        if home[one.task_id] is not one.stratum:
            raise InvalidOutcomes(
                f"Task {one.task_id} is in stratum {home[one.task_id].value} and in {one.stratum.value}.",
                next_step="Give every task one stratum on both sides.",
            )


def _check_unique(observations: Iterable[Observation], side: str) -> None:
    seen: set[tuple[str, int]] = set()
    for one in observations:
        key = (one.task_id, one.index)
        if key in seen:
            raise InvalidOutcomes(
                f"Sample {one.index} of task {one.task_id} occurs twice on the {side}'s side.",
                next_step="Keep one line per task and sample.",
            )
        seen.add(key)


def leave_out(bank: Bank, tasks: Collection[str]) -> Bank:
    """The bank without some tasks, for example those whose reference fails in this environment."""
    kept = tuple(one for one in bank.observations if one.task_id not in tasks)
    return replace(bank, observations=kept)


def halve(bank: Bank, *, confirm: bool) -> Halves:
    """Deal the bank's indices to the phases; without confirmation screening has them all."""
    indices = tuple(sorted({one.index for one in bank.observations}))
    middle = (len(indices) + 1) // 2 if confirm else len(indices)
    return Halves(indices={Phase.SCREENING: indices[:middle], Phase.CONFIRMATION: indices[middle:]})


def pair(
    bank: Bank,
    observations: Sequence[Observation],
    *,
    stratum: Stratum,
    phase: Phase,
    halves: Halves,
) -> Pairing:
    """Set one stratum's samples of one phase against the bank's share for it."""
    mine = [one for one in bank.observations if one.stratum is stratum and halves.phase(one.index) is phase]
    theirs = [one for one in observations if one.stratum is stratum and halves.phase(one.index) is phase]
    found = tally(mine)
    tasks = tuple(sorted(found))
    summary = None
    if tasks:
        passes, samples = np.array([found[task] for task in tasks], dtype=np.float64).T
        summary = summarise(passes, samples)
    weighed = sorted(
        (one for one in theirs if one.task_id in found), key=lambda one: (one.wave, one.task_id, one.index)
    )
    scored = [one for one in weighed if one.passed is not None]
    lost = [one for one in weighed if one.passed is None]
    return Pairing(
        tasks=tasks,
        bank=summary,
        draws=_draws(summary, tasks, scored, mine),
        lost=_draws(summary, tasks, lost, mine),
        looks=tuple(_looks(weighed)),
        indices=halves.indices[phase],
        undrawn=_undrawn(tasks, theirs, halves.indices[phase]),
    )


def tally(observations: Iterable[Observation]) -> dict[str, tuple[int, int]]:
    """Passes and scored samples of each task that has any."""
    found: dict[str, tuple[int, int]] = {}
    for one in observations:
        if one.passed is not None:
            passes, samples = found.get(one.task_id, (0, 0))
            found[one.task_id] = (passes + one.passed, samples + 1)
    return found


def _draws(
    summary: BankSummary | None,
    tasks: Sequence[str],
    scored: Sequence[Observation],
    mine: Iterable[Observation],
) -> Draws:
    position = {task: place for place, task in enumerate(tasks)}
    twins = {(one.task_id, one.index): one for one in mine if one.passed is not None}

    def twin(one: Observation) -> float:
        other = twins.get((one.task_id, one.index))
        if other is not None and other.seed is not None and other.seed == one.seed:
            return float(bool(other.passed))
        assert summary is not None
        return float(summary.rates[position[one.task_id]])

    return Draws(
        task=np.array([position[one.task_id] for one in scored], dtype=np.intp),
        passed=np.array([bool(one.passed) for one in scored], dtype=np.float64),
        twin=np.array([twin(one) for one in scored], dtype=np.float64),
    )


def _looks(weighed: Sequence[Observation]) -> Iterator[Look]:
    scored = lost = 0
    for _, wave in groupby(weighed, key=lambda one: one.wave):
        results = [one.passed is not None for one in wave]
        scored, lost = scored + sum(results), lost + len(results) - sum(results)
        if scored:
            yield Look(scored=scored, lost=lost)


def _undrawn(tasks: Collection[str], theirs: Iterable[Observation], indices: Iterable[int]) -> int:
    planned = set(product(tasks, indices))
    return len(planned - {(one.task_id, one.index) for one in theirs})
