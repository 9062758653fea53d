import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rarity.score import WEIGHTS, explain, score, weigh
from monitor.rarity.table import RarityTable

TABLE = RarityTable(
    name="ours",
    documents=1000,
    counts={"language:ruby": 60, "sum": 900, "sorted": 800, "zip": 400, "str.join": 500, "math.lcm": 3},
    language_shares={"python": 0.5, "ruby": 0.0625},
    unlisted_share=0.03125,
    ordinary_bits=4.0,
)


def test_rarer_features_make_a_rarer_program():
    everyday = "def f(xs):\n    return sum(sorted(xs))"
    rare = "import math\ndef f(xs):\n    return math.lcm(*xs)"
    assert score(rare, "python", TABLE) > score(everyday, "python", TABLE)


def test_the_score_is_the_languages_bits_and_the_weighted_features():
    told = explain("sum(zip(a, b))", "python", TABLE)
    assert [each.feature for each in told.features] == ["zip", "sum"]
    assert told.features[0].documents == 400
    assert told.feature_bits == pytest.approx(sum(each.bits * each.weight for each in told.features))
    assert told.score == pytest.approx(1.0 + told.feature_bits)


def test_another_language_has_its_own_bits_and_ordinary_features():
    told = explain("puts 1", "ruby", TABLE)
    assert (told.language_bits, told.feature_bits, told.features) == (4.0, 4.0, ())
    assert told.score == score("puts 1", "ruby", TABLE) == 8.0


def test_a_language_that_the_corpus_has_no_file_of_is_as_rare_as_an_unseen_feature():
    told = explain("puts 1", "tcl", TABLE)
    assert told.feature_bits == TABLE.rarity_bits("never.seen")
    assert told.language_bits == 5.0


def test_repeating_a_feature_changes_nothing():
    assert score("sum(a)", "python", TABLE) == score("sum(a)\nsum(b)", "python", TABLE)


def test_weights_fall_and_sum_to_one():
    weights = [each.weight for each in weigh([f"f{number}" for number in range(20)], TABLE)]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1.0)
    assert weights[len(WEIGHTS) :] == [0.0] * (20 - len(WEIGHTS))


@given(
    st.lists(st.sampled_from([*TABLE.counts, "never.seen", "other.unseen"])), st.sampled_from([*TABLE.counts])
)
def test_one_more_feature_never_makes_a_program_more_common(features, further):
    def bits(names):
        return sum(each.bits * each.weight for each in weigh(names, TABLE))

    assert bits([*features, further]) >= bits(features) - 1e-9


@given(st.lists(st.sampled_from([*TABLE.counts, "never.seen"])))
def test_the_order_of_features_does_not_matter(features):
    assert weigh(features, TABLE) == weigh(reversed(features), TABLE)
