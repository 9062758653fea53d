"""Wrong aggregates are found, named and mended."""

from __future__ import annotations

import sqlite3

import pytest

from monitor.domain.samples import Outcome
from monitor.domain.tasks import Stratum
from monitor.store import Difference, open_store
from tests.unit.contracts.store_nouns import a_sample, an_evaluation

EVALUATION_ID = an_evaluation().key.evaluation_id


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tailwatch.db"


@pytest.fixture
def store(path):
    store = open_store(f"sqlite:///{path}")
    for name in ("gen0", "gen1"):
        store.save(an_evaluation(name))
        outcomes = [Outcome.PASSED, Outcome.PASSED, Outcome.FAILED, Outcome.UNSCORED]
        batch = [a_sample("t1", index, outcome=outcome) for index, outcome in enumerate(outcomes)]
        store.record(an_evaluation(name).key.evaluation_id, batch)
    yield store
    store.close()


def spoil(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_aggregates_that_count_what_is_stored_have_no_differences(store):
    assert store.verify() == ()
    assert store.rebuild() == ()


def test_a_wrong_tally_is_named_with_both_numbers(store, path):
    spoil(path, "UPDATE tallies SET samples = 9 WHERE outcome = 'passed' AND evaluation_ref = 1")
    assert store.verify() == (
        Difference(evaluation_id=EVALUATION_ID, counted="tail passed", stored=9, recounted=2),
    )


def test_aggregates_that_are_missing_or_count_nothing_are_found(store, path):
    spoil(path, "DELETE FROM task_tallies WHERE evaluation_ref = 1")
    spoil(path, "INSERT INTO tallies VALUES (1, 'head', 'failed', 3)")
    found = {(item.counted, item.stored, item.recounted) for item in store.verify()}
    assert found == {
        ("head failed", 3, 0),
        ("t1 tail samples", 0, 4),
        ("t1 tail scored", 0, 3),
        ("t1 tail passed", 0, 2),
    }


def test_rebuilding_mends_the_aggregates_and_tells_what_was_wrong(store, path):
    intact = (store.tallies(EVALUATION_ID), store.task_tallies(EVALUATION_ID))
    spoil(path, "UPDATE tallies SET samples = samples + 1")
    spoil(path, "UPDATE task_tallies SET passed = 0")
    wrong = store.verify()
    assert len(wrong) == 8
    assert store.rebuild() == wrong
    assert store.verify() == ()
    assert (store.tallies(EVALUATION_ID), store.task_tallies(EVALUATION_ID)) == intact
    assert store.tallies(EVALUATION_ID)[Stratum.TAIL, Outcome.UNSCORED] == 1
