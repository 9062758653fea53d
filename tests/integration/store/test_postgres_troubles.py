"""What PostgreSQL's refusals tell the reader."""

from __future__ import annotations

import psycopg
import pytest

from monitor.domain.errors import StoreTrouble
from monitor.store import open_store
from tests.unit.contracts.store_nouns import a_sample, an_evaluation


def test_a_server_that_does_not_run_is_named_without_its_password():
    with pytest.raises(StoreTrouble, match="cannot be reached") as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/tailwatch?connect_timeout=2")
    assert "secret" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)
    assert caught.value.retryable


def test_a_database_that_does_not_exist_is_told_with_the_way_to_make_it(postgres):
    with pytest.raises(StoreTrouble, match="does not exist") as caught:
        open_store(postgres.url("nowhere"))
    assert "createdb" in caught.value.next_step


def test_a_lock_held_too_long_is_trouble_and_stores_nothing(postgres_url):
    store = open_store(postgres_url, patience_s=0.2)
    store.save(an_evaluation())
    with psycopg.connect(postgres_url) as holder:
        holder.execute("SELECT * FROM evaluations FOR UPDATE")
        with pytest.raises(StoreTrouble, match="is locked by another process"):
            store.record(an_evaluation().key.evaluation_id, [a_sample()])
    assert store.samples(an_evaluation().key.evaluation_id) == ()
    store.close()


def test_a_store_outlives_the_loss_of_its_connections(postgres, postgres_url):
    store = open_store(postgres_url)
    store.save(an_evaluation())
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    assert store.depth("acme") == {"queued": 1}
    store.close()


def test_a_newer_store_is_refused_with_both_versions(postgres_url):
    open_store(postgres_url).close()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("INSERT INTO tailwatch_schema VALUES (99, 'from the future')")
    with pytest.raises(StoreTrouble, match="version 99, and this Tailwatch knows versions up to"):
        open_store(postgres_url)
