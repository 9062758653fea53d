"""How often the test would err on this very bank, and the alpha at which it keeps its level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.stats.bank import BankSummary, Floats, Indices, summarise
from monitor.stats.boundaries import Lines
from monitor.stats.difference import Draws
from monitor.stats.sequential import Trial, look


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarms:
    """Simulated false alarms of one test on one bank."""

    rate: float
    error: float
    """Monte-Carlo standard error."""
    mean_samples: float


def false_alarms(
    bank: BankSummary, lines: Lines, *, batch: int, runs: int, rng: np.random.Generator
) -> FalseAlarms:
    """Parametric bootstrap of the test under "nothing changed" (Efron & Tibshirani 1993, section 6.5).

    Each run draws a new bank and a candidate from the bank's own rates, smoothed by half a pass, and
    tests them with a look after every ``batch`` samples.

    >>> from monitor.stats.boundaries import design_lines
    >>> bank = BankSummary(rates=np.full(60, 0.5), depths=np.full(60, 32.0), variance=0.25)
    >>> lines = design_lines(alpha=0.05, beta=0.10, margin=0.10)
    >>> false_alarms(bank, lines, batch=60, runs=20, rng=np.random.default_rng(1)).rate < 0.3
    True
    """
    truth = (bank.rates * bank.depths + 0.5) / (bank.depths + 1.0)
    results = [_run(truth, bank.depths, lines, batch, rng) for _ in range(runs)]
    rate = float(np.mean([trial.regressed_at is not None for trial in results]))
    return FalseAlarms(
        rate=rate,
        error=float(np.sqrt(rate * (1.0 - rate) / runs)),
        mean_samples=float(np.mean([trial.samples for trial in results])),
    )


def calibrated_alpha(
    bank: BankSummary, lines: Lines, *, batch: int, runs: int, rng: np.random.Generator
) -> float:
    """The alpha to design lines with, so that their simulated rate on this bank is ``lines.alpha``.

    One proportional correction, never upwards: the false-alarm rate of such lines is close to
    proportional to the alpha they were designed with.

    >>> from monitor.stats.boundaries import design_lines
    >>> bank = BankSummary(rates=np.full(60, 0.5), depths=np.full(60, 32.0), variance=0.25)
    >>> lines = design_lines(alpha=0.05, beta=0.10, margin=0.10)
    >>> 0.01 < calibrated_alpha(bank, lines, batch=60, runs=20, rng=np.random.default_rng(1)) <= 0.05
    True
    """
    found = false_alarms(bank, lines, batch=batch, runs=runs, rng=rng)
    return lines.alpha * min(1.0, lines.alpha / max(found.rate, 1.0 / runs))


def _run(truth: Floats, depths: Floats, lines: Lines, batch: int, rng: np.random.Generator) -> Trial:
    passes = rng.binomial(depths.astype(np.int64), truth).astype(np.float64)
    bank = summarise(passes, depths, margin=lines.margin)
    draws = _candidate(bank, truth, int(depths.min()), rng)
    trial = Trial(lines=lines)
    for end in range(batch, draws.count + 1, batch):
        trial = look(trial, bank, draws.first(end), coupled=False)
        if trial.decided_at is not None:
            break
    return trial


def _candidate(bank: BankSummary, truth: Floats, passes: int, rng: np.random.Generator) -> Draws:
    task: Indices = np.concatenate([rng.permutation(bank.tasks) for _ in range(passes)])
    outcome = (rng.random(len(task)) < truth[task]).astype(np.float64)
    return Draws(task=task, passed=outcome, twin=bank.rates[task])
