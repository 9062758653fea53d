"""The traffic is Zipf, reproducible, and free of the suite's prompts."""

import random
from itertools import pairwise

import pytest

from benchmarks.lab.corpus import draw_traffic, frequencies, ranking, zipf_shares
from benchmarks.lab.families import FAMILIES
from benchmarks.lab.suite import suite_prompts


def test_the_same_name_gives_the_same_traffic_and_another_name_another():
    assert draw_traffic(200, "one") == draw_traffic(200, "one")
    assert draw_traffic(200, "one") != draw_traffic(200, "two")


def test_shares_fall_as_zipf_with_the_stated_exponent():
    shares = zipf_shares(240)
    assert sum(shares) == pytest.approx(1)
    assert shares[0] / shares[9] == pytest.approx(10**1.2)
    assert all(larger > smaller for larger, smaller in pairwise(shares))


def test_rank_is_a_shuffle_that_the_seed_fixes():
    assert ranking(FAMILIES) == ranking(reversed(list(FAMILIES)))
    assert ranking(FAMILIES, seed=1) != ranking(FAMILIES, seed=2)
    assert sorted(ranking(FAMILIES)) == sorted(FAMILIES)


def test_rank_does_not_follow_difficulty():
    """Body length stands for difficulty; by chance |rho| stays below 3/sqrt(240) = .19 for 240 families."""
    lengths = [len(FAMILIES[key].body) for key in ranking(FAMILIES)]
    places = [sorted(lengths).index(length) for length in lengths]
    count = len(places)
    mean_rank, mean_place = (count - 1) / 2, sum(places) / count
    covariance = sum((i - mean_rank) * (place - mean_place) for i, place in enumerate(places))
    spread = sum((i - mean_rank) ** 2 for i in range(count)) ** 0.5
    spread *= sum((place - mean_place) ** 2 for place in places) ** 0.5
    assert abs(covariance / spread) < 0.19


def test_measured_frequencies_sum_to_one_and_follow_the_ranking():
    measured = frequencies(draw_traffic(3000, "measure"))
    assert sum(measured.values()) == pytest.approx(1)
    most = ranking(FAMILIES)[0]
    # The first family has a share of .257; 3000 draws have a standard error of .008.
    assert measured[most] == pytest.approx(zipf_shares(len(FAMILIES))[0], abs=0.04)


def test_a_forbidden_prompt_is_never_drawn():
    forbidden = suite_prompts()
    assert not forbidden & {example.prompt for example in draw_traffic(3000, "forbidden", forbidden)}


def test_drawing_leaves_the_global_random_state_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    draw_traffic(10, "state")
    assert random.random() == expected
