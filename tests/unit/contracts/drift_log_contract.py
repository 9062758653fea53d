"""What every store promises about measurements and drift readings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from monitor.domain.drift import DriftReading, Measurement, Reading
from monitor.domain.errors import StoreTrouble
from monitor.ports import Store
from tests.unit.contracts import store_strategies as nouns
from tests.unit.contracts.store_nouns import an_evaluation

SHARED_STORE = settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)

READING = Reading(item="s1", group="rare", cluster="project", value=1.25)
MEASUREMENT = Measurement(probe="rare-code-nll", material="m", readings=(READING,), engine_s=2.0)
NOTHING = DriftReading(signals=(), indicators=())


class DriftLogContract:
    def test_what_was_not_measured_is_absent(self, store: Store):
        store.save(an_evaluation())
        for evaluation_id in ("0" * 32, an_evaluation().key.evaluation_id):
            assert store.measurements(evaluation_id) == ()
            assert store.drift(evaluation_id) is None

    def test_a_measurement_replaces_the_earlier_one_of_its_probe(self, store: Store):
        evaluation_id = an_evaluation().key.evaluation_id
        store.save(an_evaluation())
        other = replace(MEASUREMENT, probe="another")
        for measurement in (MEASUREMENT, other, replace(MEASUREMENT, material="n")):
            store.keep_measurement(evaluation_id, measurement)
        assert store.measurements(evaluation_id) == (other, replace(MEASUREMENT, material="n"))

    def test_a_drift_reading_replaces_the_earlier_one(self, store: Store):
        evaluation_id = an_evaluation().key.evaluation_id
        store.save(an_evaluation())
        for reading in (NOTHING, replace(NOTHING, problems=("too few rows",))):
            store.keep_drift(evaluation_id, reading)
        assert store.drift(evaluation_id) == replace(NOTHING, problems=("too few rows",))

    def test_nothing_is_kept_for_an_evaluation_that_was_never_saved(self, store: Store):
        with pytest.raises(StoreTrouble, match="not in the store"):
            store.keep_measurement("0" * 32, MEASUREMENT)
        with pytest.raises(StoreTrouble, match="not in the store"):
            store.keep_drift("0" * 32, NOTHING)

    @SHARED_STORE
    @given(measurement=nouns.MEASUREMENTS, reading=nouns.DRIFT_READINGS)
    def test_any_measurement_and_reading_come_back_as_they_were(self, store: Store, measurement, reading):
        evaluation_id = an_evaluation().key.evaluation_id
        store.save(an_evaluation())
        store.keep_measurement(evaluation_id, measurement)
        store.keep_drift(evaluation_id, reading)
        assert measurement in store.measurements(evaluation_id)
        assert store.drift(evaluation_id) == reading
