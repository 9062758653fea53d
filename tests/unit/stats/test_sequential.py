"""The stopping lines, and the test that follows them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.stats.bank import BankSummary, summarise
from monitor.stats.boundaries import Step, design_lines, single_thresholds, thresholds
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


def standing(information: float, previous: float):
    step = Step(information=information, previous=previous)
    return thresholds(LINES, unchanged=step, dropped=step)


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
    upper = np.array([standing(i, i - step).upper for i in information])
    share = np.mean((paths / information >= upper).any(axis=1))
    # 4000 paths: standard error 0.0034; the overshoot correction makes the bound nearly tight.
    assert 0.025 < share < 0.05 + 3 * 0.0034


@settings(max_examples=100, deadline=None)
@given(information=st.floats(1.0, 1e5), step=st.floats(0.0, 1.0))
def test_the_lines_never_leave_a_gap_the_wrong_way_round(information, step):
    at = standing(information, information * step)
    assert at.lower <= at.upper


def test_past_the_tip_every_score_decides():
    at = standing(2 * LINES.tip, LINES.tip)
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
    assert look(trial, BANK, drawn(85), coupled=False).improved


@pytest.mark.parametrize("single", [True, False])
def test_a_gain_is_one_that_the_interval_shows_whatever_the_error_rates(single):
    lax = Trial(lines=design_lines(alpha=0.4, beta=0.01, margin=0.30), single=single)
    seen = [look(lax, BANK, drawn(passes), coupled=False) for passes in range(50, 101)]
    assert {each.improved for each in seen} == {True, False}
    assert all(each.interval.high < 0.0 for each in seen if each.improved)


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
    assert wide.narrowed(low, around=0.0) == Interval(low=-0.1, high=0.1)
    assert low.narrowed(Interval(low=0.2, high=0.4), around=0.3) == Interval(low=0.2, high=0.3)


def test_looks_under_the_minimum_bound_nothing_and_leave_no_trace():
    trial = Trial(lines=LINES, minimum_samples=60)
    few = look(trial, BANK, drawn(20, 40), coupled=False)
    assert few.interval == Interval(low=-1.0, high=1.0)
    assert few.estimate is not None
    # All 30 passed at first: as if the candidate were far better.
    lucky = Draws(task=np.arange(100), passed=np.repeat([1.0, 0.0], [30, 70]), twin=np.full(100, 0.5))
    after = look(look(trial, BANK, lucky.first(30), coupled=False), BANK, lucky, coupled=False)
    alone = look(trial, BANK, lucky, coupled=False)
    # The overshoot of a shorter step is less, which only widens.
    assert after.interval.low <= alone.interval.low
    assert after.interval.high >= alone.interval.high


@st.composite
def streams(draw):
    """A bank, a candidate with some UNSCORED samples, and the looks at it."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    tasks = draw(st.integers(2, 30))
    truth = rng.beta(*draw(st.sampled_from([(0.1, 0.1), (2.0, 0.6), (0.7, 1.0)])), tasks)
    bank = summarise(rng.binomial(8, truth).astype(float), np.full(tasks, 8.0))
    count = draw(st.integers(40, 200))
    task = rng.integers(0, tasks, count)
    passed = (rng.random(count) < truth[task] - draw(st.sampled_from([0.0, 0.1, 0.5]))).astype(float)
    lost = Draws(task=task[:6], passed=np.zeros(6), twin=bank.rates[task[:6]])
    draws = Draws(task=task, passed=passed, twin=bank.rates[task])
    return bank, draws, lost, sorted({*rng.integers(1, count, 12).tolist(), count})


@settings(max_examples=60, deadline=None)
@given(stream=streams(), minimum=st.sampled_from([0, 30]), unscored=st.booleans())
def test_the_interval_holds_its_estimate_at_every_look(stream, minimum, unscored):
    bank, draws, lost, looks = stream
    trial = Trial(lines=LINES, minimum_samples=minimum)
    for end in looks:
        trial = look(trial, bank, draws.first(end), coupled=False, unscored=lost if unscored else None)
        assert trial.interval.low <= trial.estimate.drop <= trial.interval.high


@settings(max_examples=60, deadline=None)
@given(stream=streams())
def test_what_is_steady_with_unscored_samples_is_steady_without_them(stream):
    bank, draws, lost, looks = stream
    for end in looks:
        doubted = look(Trial(lines=LINES), bank, draws.first(end), coupled=False, unscored=lost)
        plain = look(Trial(lines=LINES), bank, draws.first(end), coupled=False)
        assert plain.steady_at is not None or doubted.steady_at is None
        assert plain.regressed_at == doubted.regressed_at
        assert doubted.interval.high >= plain.interval.high


def test_a_steady_look_is_contradicted_by_what_all_samples_say_together():
    trial = look(Trial(lines=LINES), BANK, drawn(200, 400), coupled=False)
    assert trial.steady_at == 400
    assert not trial.contradicted
    later = Draws(
        task=np.arange(800) % 100, passed=np.repeat([1.0, 0.0, 0.0, 0.0], 200), twin=np.full(800, 0.5)
    )
    assert look(trial, BANK, later, coupled=False).contradicted


@pytest.mark.parametrize(
    ("passes", "count", "kind"), [(790, 1600, "steady"), (600, 1600, "regressed"), (43, 100, "open")]
)
def test_one_look_at_everything_decides_where_enough_was_drawn(passes, count, kind):
    trial = look(Trial(lines=LINES, single=True), BANK, drawn(passes, count), coupled=False)
    assert (trial.steady_at is not None, trial.regressed_at is not None) == (
        kind == "steady",
        kind == "regressed",
    )


def test_one_look_makes_its_errors_as_often_as_it_says():
    at = single_thresholds(LINES, unchanged=400.0, dropped=100.0)
    rng = np.random.default_rng(1)
    # 40000 draws: standard errors .001 and .0015.
    assert np.mean(rng.normal(0.0, 0.05, 40_000) >= at.upper) <= 0.05 + 0.003
    assert np.mean(rng.normal(0.10, 0.10, 40_000) <= at.lower) <= 0.10 + 0.0045
    assert at.above == pytest.approx(1.645 / 20, abs=1e-4)
    assert at.below == pytest.approx(1.2816 / 10, abs=1e-4)


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
    assert expected_more(LINES, *[Estimate(drop=drop, information=information)] * 2, samples=50) >= 1
