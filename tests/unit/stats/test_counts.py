"""Exact tests, pass@k, flips and slow decline."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from monitor.stats.decline import Decline, follow_decline
from monitor.stats.flips import TaskCounts, flips, task_p_values
from monitor.stats.paired import Discordance, largest_drop, mcnemar, smallest_drop
from monitor.stats.passk import pass_at_k


@given(lost=st.integers(0, 40), gained=st.integers(0, 40))
def test_mcnemar_is_the_exact_binomial_test(lost, gained):
    found = mcnemar(Discordance(tasks=100, lost=lost, gained=gained))
    if lost + gained:
        assert found == pytest.approx(binomtest(lost, lost + gained, alternative="greater").pvalue)
    else:
        assert found == 1.0


@given(lost=st.integers(0, 40), gained=st.integers(0, 40), tail=st.floats(0.01, 0.4))
def test_bounds_enclose_the_drop_and_mirror_each_other(lost, gained, tail):
    changed = Discordance(tasks=100, lost=lost, gained=gained)
    swapped = Discordance(tasks=100, lost=gained, gained=lost)
    assert smallest_drop(changed, alpha=tail) <= changed.drop <= largest_drop(changed, beta=tail)
    assert smallest_drop(changed, alpha=tail) == -largest_drop(swapped, beta=tail)


@given(
    counts=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), min_size=1, max_size=20),
    k=st.integers(1, 12),
)
def test_pass_at_k_is_a_ratio_that_grows_with_k(counts, k):
    passes = np.array([float(min(c, n)) for c, n in counts])
    samples = np.array([float(n) for _, n in counts])
    found = pass_at_k(passes, samples, k=k)
    if found is None:
        assert all(n < k for _, n in counts)
        return
    enough = samples >= k
    first = pass_at_k(passes[enough], samples[enough], k=1)
    assert first.ratio - 1e-12 <= found.ratio <= 1.0
    assert math.isfinite(found.error)


def test_pass_at_one_is_the_mean_pass_rate_and_bad_counts_are_refused():
    assert pass_at_k(np.array([1.0, 3.0]), np.array([4.0, 4.0]), k=1).ratio == 0.5
    for passes, k in ((5.0, 1), (-1.0, 1), (1.0, 0)):
        with pytest.raises(ValueError, match="pass@k"):
            pass_at_k(np.array([passes]), np.array([4.0]), k=k)


def test_flips_are_named_only_with_evidence_of_their_own():
    noisy = [
        TaskCounts(task_id=f"t{n}", bank_passes=16, bank_samples=32, passes=n % 3, samples=2)
        for n in range(50)
    ]
    gained = TaskCounts(task_id="gained", bank_passes=0, bank_samples=32, passes=8, samples=8)
    unseen = TaskCounts(task_id="unseen", bank_passes=32, bank_samples=32, passes=0, samples=0)
    (flip,) = flips([*noisy, gained, unseen])
    assert (flip.task_id, flip.lost, flip.bank_ratio, flip.ratio) == ("gained", False, 0.0, 1.0)
    assert flips([]) == ()


def test_unchanged_tasks_are_wrongly_named_no_more_often_than_promised():
    rng, named = np.random.default_rng(9), 0
    for _ in range(200):
        bank, now = rng.binomial(32, 0.5, 30), rng.binomial(8, 0.5, 30)
        tasks = [
            TaskCounts(task_id=str(n), bank_passes=int(b), bank_samples=32, passes=int(c), samples=8)
            for n, (b, c) in enumerate(zip(bank, now, strict=True))
        ]
        named += bool(flips(tasks))
    # Some flip in at most 5 % of 200 suites; standard error 1.5 %.
    assert named / 200 < 0.05 + 3 * 0.015


def test_a_p_value_is_never_above_one():
    even = TaskCounts(task_id="t", bank_passes=1, bank_samples=2, passes=1, samples=2)
    assert task_p_values([even]).tolist() == [1.0]


def test_a_slow_decline_is_called_and_steadiness_is_not():
    rng = np.random.default_rng(2)
    steady, falling = Decline(), Decline()
    alarmed_at = 0
    for checkpoint in range(1, 16):
        steady = follow_decline(steady, 0.5 - (rng.random(80) < 0.5), tolerated=0.011)
        falling = follow_decline(falling, 0.5 - (rng.random(80) < 0.5 - 0.01 * checkpoint), tolerated=0.011)
        alarmed_at = alarmed_at or (checkpoint if falling.alarm else 0)
    assert not steady.alarm
    assert 3 <= alarmed_at <= 15


def test_a_drop_that_no_outcome_can_give_is_refused():
    with pytest.raises(ValueError, match="between -1 and 1"):
        follow_decline(Decline(), [1.2], tolerated=0.01)
