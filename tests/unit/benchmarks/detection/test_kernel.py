"""The simulation's fast path is the product's own test."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.detection.__main__ import perform, studies
from benchmarks.detection.decline import accumulate
from benchmarks.detection.kernel import OPEN, REGRESSED, STEADY, bench_of, replay, rules
from benchmarks.detection.population import churned, dropped, lifted
from benchmarks.detection.report import BEGIN, END, renew, tables
from benchmarks.detection.rivals import mcnemar_p
from monitor.stats.bank import summarise
from monitor.stats.boundaries import design_lines
from monitor.stats.decline import BETS, Decline, follow_decline
from monitor.stats.difference import Draws
from monitor.stats.paired import Discordance, mcnemar
from monitor.stats.sequential import Trial, look


def product(bank, draws, looks, *, lines, coupled, minimum):
    """The product's test over samples of which those with a negative outcome are UNSCORED."""
    trial = Trial(lines=lines, minimum_samples=minimum)
    for end in looks:
        known = draws.passed[:end] >= 0.0
        if not known.any():
            continue
        scored, lost = (
            Draws(
                task=draws.task[:end][mask],
                passed=np.maximum(draws.passed[:end][mask], 0.0),
                twin=draws.twin[:end][mask],
            )
            for mask in (known, ~known)
        )
        trial = look(trial, bank, scored, coupled=coupled, unscored=lost)
        if trial.decided_at is not None:
            return REGRESSED if trial.regressed_at is not None else STEADY, trial
    return OPEN, trial


@pytest.mark.parametrize("unscored", [0.0, 0.1])
@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("drop", [0.0, 0.08, 0.25])
def test_numba_and_monitor_stats_take_the_same_decision_at_the_same_sample(coupled, drop, unscored):
    rng = np.random.default_rng(5)
    lines = design_lines(alpha=0.0142, beta=0.10, margin=0.10)
    for _ in range(25):
        tasks, depth = int(rng.integers(5, 80)), int(rng.integers(2, 33))
        truth = rng.beta(0.7, 1.0, tasks)
        noise = rng.random((tasks, depth))
        outcomes = (noise < truth[:, None]).astype(float)
        count = int(rng.integers(60, 400))
        # Any tasks in any number, so that crowded and unseen tasks occur.
        task = rng.integers(0, max(2, tasks - int(rng.integers(0, 4))), count)
        index = rng.integers(0, depth, count)
        own = np.where(rng.random(count) < 0.6, noise[task, index], rng.random(count))
        passed = (own < np.maximum(truth - drop, 0.0)[task]).astype(float)
        passed[rng.random(count) < unscored] = -1.0
        looks = np.unique(np.append(rng.integers(1, count, 12), count))
        numbers = rules(lines, minimum_samples=30, coupled=coupled)
        bench = bench_of(outcomes.sum(axis=1), float(depth), numbers)
        bank = summarise(outcomes.sum(axis=1), np.full(tasks, float(depth)))
        draws = Draws(task=task, passed=passed, twin=outcomes[task, index])
        fast = replay(bench, numbers, task, passed, draws.twin, looks)
        outcome, trial = product(bank, draws, looks, lines=lines, coupled=coupled, minimum=30)
        assert (fast.outcome, fast.samples) == (outcome, trial.samples)
        assert fast.weight == pytest.approx(trial.coupling.weight, abs=1e-12)
        assert (fast.low, fast.high) == pytest.approx((trial.interval.low, trial.interval.high), abs=1e-9)


def test_the_simulated_e_process_is_the_products():
    rng = np.random.default_rng(3)
    capitals, state = np.zeros(len(BETS)), Decline()
    for _ in range(5):
        drops = rng.uniform(-1.0, 1.0, 40)
        evidence = accumulate(capitals, drops, 0.02)
        state = follow_decline(state, drops.tolist(), tolerated=0.02)
        assert evidence == pytest.approx(state.evidence, rel=1e-9)


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (9, 1), (40, 60), (300, 200)])
def test_the_simulated_mcnemar_test_is_the_products(lost, gained):
    exact = mcnemar(Discordance(tasks=1000, lost=lost, gained=gained))
    assert mcnemar_p(lost, gained) == pytest.approx(exact, rel=1e-9)


def test_a_simulated_drop_has_the_size_asked_for_and_churn_has_none():
    truth = np.random.default_rng(1).beta(0.7, 1.0, 200)
    assert np.mean(truth - dropped(truth, 0.15)) == pytest.approx(0.15)
    assert np.mean(lifted(truth, 0.01) - truth) == pytest.approx(0.01)
    moved = churned(truth, 0.3)
    assert sorted(moved) == sorted(truth)
    assert np.sum(moved != truth) == 60


def test_every_study_runs_and_the_tables_hold_them(tmp_path):
    rows = [perform(place, 0.0) for place in range(len(studies()))]
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n")
    renew(page, tables(rows))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "stale" not in text
    assert "exact McNemar" in text
    bare = tmp_path / "bare.md"
    bare.touch()
    with pytest.raises(ValueError, match="has no"):
        renew(bare, "")
