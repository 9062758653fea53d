"""The average-only gate, which the demo shows for contrast: a fair opponent, with its error."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.evidence import Bank, DecisionKind, Observation
from monitor.domain.tasks import Stratum
from monitor.suites.loading import load_suite
from monitor.verdicts.average import LIMIT, Average, Shares, average_change, shares_of

TRAFFIC = Shares(of={Stratum.HEAD: 0.7, Stratum.TORSO: 0.2, Stratum.TAIL: 0.1}, measured=True)
RATES = {Stratum.HEAD: 0.95, Stratum.TORSO: 0.8, Stratum.TAIL: 0.6}


def drawn(rates, *, tasks=30, samples=8, seed=0):
    rng = random.Random(seed)
    return [
        Observation(
            task_id=f"{stratum}/{task}",
            stratum=stratum,
            index=index,
            wave=0,
            passed=rng.random() < rate,
        )
        for stratum, rate in rates.items()
        for task in range(tasks)
        for index in range(samples)
    ]


def banked(observations):
    return Bank(checkpoint="b", observations=tuple(observations), seed_stable=True)


BANK = banked(drawn(RATES, samples=32))


def test_a_lost_tail_moves_the_average_by_its_share_of_the_traffic():
    lost = drawn({**RATES, Stratum.TAIL: 0.3}, seed=1)
    average = average_change(BANK, lost, TRAFFIC)
    assert average.change == pytest.approx(-0.1 * 0.3, abs=3 * average.error)


def test_the_same_samples_again_are_no_change_without_error():
    assert average_change(BANK, BANK.observations, TRAFFIC).change == pytest.approx(0.0, abs=1e-12)


def test_the_error_is_the_scatter_of_repeated_runs_against_one_bank():
    """400 runs, seeds 1 to 400: their standard deviation is known to 4 %; the bank's noise adds some."""
    runs = [average_change(BANK, drawn(RATES, samples=4, seed=seed), TRAFFIC) for seed in range(1, 401)]
    scatter = stdev(run.change for run in runs)
    assert 0.9 * scatter < sum(run.error for run in runs) / len(runs) < 1.3 * scatter


@given(st.randoms(use_true_random=False))
def test_neither_order_nor_unscored_samples_change_it(rng):
    candidate = drawn(RATES, tasks=5, samples=2, seed=1)
    lost = [replace(one, index=99, passed=None) for one in candidate]
    shuffled = candidate + lost
    rng.shuffle(shuffled)
    before, after = (average_change(BANK, each, TRAFFIC) for each in (candidate, shuffled))
    assert after.change == pytest.approx(before.change)
    assert after.error == pytest.approx(before.error)


def test_which_tasks_were_drawn_does_not_matter_but_for_chance():
    easy = [one for one in BANK.observations if one.task_id in {"head/0", "head/1"}]
    rest = [one for one in BANK.observations if one.stratum is not Stratum.HEAD]
    assert average_change(BANK, easy + rest, TRAFFIC).change == pytest.approx(0.0, abs=1e-12)


def test_a_stratum_that_was_not_drawn_leaves_no_average():
    tail = [one for one in BANK.observations if one.stratum is Stratum.TAIL]
    average = average_change(BANK, tail, TRAFFIC)
    assert (average.change, average.decision) == (None, DecisionKind.HOLD)
    only_tail = Shares(of={Stratum.TAIL: 1.0, Stratum.HEAD: 0.0}, measured=True)
    assert average_change(BANK, tail, only_tail).decision is DecisionKind.PROMOTE


@pytest.mark.parametrize(
    ("change", "decision"), [(-LIMIT - 1e-9, DecisionKind.REJECT), (-LIMIT, DecisionKind.PROMOTE)]
)
def test_it_rejects_a_fall_beyond_the_limit_whatever_its_error(change, decision):
    assert Average(change=change, error=0.5).decision is decision


def test_shares_are_the_measured_ones_or_those_of_the_tasks():
    lab = load_suite("lab")
    assert shares_of(lab).measured
    assert shares_of(lab).of[Stratum.TAIL] == pytest.approx(0.0787)
    counted = shares_of(replace(lab, traffic=None))
    assert not counted.measured
    assert counted.of[Stratum.TAIL] == pytest.approx(278 / 550)
