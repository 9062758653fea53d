"""The settings that every SQLite connection has."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from monitor.domain.errors import MonitorError
from monitor.store import open_store
from tests.unit.contracts.store_nouns import a_sample, an_evaluation


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/tailwatch.db", patience_s=7)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 7000)],
)
def test_a_connection_is_set_so_that_nothing_is_lost(store, pragma, value):
    with store._database.reading() as connection:
        assert connection.scalar(text(f"PRAGMA {pragma}")) == value


def test_threads_record_and_read_at_the_same_time(store):
    evaluation_id = an_evaluation().key.evaluation_id
    store.save(an_evaluation())
    failures: list[Exception] = []

    def work(task: str) -> None:
        try:
            for index in range(10):
                store.record(evaluation_id, [a_sample(task, index)])
                assert len(store.observations(evaluation_id)) > index
                store.count("acme", "recorded")
        except (MonitorError, DBAPIError, AssertionError) as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.samples(evaluation_id)) == 60
    assert store.counters("acme") == {("recorded", ""): 60}
    assert store.verify() == ()


def test_a_store_is_named_without_its_password(store):
    assert store.name.endswith("tailwatch.db")
