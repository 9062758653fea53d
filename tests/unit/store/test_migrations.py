"""Stores of every version become today's, and only those."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import create_engine

from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import BankView, State
from monitor.store import migrations, open_store
from monitor.store.schema import metadata
from tests.unit.contracts.store_nouns import a_bank, a_sample, an_evaluation
from tests.unit.contracts.store_schema import described, filled_again


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tailwatch.db"


def opened(path):
    return open_store(f"sqlite:///{path}")


def test_migrations_lead_to_the_tables_that_the_queries_use(path, tmp_path):
    opened(path).close()
    migrated, declared = (
        create_engine(f"sqlite:///{path}"),
        create_engine(f"sqlite:///{tmp_path}/declared.db"),
    )
    metadata.create_all(declared)
    assert described(migrated) == described(declared)
    migrated.dispose()
    declared.dispose()


def test_a_store_that_is_opened_again_keeps_what_it_holds(path):
    first = opened(path)
    first.save(an_evaluation())
    first.close()
    second = opened(path)
    assert second.evaluations("acme") == (an_evaluation(),)
    second.close()


def test_an_older_store_is_brought_forward_in_one_transaction(path, monkeypatch):
    opened(path).close()
    added = migrations.Migration(what="colours", statements=("CREATE TABLE colours (ref {ref})",))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, added))
    monkeypatch.setattr(migrations, "NEWEST", migrations.NEWEST + 1)
    monkeypatch.setattr("monitor.store.database.NEWEST", migrations.NEWEST)
    opened(path).close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT * FROM tailwatch_schema ORDER BY version").fetchall()[-1] == (
        migrations.NEWEST,
        "colours",
    )
    assert connection.execute("SELECT count(*) FROM colours").fetchone() == (0,)
    connection.close()


def test_counts_from_before_they_were_kept_by_model_go_to_the_oldest_model(path, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:2])
        before.setattr(migrations, "NEWEST", 2)
        before.setattr("monitor.store.database.NEWEST", 2)
        opened(path).close()
    connection = sqlite3.connect(path)
    for model in ("acme", "acme", "other"):
        connection.execute(
            "INSERT INTO checkpoints (model, digest, first_seen_us, last_seen_us, record)"
            " VALUES (?, hex(randomblob(8)), 0, 0, '{}')",
            [model],
        )
    connection.execute("INSERT INTO counters VALUES ('tokens', '', 12), ('events', 'lost', 1)")
    connection.commit()
    connection.close()
    store = opened(path)
    assert store.counters("acme") == {("tokens", ""): 12, ("events", "lost"): 1}
    assert store.counters("other") == {}
    store.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(path, monkeypatch):
    opened(path).close()
    broken = migrations.Migration(what="broken", statements=("CREATE TABLE colours (ref {ref})", "NONSENSE"))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
    monkeypatch.setattr("monitor.store.database.NEWEST", migrations.NEWEST + 1)
    with pytest.raises(Exception, match="NONSENSE"):
        opened(path)
    monkeypatch.undo()
    opened(path).close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'colours'").fetchone() == (0,)
    connection.close()


def test_a_newer_store_is_refused_with_both_versions_and_a_next_step(path):
    opened(path).close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO tailwatch_schema VALUES (99, 'from the future')")
    connection.commit()
    connection.close()
    known = f"version 99, and this Tailwatch knows versions up to {migrations.NEWEST}"
    with pytest.raises(StoreTrouble, match=known) as caught:
        opened(path)
    assert "newer Tailwatch" in caught.value.next_step


def test_a_database_of_something_else_is_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE tasks (title TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreTrouble, match="not Tailwatch's under its names: tasks"):
        opened(path)


def test_decided_evaluations_of_an_older_store_keep_to_the_bank_as_it_is(path):
    url = f"sqlite:///{path}"
    store = open_store(url)
    store.save(a_bank())
    store.record(a_bank().key.evaluation_id, [a_sample("t1", index) for index in range(3)])
    decided = replace(
        an_evaluation("gen1", state=State.DECIDED),
        key=replace(an_evaluation("gen1").key, baseline=a_bank().key.checkpoint),
    )
    store.save(decided)
    store.save(an_evaluation("gen2"))
    store.close()
    engine = create_engine(url)
    filled_again(engine)
    engine.dispose()
    store = open_store(url)
    view = BankView(depth=3, seed_stable=True, excluded_tasks=("t9",), environment={"engine": "fake"})
    assert store.evaluation(decided.key.evaluation_id).banks == {a_bank().key.checkpoint: view}
    assert store.evaluation(an_evaluation("gen2").key.evaluation_id).banks == {}
    store.close()
