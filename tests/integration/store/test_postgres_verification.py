"""Wrong aggregates are found and mended in PostgreSQL as in SQLite."""

from __future__ import annotations

import psycopg

from monitor.store import Difference, open_store
from tests.unit.contracts.store_nouns import a_sample, an_evaluation


def test_a_wrong_tally_is_named_and_mended(postgres_url):
    evaluation_id = an_evaluation().key.evaluation_id
    store = open_store(postgres_url)
    store.save(an_evaluation())
    store.record(evaluation_id, [a_sample("t1", index) for index in range(3)])
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE tallies SET samples = 9")
        connection.execute("UPDATE task_tallies SET passed = 0")
    wrong = (
        Difference(evaluation_id=evaluation_id, counted="tail passed", stored=9, recounted=3),
        Difference(evaluation_id=evaluation_id, counted="t1 tail passed", stored=0, recounted=3),
    )
    assert store.verify() == wrong
    assert store.rebuild() == wrong
    assert store.verify() == ()
    store.close()
