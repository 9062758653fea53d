"""Signs of collapse and drifted columns as metrics."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.drift import Trend
from monitor.domain.tasks import Stratum
from monitor.testing import MemoryStore
from tests.unit.export import story
from tests.unit.export.test_collector import series, value

TAIL = {"checkpoint": story.GEN3.short_digest, "stratum": "tail", "suite": "core"}


@pytest.fixture
def store():
    filled = MemoryStore()
    story.fill(filled)
    return filled


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("tailwatch_collapse_indicator", 0.6),
        ("tailwatch_collapse_indicator_baseline", 0.4),
        ("tailwatch_collapse_indicator_noise_floor", 0.05),
        ("tailwatch_collapse_indicator_warning", 1.0),
    ],
)
def test_a_sign_of_collapse_is_published_with_what_it_is_weighed_by(store, metric, expected):
    assert value(store, metric, indicator="collision", **TAIL) == expected


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("tailwatch_drift_score", 0.0002),
        ("tailwatch_drift_threshold", 0.001),
        ("tailwatch_drift_detected", 1),
    ],
)
def test_a_column_is_published_with_its_method(store, metric, expected):
    assert value(store, metric, signal="tokens", method="ks", **TAIL) == expected


def test_what_did_not_move_says_so_and_what_was_not_compared_is_absent(store):
    steady = story.CONTROL1.short_digest
    assert value(store, "tailwatch_drift_detected", checkpoint=steady, stratum="tail") == 0
    warning = "tailwatch_collapse_indicator_warning"
    assert value(store, warning, checkpoint=steady, stratum="tail", indicator="tail-mass") == 0
    bank = ("checkpoint", story.GEN0.short_digest)
    assert not [
        name for name, labels in series(store) if bank in labels and ("indicator" in name or "drift" in name)
    ]


def test_a_trend_is_published_where_there_is_one(store):
    (last,) = store.evaluations(story.MODEL, checkpoint=story.GEN3.digest)
    assert not [name for name, _ in series(store) if "trend" in name]
    trend = Trend(name="collision", stratum=Stratum.TAIL, slope=0.02, p_value=0.0002, alpha=0.001, points=7)
    store.keep_drift(last.key.evaluation_id, replace(story.compared(), trends=(trend,)))
    assert value(store, "tailwatch_collapse_trend_slope", indicator="collision", **TAIL) == 0.02
    assert value(store, "tailwatch_collapse_trend_p_value", indicator="collision", **TAIL) == 0.0002


def test_lost_and_gained_tasks_are_counted(store):
    lost = value(store, "tailwatch_flips", checkpoint=story.GEN3.short_digest, direction="lost")
    gained = value(store, "tailwatch_flips", checkpoint=story.GEN3.short_digest, direction="gained")
    assert (lost, gained) == (3, 1)
    assert value(store, "tailwatch_flips", checkpoint=story.GEN0.short_digest, direction="lost") is None


def test_events_of_comparing_outputs_start_at_nought(store):
    assert value(store, "tailwatch_drift_events_total", event="failed") == 0
