"""Slow movement of signs over checkpoints, told with the newest reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from monitor.domain.drift import NOTHING, Indicator, IndicatorName
from monitor.domain.evaluation import State
from monitor.domain.tasks import Stratum
from monitor.rounds.bench import Gauges
from monitor.rounds.trending import FEWEST, heading, trends_at
from monitor.rounds.watching import candidate
from monitor.testing import FakeMeter

from .conftest import START, World, checkpoint
from .test_evaluating import evaluated

BASE = checkpoint("base")


def reading(difference: float, name: IndicatorName = IndicatorName.COLLISION, *, alpha: float = 0.001):
    indicator = Indicator(
        name=name,
        method="",
        value=0.4 + difference,
        baseline=0.4,
        p_value=0.5,
        alpha=alpha,
        noise_floor=0.0,
        clusters=40,
        stratum=Stratum.TAIL,
    )
    return replace(NOTHING, indicators=(indicator,))


def kept(world: World, number: int, difference: float, *, baseline=BASE, state=State.DECIDED):
    """An evaluation of one more checkpoint, with its reading."""
    at = START + timedelta(hours=number)
    record = candidate(world.watch, checkpoint(f"c{number}"), baseline, now=at)
    world.store.save(replace(record, state=state))
    world.store.keep_drift(record.key.evaluation_id, reading(difference))
    return record


def test_eight_steps_towards_collapse_warn_and_fewer_or_others_do_not():
    rising = [reading(0.01 * step) for step in range(8)]
    (trend,) = heading(rising)
    assert trend.warns
    assert (trend.points, trend.stratum) == (8, Stratum.TAIL)
    assert trend.slope == pytest.approx(0.01)
    (shorter,) = heading(rising[:7])
    assert not shorter.warns
    assert heading(rising[: FEWEST - 1]) == ()
    (falling,) = heading(rising[::-1])
    assert not falling.warns


def test_a_sign_that_falls_when_a_model_collapses_is_followed_downwards():
    falling = [reading(-0.01 * step, IndicatorName.TAIL_MASS) for step in range(8)]
    (trend,) = heading(falling)
    assert trend.warns
    assert trend.slope == pytest.approx(0.01)


def test_a_series_without_a_trend_warns_no_oftener_than_alpha_however_often_it_is_looked_at():
    rng, alpha, warned = np.random.default_rng(5), 0.05, 0
    for _ in range(400):
        series = [reading(float(step), alpha=alpha) for step in rng.normal(size=24)]
        looks = (heading(series[:count])[0] for count in range(FEWEST, len(series) + 1))
        warned += any(trend.warns for trend in looks)
    # 400 series: standard error .011 at .05. One p-value up to alpha at any look, uncorrected: .21.
    assert warned / 400 <= alpha + 2 * 0.011


def test_looks_with_readings_that_are_no_longer_read_have_spent_their_share():
    rising = [reading(0.01 * step) for step in range(8)]
    (trend,) = heading(rising, passed_over=100)
    assert trend.alpha == pytest.approx(0.001 / (105 * 106))


def test_what_the_newest_reading_lacks_has_no_trend():
    assert heading([*(reading(0.01 * step) for step in range(7)), NOTHING]) == ()


def test_only_decided_checkpoints_of_the_same_baseline_count_in_the_order_of_their_arrival(world):
    for number in range(1, 5):
        kept(world, number, 0.01 * number)
    kept(world, 5, 0.9, baseline=checkpoint("other"))
    kept(world, 6, 0.9, state=State.FAILED)
    newest = kept(world, 7, 0.05)
    kept(world, 8, 0.9)
    (trend,) = trends_at(world.store, newest, world.store.drift(newest.key.evaluation_id))
    assert trend.points == 5
    assert trend.p_value == pytest.approx(1 / 120)


async def test_an_evaluation_keeps_the_trends_with_its_reading(world):
    world.gauges = Gauges(meter=FakeMeter())
    await world.with_baseline()
    for name in ("a", "b", "c", "d"):
        world.clock.pass_s(60)
        record = await evaluated(world, name)
    (trend,) = world.store.drift(record.key.evaluation_id).trends
    assert (trend.name, trend.points) == ("collision", 4)
