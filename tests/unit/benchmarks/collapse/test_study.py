from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.collapse.study import (
    BANK_DEPTH,
    PASS_RATE,
    Row,
    by_name,
    equal,
    false_warnings,
    measured,
    pass_rates,
    rows_of,
    split,
    trends,
)
from monitor.domain.drift import DriftReading, Indicator, IndicatorName, Measurement, Reading
from monitor.domain.evidence import DriftSignal
from monitor.domain.samples import Outcome, Sample
from monitor.domain.tasks import Stratum
from tests.unit.contracts.store_nouns import a_sample


def pool(depth: int, *, passing: float = 0.5, tasks: int = 20) -> list[Sample]:
    return [
        a_sample(f"t{task:02}", index, outcome=Outcome.PASSED if index < passing * depth else Outcome.FAILED)
        for task in range(tasks)
        for index in range(depth)
    ]


def an_indicator(
    name: str = IndicatorName.COLLISION, *, value: float = 0.5, p_value: float = 0.5
) -> Indicator:
    return Indicator(
        name=name,
        method="",
        value=value,
        baseline=0.1,
        p_value=p_value,
        alpha=0.001,
        noise_floor=0.0,
        clusters=20,
        stratum=Stratum.TAIL,
    )


class Meter:
    """Finds one indicator, and one column that drifted."""

    def prepare(self) -> None:
        pass

    def measure(self, bank: list[Sample], candidate: list[Sample], *, report: str) -> DriftReading:
        signal = DriftSignal(
            signal="lines", method="ks", score=0.0001, threshold=0.01, detected=True, stratum=Stratum.TAIL
        )
        return DriftReading(signals=(signal,), indicators=(an_indicator(),))


def test_a_split_shares_no_sample_and_numbers_both_sides_from_nought() -> None:
    bank, candidate = split(pool(BANK_DEPTH + 8), depth=8, rng=np.random.default_rng(1))
    assert {s.index for s in bank} == set(range(BANK_DEPTH))
    assert {s.index for s in candidate} == set(range(8))
    seeds = {(s.task_id, s.completion.seed) for s in bank} & {
        (s.task_id, s.completion.seed) for s in candidate
    }
    assert not seeds
    assert len(bank) + len(candidate) == 20 * (BANK_DEPTH + 8)


def test_two_splits_differ() -> None:
    rng = np.random.default_rng(1)
    one, other = (split(pool(BANK_DEPTH + 8), depth=8, rng=rng)[0] for _ in range(2))
    assert one != other


def test_a_fall_of_the_pass_rate_is_found_and_a_rise_is_not() -> None:
    high, low = pool(8, passing=0.75), pool(8, passing=0.25)
    (fallen,) = pass_rates(high, low)
    (risen,) = pass_rates(low, high)
    assert fallen.warns
    assert (fallen.baseline, fallen.value) == (0.75, 0.25)
    assert not risen.warns


def test_unscored_samples_are_no_failures() -> None:
    whole = pool(8)
    lost = [replace(s, execution=a_sample(outcome=Outcome.UNSCORED).execution) for s in whole[4:8]]
    (found,) = pass_rates(whole, [*whole[:4], *lost, *whole[8:]])
    assert found.value == pytest.approx(0.525)


def test_drifted_columns_count_as_a_warning_of_their_stratum() -> None:
    found, _ = measured(Meter(), pool(2), pool(2))
    columns = {each.stratum: each.warns for each in found if each.name == "columns"}
    assert columns == {Stratum.TAIL: True, Stratum.TORSO: False, Stratum.HEAD: False}
    assert {each.name for each in found} == {IndicatorName.COLLISION, "columns", PASS_RATE}


def test_false_warnings_are_counted_per_test() -> None:
    turns = [[an_indicator(p_value=p_value)] for p_value in (0.5, 0.04, 0.0001, 0.9)]
    (found,) = false_warnings(by_name(turns), depth=8)
    assert (found.tests, found.warned, found.below_nominal, found.rate) == (4, 1, 2, 0.25)
    assert found.error_at(0.05) == pytest.approx(0.109, abs=0.001)


def test_a_trend_goes_towards_collapse_whichever_way_that_is() -> None:
    names = ["gen1", "gen2", "gen3"]
    rows: list[Row] = []
    for number, name in enumerate(names, start=1):
        rows += rows_of(name, [an_indicator(value=0.1 + number / 10)], depth=8)
        rows += rows_of(name, [an_indicator(IndicatorName.TAIL_MASS, value=0.1 - number / 100)], depth=8)
    found = {each["indicator"]: each["p_value"] for each in trends(rows, names)}
    assert found == {
        IndicatorName.COLLISION: pytest.approx(1 / 24),
        IndicatorName.TAIL_MASS: pytest.approx(1 / 24),
    }


def test_a_generation_that_is_missing_leaves_no_trend() -> None:
    assert trends(rows_of("gen1", [an_indicator()], depth=8), ["gen1", "gen2"]) == []


def test_the_largest_difference_between_two_measurements() -> None:
    def measurement(value: float) -> Measurement:
        reading = Reading(item="i", group="tail", cluster="c", value=value)
        return Measurement(probe="p", material="0" * 16, readings=(reading,), engine_s=1.0)

    assert equal(measurement(1.0), measurement(1.25)) == 0.25
