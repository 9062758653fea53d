from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.tasks import Stratum
from monitor.suites.format import CorpusFeatures, CutPoints, Quantiles, TrainingFrequency, Unranked
from monitor.suites.strata import cuts, quantile

FREQUENCY = TrainingFrequency(method="training-frequency", head_at_least=0.1, torso_at_least=0.01)


@pytest.mark.parametrize(
    ("frequency", "stratum"),
    [
        (1.0, Stratum.HEAD),
        (0.1, Stratum.HEAD),
        (0.0999, Stratum.TORSO),
        (0.01, Stratum.TORSO),
        (0.00999, Stratum.TAIL),
    ],
)
def test_a_frequency_at_the_cut_belongs_to_the_more_frequent_band(frequency: float, stratum: Stratum) -> None:
    assert cuts(FREQUENCY, []).stratum(-math.log2(frequency)) is stratum


def test_a_score_at_the_cut_point_belongs_to_the_rarer_band() -> None:
    rule = CorpusFeatures(
        method="corpus-features", corpus="table", cut_points=CutPoints(torso_from=2.0, tail_from=5.0)
    )
    bands = [cuts(rule, []).stratum(score) for score in (1.9, 2.0, 4.9, 5.0)]
    assert bands == [Stratum.HEAD, Stratum.TORSO, Stratum.TORSO, Stratum.TAIL]


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, unique=True))
def test_quantiles_of_distinct_scores_cut_their_share(scores: list[int]) -> None:
    rule = CorpusFeatures(
        method="corpus-features", corpus="table", quantiles=Quantiles(torso_from=0.4, tail_from=0.7)
    )
    bands = cuts(rule, [float(score) for score in scores])
    head = sum(bands.stratum(score) is Stratum.HEAD for score in scores)
    tail = sum(bands.stratum(score) is Stratum.TAIL for score in scores)
    if len(scores) > 3:
        assert head == math.ceil(0.4 * len(scores))
        assert tail == len(scores) - math.ceil(0.7 * len(scores))
    assert tail >= 1


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 0.99))
def test_the_order_of_scores_does_not_move_a_quantile(scores: list[float], share: float) -> None:
    assert quantile(scores, share) == quantile(scores[::-1], share)


def test_without_a_ranking_everything_is_torso() -> None:
    assert cuts(Unranked(method="unranked"), [0.0]).stratum(0.0) is Stratum.TORSO
