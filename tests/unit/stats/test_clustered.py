from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stats.clustered import DRAWN_PATTERNS, EXACT_CLUSTERS, clustered_rise


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_equal_engines_never_rise() -> None:
    found = clustered_rise([0.0] * 40, [f"c{n % 20}" for n in range(40)], rng=rng())
    assert found.p_value == 1.0
    assert found.mean == 0.0


def test_a_rise_in_every_cluster_has_the_least_p_value() -> None:
    few = clustered_rise([0.1] * 10, [f"c{n}" for n in range(10)], rng=rng())
    many = clustered_rise([0.1] * 40, [f"c{n}" for n in range(40)], rng=rng())
    assert few.p_value == few.least_p_value == 0.5**10
    assert many.p_value == many.least_p_value == 1.0 / (DRAWN_PATTERNS + 1)


def test_a_fall_is_no_rise() -> None:
    assert clustered_rise([-0.1] * 8, [f"c{n}" for n in range(8)], rng=rng()).p_value == 1.0


def test_what_is_tolerated_is_no_rise() -> None:
    clusters = [f"c{n}" for n in range(20)]
    small = clustered_rise([0.01] * 20, clusters, rng=rng(), tolerated=0.02)
    assert small.p_value == 1.0
    assert small.mean == pytest.approx(0.01)


def test_pairs_of_one_cluster_count_as_one_piece_of_evidence() -> None:
    differences = [0.1] * 100
    assert clustered_rise(differences, ["one"] * 100, rng=rng()).p_value == 0.5
    assert clustered_rise(differences, ["one"] * 100, rng=rng()).low is None


def test_the_interval_is_wider_when_clusters_scatter() -> None:
    noise = rng(3).normal(size=20)
    clusters = [f"c{n // 5}" for n in range(100)]
    alone = clustered_rise(list(np.repeat(noise, 5)), [str(n) for n in range(100)], rng=rng())
    grouped = clustered_rise(list(np.repeat(noise, 5)), clusters, rng=rng())
    assert alone.low is not None
    assert grouped.low is not None
    assert grouped.low < alone.low < grouped.mean


@pytest.mark.parametrize("clusters", [EXACT_CLUSTERS - 2, EXACT_CLUSTERS + 6])
def test_the_level_is_kept_under_symmetric_noise(clusters: int) -> None:
    """120 series at a nominal rate of 0.10: three Monte-Carlo standard errors are 0.082."""
    source = rng(7)
    names = [f"c{n % clusters}" for n in range(3 * clusters)]
    warned = 0
    for _ in range(120):
        shared = np.tile(source.normal(size=clusters), 3)
        values = shared + source.normal(size=3 * clusters)
        warned += clustered_rise(values.tolist(), names, rng=source).p_value <= 0.10
    assert warned / 120 == pytest.approx(0.10, abs=0.082)


@given(st.lists(st.tuples(st.floats(-5, 5), st.sampled_from("abcd")), min_size=1, max_size=20))
def test_the_order_of_pairs_does_not_matter(pairs: list[tuple[float, str]]) -> None:
    def p_value(rows: list[tuple[float, str]]) -> float:
        values, clusters = zip(*rows, strict=True)
        return clustered_rise(values, clusters, rng=rng()).p_value

    assert p_value(pairs) == p_value(pairs[::-1])


def test_differences_without_clusters_are_refused() -> None:
    with pytest.raises(ValueError, match="needs its cluster"):
        clustered_rise([1.0], [], rng=rng())
