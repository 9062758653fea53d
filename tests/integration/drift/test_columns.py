"""Evidently behind our port: the traps of its defaults, of few rows, constants and gaps."""

from __future__ import annotations

import math
import os

import numpy as np
import pandas as pd
import pytest

from monitor.domain.tasks import Stratum
from monitor.drift.columns import CHOICE_METHOD, FEWEST_ROWS, NUMBER_METHOD, EvidentlyDetector


@pytest.fixture(scope="module")
def detector():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DO_NOT_TRACK", raising=False)
        prepared = EvidentlyDetector()
        prepared.prepare()
        assert os.environ["DO_NOT_TRACK"] == "1"
        yield prepared


def frame(rows: int, seed: int, *, shift: float = 0.0, **columns) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    content = {
        "stratum": "tail",
        "tokens": rng.normal(100 + shift, 10, rows),
        "lines": rng.integers(3, 9, rows).astype(float),
        "finish_reason": rng.choice(["stop", "length"], rows, p=[0.8, 0.2]),
    }
    return pd.DataFrame({**content, **columns}, index=range(rows))


@pytest.mark.parametrize("rows", [999, 1000, 1001])
def test_the_score_is_a_p_value_below_and_above_a_thousand_rows(detector, rows):
    same = detector.detect(frame(rows, 1), frame(rows, 2))
    assert {signal.method for signal in same} == {NUMBER_METHOD, CHOICE_METHOD}
    assert not any(signal.detected for signal in same)
    moved = {each.signal: each for each in detector.detect(frame(rows, 1), frame(rows, 2, shift=4))}
    assert moved["tokens"].detected
    assert moved["tokens"].score < 1e-6
    assert not moved["lines"].detected


def test_a_column_that_is_constant_or_missing_altogether_gives_no_signal(detector):
    gaps = {"complexity": 1.0, "mean_rarity": math.nan, "error_class": None}
    names = {each.signal for each in detector.detect(frame(200, 1, **gaps), frame(200, 2, **gaps))}
    assert names == {"tokens", "lines", "finish_reason=length"}


def test_a_constant_that_changed_is_drift(detector):
    signals = detector.detect(frame(200, 1, imports=0.0), frame(200, 2, imports=1.0))
    assert [each.signal for each in signals if each.detected] == ["imports"]


@pytest.mark.parametrize("rows", [0, 1, 2, FEWEST_ROWS - 1])
def test_too_few_rows_give_no_signal(detector, rows):
    assert detector.detect(frame(rows, 1), frame(200, 2)) == ()
    assert detector.detect(frame(200, 1), frame(rows, 2)) == ()


def test_gaps_in_a_column_are_left_out_on_either_side(detector):
    holed = frame(200, 2)
    holed.loc[::3, ["tokens"]] = math.nan
    holed.loc[::4, ["finish_reason"]] = None
    signals = {each.signal: each for each in detector.detect(frame(200, 1), holed)}
    assert set(signals) == {"tokens", "lines", "finish_reason=length"}
    assert all(0.0 <= each.score <= 1.0 and not each.detected for each in signals.values())


def test_a_kind_of_error_that_only_one_side_has_is_compared(detector):
    errors = np.where(np.arange(200) < 40, "RecursionError", "none")
    signals = detector.detect(frame(200, 1, error_class="none"), frame(200, 2, error_class=errors))
    assert "error_class=RecursionError" in {each.signal for each in signals if each.detected}


def test_a_handful_of_a_kind_is_not_compared_by_itself(detector):
    errors = np.where(np.arange(200) < 3, "RecursionError", "none")
    signals = detector.detect(frame(200, 1, error_class="none"), frame(200, 2, error_class=errors))
    assert "error_class=RecursionError" not in {each.signal for each in signals}


def test_strata_are_compared_apart(detector):
    both = [pd.concat([frame(200, seed), frame(200, seed + 5).assign(stratum="head")]) for seed in (1, 2)]
    both[1].loc[both[1]["stratum"] == "head", "tokens"] += 20
    detected = {(each.stratum, each.signal) for each in detector.detect(*both) if each.detected}
    assert detected == {(Stratum.HEAD, "tokens")}


def test_unchanged_outputs_are_hardly_ever_called_drifted(detector):
    """Over 40 pairs, .01 each allows no more than 3 with any detection, but for one chance in 1300."""
    false = sum(
        any(each.detected for each in detector.detect(frame(150, seed), frame(150, seed + 1000)))
        for seed in range(40)
    )
    assert false <= 3


def test_the_page_shows_the_columns_that_it_is_about(detector, tmp_path):
    before, after = frame(60, 1), frame(80, 2, shift=30)
    signals = detector.detect(before, after)
    page = tmp_path / "reports" / "e.html"
    detector.write_report(before, after, signals, page)
    text = page.read_text(encoding="utf-8")
    assert "tail: tokens" in text
    assert "tail: finish_reason=length" in text
