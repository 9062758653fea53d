from __future__ import annotations

import math
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.stats.trend import LONGEST, inversions, rising, spent_at


def counted_inversions(multiplicities: list[int]) -> list[int]:
    multiset = [value for value, times in enumerate(multiplicities) for _ in range(times)]
    counts = Counter(
        sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
        for order in set(permutations(multiset))
    )
    return [counts[number] for number in range(max(counts) + 1)]


@pytest.mark.parametrize("multiplicities", [[1], [4], [2, 2], [1, 3], [1, 1, 1, 1, 1], [2, 1, 3], [3, 3]])
def test_inversions_are_as_many_as_counting_finds(multiplicities: list[int]) -> None:
    assert inversions(multiplicities) == counted_inversions(multiplicities)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_all_arrangements_are_counted(multiplicities: list[int]) -> None:
    total = math.factorial(sum(multiplicities)) // math.prod(math.factorial(m) for m in multiplicities)
    assert sum(inversions(multiplicities)) == total


def test_a_steady_rise_is_as_surprising_as_one_order_in_all() -> None:
    assert rising([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).p_value == 1 / math.factorial(6)


def test_a_fall_is_no_rise() -> None:
    assert rising([3.0, 2.0, 1.0]).p_value == 1.0
    assert rising([3.0, 2.0, 1.0]).slope == -1.0


def test_a_flat_series_says_nothing() -> None:
    flat = rising([0.5] * 10)
    assert (flat.slope, flat.p_value) == (0.0, 1.0)


def test_one_outlier_does_not_make_a_slope() -> None:
    assert rising([1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0]).slope == 0.0


def test_only_the_newest_points_of_a_long_series_count() -> None:
    assert rising([0.0] * 500 + [float(n) for n in range(LONGEST)]).points == LONGEST


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_the_p_value_is_valid_over_all_orders_of_any_series(values: list[int]) -> None:
    orders = set(permutations(map(float, values)))
    found = [rising(order).p_value for order in orders]
    for level in set(found):
        assert sum(p <= level for p in found) / len(orders) <= level + 1e-12


def test_one_point_is_no_trend() -> None:
    with pytest.raises(ValueError, match="two values"):
        rising([1.0])


def test_no_share_is_spent_before_the_first_look() -> None:
    with pytest.raises(ValueError, match="from 1"):
        spent_at(0)
