import numpy as np
import pytest

from benchmarks.rarity import choosing
from benchmarks.rarity.choosing import PRESENT, gain_of_choosing
from benchmarks.rarity.correlation import AGGREGATES

NATS = np.random.default_rng(7).normal(size=120)


@pytest.fixture(autouse=True)
def few_splits(monkeypatch):
    monkeypatch.setattr(choosing, "SPLITS", 40)


def noisy(share):
    """Scores that hold so much of the likelihoods and are noise otherwise."""
    return share * NATS + np.random.default_rng(8).normal(size=120)


def test_a_way_that_is_better_on_one_half_is_so_on_the_other():
    choice = gain_of_choosing("two", {PRESENT: noisy(0.2), "better": noisy(3.0)}, NATS)
    assert choice.mostly == "better"
    assert choice.low > 0.2


def test_ways_of_pure_chance_gain_nothing():
    rng = np.random.default_rng(9)
    scores = {f"chance {number}": rng.normal(size=120) for number in range(5)} | {PRESENT: noisy(0.0)}
    choice = gain_of_choosing("chance", scores, NATS)
    assert choice.low < 0 < choice.high


def test_the_present_way_is_one_of_those_compared():
    assert PRESENT in AGGREGATES
    assert PRESENT in choosing.MONOTONE


@pytest.mark.parametrize("way", sorted(choosing.MONOTONE))
def test_a_further_feature_never_makes_a_program_more_common(way):
    bits = [9.0, 7.0, 4.0]
    for further in (0.5, 5.0, 12.0):
        assert AGGREGATES[way](sorted([*bits, further], reverse=True)) >= AGGREGATES[way](bits)
