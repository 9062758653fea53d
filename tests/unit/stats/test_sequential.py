"""The stopping lines, and the test that follows them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.stats.bank import BankSummary, summarise
from monitor.stats.boundaries import design_lines, thresholds
from monitor.stats.difference import Draws, Estimate
from monitor.stats.planning import (
    detectable_delta,
    expected_more,
    feasibility,
    plan_samples,
    required_information,
    samples_for,
)
from monitor.stats.sequential import Interval, Trial, look

LINES = design_lines(alpha=0.05, beta=0.10, margin=0.10)
BANK = BankSummary(rates=np.full(100, 0.5), depths=np.full(100, 32.0), variance=0.25)


def drawn(passes: int, count: int = 100) -> Draws:
    passed = np.repeat([1.0, 0.0], [passes, count - passes])
    return Draws(task=np.arange(count) % 100, passed=passed, twin=np.full(count, 0.5))


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": 0.0},
        {"beta": 1.0},
        {"margin": -0.1},
        {"taper": 0.0},
        {"taper": 0.6},
        {"alpha": float("nan")},
    ],
)
def test_lines_outside_their_ranges_are_refused(wrong):
    with pytest.raises(ValueError, match=r"between|taper"):
        design_lines(**({"alpha": 0.05, "beta": 0.10, "margin": 0.10} | wrong))


def test_a_brownian_motion_crosses_the_upper_line_no_more_often_than_alpha():
    rng, step, runs = np.random.default_rng(7), 20.0, 4000
    paths = np.cumsum(rng.normal(0.0, np.sqrt(step), (runs, 400)), axis=1)
    information = step * np.arange(1, 401)
    upper = np.array([thresholds(LINES, information=i, previous=i - step).upper for i in information])
    share = np.mean((paths >= upper).any(axis=1))
    # 4000 paths: standard error 0.0034; the overshoot correction makes the bound nearly tight.
    assert 0.025 < share < 0.05 + 3 * 0.0034


@settings(max_examples=100, deadline=None)
@given(information=st.floats(1.0, 1e5), step=st.floats(0.0, 1.0))
def test_the_lines_never_leave_a_gap_the_wrong_way_round(information, step):
    at = thresholds(LINES, information=information, previous=information * step)
    assert at.lower <= at.upper


def test_past_the_tip_every_score_decides():
    at = thresholds(LINES, information=2 * LINES.tip, previous=LINES.tip)
    assert at.lower == at.upper


def test_a_clear_drop_regresses_and_no_drop_is_steady():
    trial = Trial(lines=LINES)
    worse = look(trial, BANK, drawn(25), coupled=False)
    assert worse.regressed_at == 100
    assert worse.interval.low > 0.0
    same = look(trial, BANK, drawn(200, 400), coupled=False)
    assert same.steady_at == 400
    assert same.interval.high < 0.10
    assert not same.improved
    assert look(trial, BANK, drawn(75), coupled=False).improved


def test_a_decision_stays_whatever_comes_after_it():
    trial = look(Trial(lines=LINES), BANK, drawn(25), coupled=False)
    later = look(trial, BANK, drawn(200, 400), coupled=False)
    assert later.decided_at == 100
    assert later.samples == 400


def test_too_few_samples_decide_nothing():
    trial = Trial(lines=LINES, minimum_samples=101)
    assert look(trial, BANK, drawn(25), coupled=False).decided_at is None


def test_the_coupling_weight_is_frozen_at_the_first_look_with_enough_samples():
    rng = np.random.default_rng(1)
    outcome = rng.integers(0, 2, 400).astype(float)
    draws = Draws(task=np.arange(400) % 100, passed=outcome, twin=outcome)
    early = look(Trial(lines=LINES, minimum_samples=1000), BANK, draws.first(39), coupled=True)
    assert not early.frozen
    first = look(early, BANK, draws.first(60), coupled=True)
    assert first.frozen
    assert look(first, BANK, draws, coupled=True).coupling == first.coupling


def test_intervals_narrow_and_survive_a_contradiction():
    wide, low = Interval(low=-0.1, high=0.3), Interval(low=-0.2, high=0.1)
    assert wide.narrowed(low) == Interval(low=-0.1, high=0.1)
    assert low.narrowed(Interval(low=0.2, high=0.4)) == Interval(low=0.2, high=0.4)


def test_the_interval_covers_the_truth_at_every_look_of_nearly_every_run():
    rng, missed = np.random.default_rng(11), 0
    truth = rng.beta(0.7, 1.0, 100)
    now = truth * 0.85
    drop = float(np.mean(truth - now))
    for _ in range(200):
        bank = summarise(rng.binomial(32, truth).astype(float), np.full(100, 32.0))
        task = np.concatenate([rng.permutation(100) for _ in range(4)])
        passed = (rng.random(400) < now[task]).astype(float)
        draws = Draws(task=task, passed=passed, twin=bank.rates[task])
        trial = Trial(lines=LINES)
        for end in range(50, 401, 50):
            trial = look(trial, bank, draws.first(end), coupled=False)
        missed += not trial.interval.low <= drop <= trial.interval.high
    # At most alpha + beta = .15; 200 runs have a standard error of .025.
    assert missed / 200 < 0.15 + 3 * 0.025


def test_planning_agrees_with_itself():
    needed = required_information(alpha=0.05, beta=0.10, delta=0.07)
    assert detectable_delta(alpha=0.05, beta=0.10, information=needed) == pytest.approx(0.07)
    plan = plan_samples(BANK, LINES, draws_per_task=32)
    assert plan.unchanged < plan.dropped < plan.most <= 3200
    assert feasibility(BANK, LINES, draws_per_task=32).feasible


def test_the_required_depth_is_just_enough():
    bank = BankSummary(rates=np.full(20, 0.5), depths=np.full(20, 8.0), variance=0.25)
    depth = feasibility(bank, LINES, draws_per_task=8).required_depth
    for offered, expected in ((depth, True), (depth - 1, False)):
        deeper = BankSummary(rates=bank.rates, depths=np.full(20, float(offered)), variance=0.25)
        assert feasibility(deeper, LINES, draws_per_task=offered).feasible is expected


def test_no_draws_are_never_enough():
    assert not feasibility(BANK, LINES, draws_per_task=0).feasible


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 2000))
def test_samples_for_inverts_information(count):
    information = 1.0 / (0.25 / count + 0.25 / (32 * min(count, 100)))
    assert samples_for(BANK, information) == pytest.approx(count, abs=1)


@settings(max_examples=50, deadline=None)
@given(drop=st.floats(-0.5, 0.5), information=st.floats(10.0, 4000.0))
def test_an_open_test_always_expects_at_least_one_more_sample(drop, information):
    assert expected_more(LINES, Estimate(drop=drop, information=information), samples=50) >= 1
