"""Likeness at equal seeds, and the gate replayed on samples that were all drawn beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.domain.evidence import Bank, DecisionKind, Observation
from monitor.domain.identity import content_digest
from monitor.domain.samples import Sample
from monitor.domain.tasks import RAREST_FIRST, Stratum, Suite
from monitor.rounds.waves import Itinerary, Pick, next_wave
from monitor.stats.bank import BankSummary, summarise
from monitor.stats.difference import Coupling, Draws, couple
from monitor.verdicts.assessment import assess
from monitor.verdicts.decision import Circumstances, decide
from monitor.verdicts.policy import Policy

WAVE = 32
"""Samples between two looks of a replay."""

Cells = Mapping[Pick, Sample]
"""Samples by task and index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How closely one stratum of a checkpoint follows the bank."""

    stratum: str
    baseline_ratio: float
    pass_ratio: float
    same_seed: float | None
    """Correlation of both residuals p - X at the same seed; None when either never varies."""
    other_seed: float | None
    """The same with the bank's sample at the next seed. Rates contain both samples, which makes it
    -1/(n0 - 1) for a copy."""
    weight: float
    """b, fitted on all samples."""
    variance_factor: float
    """What coupling leaves of the variance of p - X."""
    same_text: float
    """Share of samples that say what the bank's say at the same seed, letter by letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays:
    """The gate on many random ways through the same samples."""

    decisions: Mapping[str, float]
    """Share of each answer."""
    tail_samples: float
    """Mean."""
    samples: float
    """Mean over all strata together, confirmation included."""
    samples_p95: float


def by_cell(samples: Sequence[Sample]) -> Cells:
    """Samples by task and index."""
    return {Pick(sample.task_id, sample.index): sample for sample in samples}


def bank_from(samples: Sequence[Sample]) -> Bank:
    """The samples as a baseline's bank, of an engine that repeats a text for a repeated seed."""
    observations = tuple(_observed(sample) for sample in samples)
    return Bank(checkpoint="", observations=observations, seed_stable=True)


def likeness(before: Cells, after: Cells, stratum: Stratum) -> Likeness:
    """One stratum, of the cells that have a result on both sides."""
    shared = [
        pick
        for pick in sorted(before.keys() & after.keys())
        if before[pick].stratum is stratum
        and before[pick].passed is not None
        and after[pick].passed is not None
    ]
    bank, draws, other = _sides(shared, before, after)
    coupling = couple(bank, draws)
    own, twin = bank.rates[draws.task] - draws.passed, bank.rates[draws.task] - draws.twin
    plain = float(np.var(own))
    left = float(np.var(own - coupling.weight * twin))
    same = [before[pick].completion.text == after[pick].completion.text for pick in shared]
    return Likeness(
        stratum=stratum.value,
        baseline_ratio=float(draws.twin.mean()),
        pass_ratio=float(draws.passed.mean()),
        same_seed=coupling.correlation,
        other_seed=other.correlation,
        weight=coupling.weight,
        variance_factor=left / plain if plain > 0.0 else 1.0,
        same_text=float(np.mean(same)),
    )


def _sides(shared: Sequence[Pick], before: Cells, after: Cells) -> tuple[BankSummary, Draws, Coupling]:
    """Bank and draws at the same seeds, and how they hang together at others."""
    names = sorted({pick.task_id for pick in shared})
    place = {name: number for number, name in enumerate(names)}
    task = np.array([place[pick.task_id] for pick in shared], dtype=np.intp)
    twin = np.array([bool(before[pick].passed) for pick in shared], dtype=np.float64)
    passed = np.array([bool(after[pick].passed) for pick in shared], dtype=np.float64)
    counts = np.bincount(task, minlength=len(names)).astype(np.float64)
    passes = np.bincount(task, weights=twin, minlength=len(names)).astype(np.float64)
    bank = summarise(passes, counts)
    # Cells are sorted by task and index: the next one of the same task has another seed.
    following = np.arange(len(task)) + 1
    last = np.append(task[1:] != task[:-1], True)
    starts = np.searchsorted(task, task)
    shifted = twin[np.where(last, starts, following)]
    return (
        bank,
        Draws(task=task, passed=passed, twin=twin),
        couple(bank, Draws(task=task, passed=passed, twin=shifted)),
    )


def replay(
    suite: Suite, bank: Bank, after: Cells, policy: Policy, *, way: str
) -> tuple[DecisionKind, list[Observation]]:
    """The decision, and what was drawn for it, of an evaluation that goes this way through the samples."""
    tasks = {one.task_id for one in bank.observations}
    itinerary = Itinerary(suite=suite, checkpoint=way)
    drawn: dict[Pick, Observation] = {}
    wave = 0
    while True:
        assessment = assess(bank, list(drawn.values()), policy)
        picks = next_wave(itinerary, assessment.wanted, tasks=tasks, drawn=drawn, size=WAVE)
        if not picks:
            return decide(assessment, policy, Circumstances()).kind, list(drawn.values())
        drawn |= {pick: replace(_observed(after[pick]), wave=wave) for pick in picks}
        wave += 1


def replays(suite: Suite, bank: Bank, after: Cells, policy: Policy, *, ways: int) -> Replays:
    """The gate on so many ways; every checkpoint and policy gets the same ones."""
    found = [
        replay(suite, bank, after, policy, way=content_digest("way", str(number))) for number in range(ways)
    ]
    totals = [len(drawn) for _, drawn in found]
    tails = [sum(one.stratum is Stratum.TAIL for one in drawn) for _, drawn in found]
    answers = Counter(kind.value for kind, _ in found)
    return Replays(
        decisions={kind.value: answers[kind.value] / ways for kind in DecisionKind},
        tail_samples=float(np.mean(tails)),
        samples=float(np.mean(totals)),
        samples_p95=float(np.quantile(totals, 0.95)),
    )


def strata(before: Cells, after: Cells) -> tuple[Likeness, ...]:
    """Every stratum, rarest first."""
    return tuple(likeness(before, after, stratum) for stratum in RAREST_FIRST)


def _observed(sample: Sample) -> Observation:
    return Observation(
        task_id=sample.task_id,
        stratum=sample.stratum,
        index=sample.index,
        wave=0,
        passed=sample.passed,
        seed=sample.completion.seed,
    )
