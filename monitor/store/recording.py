"""Storing samples together with the aggregates that count them, inside one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, select

from monitor.domain.samples import Sample
from monitor.store.database import Database
from monitor.store.sample_rows import BLOCK_SAMPLES, Place, packed, row_of
from monitor.store.schema import samples as samples_table
from monitor.store.schema import tallies, task_tallies, tasks, text_blocks

Item = TypeVar("Item")

_IN_LIST = 500
"""Values in one IN list: SQLite before 3.32 takes 999 parameters."""


def record(database: Database, connection: Connection, evaluation_ref: int, batch: Sequence[Sample]) -> int:
    """Store those samples of the batch that are new; the caller holds the evaluation's lock.

    Returns:
        How many were new.
    """
    task_refs = _interned(database, connection, {sample.task_id for sample in batch})
    new = _unseen(connection, evaluation_ref, task_refs, batch)
    for block in _chunks(new, BLOCK_SAMPLES):
        body = {"evaluation_ref": evaluation_ref, "body": packed(block)}
        made = connection.execute(insert(text_blocks), body).inserted_primary_key
        assert made is not None
        rows = [
            row_of(sample, Place(evaluation_ref, task_refs[sample.task_id], made.ref, position))
            for position, sample in enumerate(block)
        ]
        connection.execute(insert(samples_table), rows)
    add(database, connection, tallies, tally_rows(evaluation_ref, new))
    add(database, connection, task_tallies, task_tally_rows(evaluation_ref, task_refs, new))
    return len(new)


def tally_rows(evaluation_ref: int, batch: Iterable[Sample]) -> list[dict[str, Any]]:
    """Rows of ``tallies`` that count the batch."""
    counts = Counter((sample.stratum.value, sample.execution.outcome.value) for sample in batch)
    return [
        {"evaluation_ref": evaluation_ref, "stratum": stratum, "outcome": outcome, "samples": number}
        for (stratum, outcome), number in sorted(counts.items())
    ]


def task_tally_rows(
    evaluation_ref: int, task_refs: Mapping[str, int], batch: Iterable[Sample]
) -> list[dict[str, Any]]:
    """Rows of ``task_tallies`` that count the batch."""
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for sample in batch:
        task_ref, stratum = task_refs[sample.task_id], sample.stratum.value
        empty = {"evaluation_ref": evaluation_ref, "task_ref": task_ref, "stratum": stratum}
        row = rows.setdefault((task_ref, stratum), {**empty, "samples": 0, "scored": 0, "passed": 0})
        row["samples"] += 1
        row["scored"] += sample.passed is not None
        row["passed"] += sample.passed is True
    return list(rows.values())


def add(database: Database, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the rows' counts to those stored under the same key."""
    if not rows:
        return
    statement = database.insert(table)
    counts = [column.name for column in table.columns if not column.primary_key]
    summed = {name: table.c[name] + statement.excluded[name] for name in counts}
    connection.execute(
        statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=summed), rows
    )


def _interned(database: Database, connection: Connection, task_ids: set[str]) -> dict[str, int]:
    known = _refs(connection, task_ids)
    # In one order everywhere, so that two writers with new tasks in common cannot deadlock.
    missing = sorted(task_ids - known.keys())
    if missing:
        rows = [{"task_id": task_id} for task_id in missing]
        connection.execute(database.insert(tasks).on_conflict_do_nothing(), rows)
        known.update(_refs(connection, missing))
    return known


def _refs(connection: Connection, task_ids: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in _chunks(sorted(task_ids), _IN_LIST):
        query = select(tasks.c.task_id, tasks.c.ref).where(tasks.c.task_id.in_(chunk))
        found.update((task_id, ref) for task_id, ref in connection.execute(query))
    return found


def _unseen(
    connection: Connection, evaluation_ref: int, task_refs: Mapping[str, int], batch: Sequence[Sample]
) -> list[Sample]:
    seen: set[tuple[int, int]] = set()
    indices = [sample.index for sample in batch] or [0]
    for chunk in _chunks(sorted(task_refs.values()), _IN_LIST):
        query = select(samples_table.c.task_ref, samples_table.c.sample_index).where(
            samples_table.c.evaluation_ref == evaluation_ref,
            samples_table.c.task_ref.in_(chunk),
            # A wave adds the same few indices to many tasks; what they had before need not be read.
            samples_table.c.sample_index.between(min(indices), max(indices)),
        )
        seen.update((task_ref, index) for task_ref, index in connection.execute(query))
    new = []
    for sample in batch:
        key = (task_refs[sample.task_id], sample.index)
        if key not in seen:
            seen.add(key)
            new.append(sample)
    return new


def _chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
