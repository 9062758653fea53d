"""Standard errors count tasks, not samples."""

import pytest

from benchmarks.lab.estimates import mean_rate, traffic_weights, weighted_rate


def test_more_samples_do_not_shrink_the_error_between_tasks():
    rates = [1.0, 0.5, 0.0, 0.5]
    few, many = mean_rate(rates, samples=4), mean_rate(rates, samples=400)
    assert few.error == many.error
    assert few.sampling_error > many.sampling_error


def test_equal_weights_give_the_usual_standard_error_of_a_mean():
    rates = [1.0, 1.0, 0.0, 0.0, 1.0]
    variance = sum((rate - 0.6) ** 2 for rate in rates) / 4
    assert mean_rate(rates, samples=1).error == pytest.approx((variance / 5) ** 0.5)


def test_a_task_without_traffic_does_not_count():
    assert weighted_rate([1.0, 0.0], [1.0, 0.0], samples=8).rate == 1.0


def test_traffic_weights_sum_to_one_and_split_a_family_over_its_tasks():
    weights = traffic_weights(["a", "b", "a", "c"], {"a": 0.5, "b": 0.2, "c": 0.1})
    assert sum(weights) == pytest.approx(1)
    assert weights[0] == weights[2] == pytest.approx(0.5 / 0.8 / 2)
