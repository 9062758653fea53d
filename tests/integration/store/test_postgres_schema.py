"""Migrations make of PostgreSQL what the queries expect."""

from __future__ import annotations

from sqlalchemy import create_engine

from monitor.store import open_store
from monitor.store.schema import metadata
from tests.unit.contracts.store_schema import described


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
