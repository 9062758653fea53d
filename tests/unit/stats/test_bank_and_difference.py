"""The bank's summary, and the difference from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.stats.bank import LEAST_VARIANCE, BankSummary, added_variance, summarise
from monitor.stats.difference import Draws, couple, estimate

SEEDS = st.integers(0, 100_000)


def full_passes(rates: np.ndarray, depth: int, rng: np.random.Generator):
    """A bank and a candidate with the same number of samples of every task."""
    tasks = len(rates)
    outcomes = (rng.random((tasks, depth)) < rates[:, None]).astype(float)
    bank = summarise(outcomes.sum(axis=1), np.full(tasks, float(depth)))
    draws = Draws(
        task=np.repeat(np.arange(tasks), depth),
        passed=outcomes.ravel(),
        twin=np.repeat(bank.rates, depth),
    )
    return bank, draws


@pytest.mark.parametrize(
    ("passes", "samples"),
    [([], []), ([1.0], [0.0]), ([3.0], [2.0]), ([-1.0], [2.0]), ([1.0], [2.0, 2.0])],
)
def test_counts_that_no_sampling_gives_are_refused(passes, samples):
    with pytest.raises(ValueError, match=r"task|passes"):
        summarise(np.array(passes), np.array(samples))


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_uniform_bank_keeps_a_least_variance(rate):
    bank = summarise(np.full(10, 8 * rate), np.full(10, 8.0))
    assert bank.variance == LEAST_VARIANCE


def test_a_bank_of_single_samples_is_taken_to_scatter_as_much_as_it_can():
    assert summarise(np.array([1.0, 0.0]), np.array([1.0, 1.0])).variance == 0.25


def test_one_task_drawn_twice_does_not_tell_how_the_others_scatter():
    samples = np.array([2.0] + [1.0] * 39)
    assert summarise(samples, samples).variance == pytest.approx(0.25 * 39 / 40)


def test_the_variance_is_unbiased_over_banks():
    rng, truth = np.random.default_rng(3), np.full(50, 0.3)
    found = [full_passes(truth, 4, rng)[0].variance for _ in range(400)]
    # 400 banks of 50 tasks: the mean's standard error is about 0.001.
    assert np.mean(found) == pytest.approx(0.21, abs=0.004)


def test_a_drop_adds_variance_where_tasks_were_nearly_sure_to_pass():
    assert added_variance(np.full(4, 0.5), 0.10) == 0.0
    assert added_variance(np.full(4, 0.9), 0.10) == pytest.approx(0.07)
    assert added_variance(np.array([1.0, 0.0]), 0.10) == pytest.approx(0.08)
    assert added_variance(np.full(4, 0.05), 0.10) == 0.0


@settings(max_examples=50, deadline=None)
@given(rates=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), drop=st.floats(0.01, 0.5))
def test_added_variance_is_that_of_tasks_which_lost_the_same_share_each(rates, drop):
    before = np.array(rates)
    if before.mean() > drop:
        after = before * (1.0 - drop / before.mean())
        grown = float(np.mean(after * (1.0 - after) - before * (1.0 - before)))
        assert added_variance(before, drop) == pytest.approx(max(grown, 0.0), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS, depth=st.integers(2, 8))
def test_swapping_baseline_and_candidate_mirrors_the_difference(seed, depth):
    rng = np.random.default_rng(seed)
    first, from_first = full_passes(rng.beta(1, 1, 20), depth, rng)
    second, from_second = full_passes(rng.beta(1, 1, 20), depth, rng)
    there = Draws(task=from_second.task, passed=from_second.passed, twin=first.rates[from_second.task])
    back = Draws(task=from_first.task, passed=from_first.passed, twin=second.rates[from_first.task])
    forward = estimate(first, there, weight=0.0).drop
    assert estimate(second, back, weight=0.0).drop == pytest.approx(-forward, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS)
def test_information_is_positive_and_finite_for_any_draws(seed):
    rng = np.random.default_rng(seed)
    bank, _ = full_passes(rng.choice([0.0, 0.3, 1.0], 12), 4, rng)
    count = int(rng.integers(1, 60))
    draws = Draws(
        task=rng.integers(0, 12, count),
        passed=rng.integers(0, 2, count).astype(float),
        twin=rng.integers(0, 2, count).astype(float),
    )
    found = estimate(bank, draws, weight=float(rng.random()))
    assert 0.0 < found.information < 1e6
    assert -1.0 - 1.0 <= found.drop <= 2.0


def test_crowded_samples_carry_less_information_than_spread_ones_where_tasks_changed():
    rng = np.random.default_rng(1)
    bank = BankSummary(rates=np.full(100, 0.5), depths=np.full(100, 32.0), variance=0.25)
    few = Draws(task=np.repeat(np.arange(10), 10), passed=np.repeat([1.0, 0.0], 50), twin=np.full(100, 0.5))
    many = Draws(task=np.arange(100), passed=np.repeat([1.0, 0.0], 50), twin=np.full(100, 0.5))
    rng.shuffle(many.passed)
    crowded = estimate(bank, few, weight=0.0).information
    assert crowded < 0.6 * estimate(bank, many, weight=0.0).information


def test_identical_samples_couple_fully_and_cancel_their_scatter():
    rng = np.random.default_rng(2)
    bank, draws = full_passes(np.full(40, 0.5), 8, rng)
    same = Draws(task=draws.task, passed=draws.passed, twin=draws.passed)
    coupling = couple(bank, same)
    assert coupling.weight == pytest.approx(1.0, abs=0.02)
    plain = estimate(bank, draws, weight=0.0).information
    assert estimate(bank, same, weight=coupling.weight).information > 2 * plain


def test_unrelated_or_missing_twins_leave_the_plain_comparison():
    rng = np.random.default_rng(4)
    bank, draws = full_passes(np.full(40, 0.5), 8, rng)
    assert couple(bank, draws).weight == 0.0
    assert couple(bank, draws).correlation is None
    shuffled = Draws(task=draws.task, passed=draws.passed, twin=rng.permutation(draws.passed))
    assert couple(bank, shuffled).weight < 0.15


def test_the_control_variate_does_not_move_the_mean():
    rng, found = np.random.default_rng(5), []
    truth = rng.beta(1, 1, 30)
    for _ in range(400):
        bank, draws = full_passes(truth, 8, rng)
        own = np.where(
            rng.random(len(draws.task)) < 0.7, draws.passed, rng.random(len(draws.task)) < truth[draws.task]
        )
        coupled = Draws(task=draws.task, passed=own.astype(float), twin=draws.passed)
        found.append(estimate(bank, coupled, weight=0.7).drop)
    assert np.mean(found) == pytest.approx(0.0, abs=4 * np.std(found) / 20)
