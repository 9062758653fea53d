"""The free signs of collapse: what they see, and that an unchanged model is left in peace."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from monitor.domain.drift import IndicatorName
from monitor.domain.tasks import Stratum
from monitor.drift.indicators import FEWEST_TASKS, free_indicators
from monitor.drift.matching import Works, matched
from monitor.drift.significance import LEAST_ALPHA
from monitor.stats.dispersion import LEAST_P_VALUE
from tests.unit.drift.authors import EVEN, NARROW, VARIANTS, drawn, read, sample

FREE = (
    IndicatorName.COLLISION,
    IndicatorName.TAIL_MASS,
    IndicatorName.PARTICIPATION_RATIO,
    IndicatorName.DISPLACEMENT,
)


def weighed(bank, candidate, *, alpha=0.001):
    return free_indicators(matched(bank, candidate, Works(read)), seed=7, alpha=alpha)


def by_name(bank, candidate):
    return {each.name: each for each in weighed(bank, candidate).indicators}


def test_an_author_who_lost_the_seldom_variants_is_warned_of():
    found = by_name(drawn(seed=1), drawn(NARROW, seed=2))
    assert set(found) == set(FREE)
    assert found[IndicatorName.COLLISION].warns
    assert found[IndicatorName.COLLISION].difference > 0.3
    assert found[IndicatorName.TAIL_MASS].warns
    assert found[IndicatorName.TAIL_MASS].difference < -0.1


def test_an_author_who_writes_everything_in_one_other_way_is_displaced_and_narrower():
    loops = [sample(one.task_id, one.index, VARIANTS[8]) for one in drawn(seed=1)]
    found = by_name(drawn(seed=1), loops)
    assert found[IndicatorName.DISPLACEMENT].warns
    assert found[IndicatorName.PARTICIPATION_RATIO].warns
    assert found[IndicatorName.PARTICIPATION_RATIO].difference < -1


def test_an_author_who_writes_more_widely_is_not():
    found = by_name(drawn(NARROW, seed=1), drawn(EVEN, seed=2))
    assert not found[IndicatorName.COLLISION].warns
    assert not found[IndicatorName.TAIL_MASS].warns
    assert found[IndicatorName.COLLISION].p_value > 0.9


def test_the_same_texts_differ_in_nothing():
    for indicator in weighed(drawn(seed=1), drawn(seed=1)).indicators:
        assert indicator.difference == pytest.approx(0.0, abs=1e-9)
        assert indicator.p_value > 0.5
        assert not indicator.warns


def test_an_unchanged_author_is_warned_of_no_more_often_than_stated():
    """20 fresh draws at alpha .05: more than 4 false warnings of one sign have a chance of .3 %."""
    bank = drawn(seed=1, tasks=20, per_task=4)
    false = Counter()
    for seed in range(100, 120):
        found = weighed(bank, drawn(seed=seed, tasks=20, per_task=4), alpha=0.05)
        false.update(each.name for each in found.indicators if each.warns)
    assert max(false.values(), default=0) <= 4


def test_a_candidate_that_stopped_after_one_sample_per_task_has_what_needs_no_second():
    found = weighed(drawn(seed=1), drawn(NARROW, seed=2, per_task=1))
    assert {each.name for each in found.indicators} == set(FREE) - {IndicatorName.COLLISION}
    (gap,) = found.unmeasured
    assert (gap.name, gap.stratum) == (IndicatorName.COLLISION, Stratum.TAIL)


def test_a_handful_of_tasks_is_too_few_for_any_warning():
    few = FEWEST_TASKS - 1
    found = weighed(drawn(seed=1, tasks=few), drawn(NARROW, seed=2, tasks=few))
    assert found.indicators == ()
    assert len(found.unmeasured) == len(FREE)


def test_strata_are_weighed_apart_and_no_figure_is_infinite():
    bank = drawn(seed=1) + drawn(seed=3, stratum=Stratum.HEAD)
    candidate = drawn(NARROW, seed=2) + drawn(seed=3, stratum=Stratum.HEAD)
    found = weighed(bank, candidate).indicators
    assert {each.stratum for each in found if each.warns} == {Stratum.TAIL}
    for each in found:
        assert all(math.isfinite(x) for x in (each.value, each.baseline, each.p_value, each.noise_floor))


def test_figures_follow_from_the_samples_alone_whatever_their_order():
    bank, candidate = drawn(seed=1), drawn(seed=2)
    assert weighed(bank, candidate) == weighed(bank[::-1], candidate[::-1])


def test_a_bank_of_one_sample_per_task_gives_what_it_can():
    found = weighed(drawn(seed=1, per_task=1), drawn(NARROW, seed=2))
    assert found.indicators == ()
    assert len(found.unmeasured) == len(FREE)


def test_a_stratum_of_which_the_candidate_drew_nothing_is_named_sign_by_sign():
    bank = drawn(seed=1) + drawn(seed=3, stratum=Stratum.HEAD)
    found = weighed(bank, drawn(seed=3, stratum=Stratum.HEAD))
    assert {each.stratum for each in found.indicators} == {Stratum.HEAD}
    assert {(each.name, each.stratum) for each in found.unmeasured} == {(n, Stratum.TAIL) for n in FREE}


def test_the_least_alpha_that_may_be_configured_is_what_exchanges_reach():
    assert LEAST_ALPHA == LEAST_P_VALUE
    assert not any(each.blind for each in weighed(drawn(seed=1), drawn(seed=2), alpha=LEAST_ALPHA).indicators)
    blind = {
        each.name for each in weighed(drawn(seed=1), drawn(seed=2), alpha=0.0001).indicators if each.blind
    }
    assert blind == {IndicatorName.PARTICIPATION_RATIO, IndicatorName.DISPLACEMENT}
