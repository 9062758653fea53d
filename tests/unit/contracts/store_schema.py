"""A database's tables, in words that can be compared."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, inspect, text

from monitor.store.migrations import MIGRATIONS


def described(engine: Engine) -> dict[str, Any]:
    """Columns, keys and indexes of every table."""
    tables = inspect(engine)
    return {
        name: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"])
                for column in tables.get_columns(name)
            ],
            "key": tables.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted(tuple(item["column_names"]) for item in tables.get_unique_constraints(name)),
            "indexes": sorted(
                (item["name"], tuple(item["column_names"])) for item in tables.get_indexes(name)
            ),
            "foreign": sorted(
                (tuple(key["constrained_columns"]), key["referred_table"])
                for key in tables.get_foreign_keys(name)
            ),
        }
        for name in tables.get_table_names()
    }


def filled_again(engine: Engine) -> None:
    """Take records back to before they said what they are weighed against, and fill that in."""
    with engine.begin() as connection:
        for ref, record in connection.execute(text("SELECT ref, record FROM evaluations")).all():
            old = json.loads(record)
            del old["banks"]
            connection.execute(
                text("UPDATE evaluations SET record = :record WHERE ref = :ref"),
                {"ref": ref, "record": json.dumps(old)},
            )
        for migration in MIGRATIONS:
            if migration.fill is not None:
                migration.fill(connection)
