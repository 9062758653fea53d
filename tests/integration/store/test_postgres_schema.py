"""Migrations make of PostgreSQL what the queries expect."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import create_engine

from monitor.domain.evaluation import BankView, State
from monitor.store import open_store
from monitor.store.schema import metadata
from tests.unit.contracts.store_nouns import a_bank, a_sample, an_evaluation
from tests.unit.contracts.store_schema import described, filled_again


def test_migrations_lead_to_the_tables_that_the_queries_use(postgres):
    migrated_url, declared_url = postgres.make_schema(), postgres.make_schema()
    open_store(migrated_url).close()
    migrated, declared = (
        create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        for url in (migrated_url, declared_url)
    )
    metadata.create_all(declared)
    assert described(migrated) == described(declared)
    migrated.dispose()
    declared.dispose()


def test_decided_evaluations_of_an_older_store_keep_to_the_bank_as_it_is(postgres):
    url = postgres.make_schema()
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
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    filled_again(engine)
    engine.dispose()
    store = open_store(url)
    view = BankView(depth=3, seed_stable=True, excluded_tasks=("t9",), environment={"engine": "fake"})
    assert store.evaluation(decided.key.evaluation_id).banks == {a_bank().key.checkpoint: view}
    assert store.evaluation(an_evaluation("gen2").key.evaluation_id).banks == {}
    store.close()
