"""Whether the stored aggregates still count what is stored, and making them do so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, case, delete, func, insert, select, union_all

from monitor.domain.samples import Outcome
from monitor.store.database import Database
from monitor.store.evaluation_rows import locked_ref
from monitor.store.schema import evaluations, samples, tallies, task_tallies, tasks

Counts = Counter[tuple[str, ...]]
"""Number of samples under each key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One aggregate that is not what a recount gives."""

    evaluation_id: str
    counted: str
    """What it counts: stratum and outcome, or task, stratum and which of its samples."""
    stored: int
    recounted: int


@dataclass(frozen=True, slots=True)
class _Aggregates:
    tallies: Counts
    """By stratum and outcome."""
    task_tallies: Counts
    """By task number, stratum and column name."""


def differences(database: Database) -> tuple[Difference, ...]:
    """Every difference, one evaluation after the other so that memory stays bounded."""
    found: list[Difference] = []
    for ref, evaluation_id in _evaluation_ids(database):
        with database.reading() as connection:
            if _differs(connection, ref):
                found += _compared(connection, ref, evaluation_id)
    return tuple(found)


def rebuild(database: Database) -> tuple[Difference, ...]:
    """Replace the aggregates that differ by a recount; what they were."""
    mended: list[Difference] = []
    for _, evaluation_id in _evaluation_ids(database):
        with database.writing() as connection:
            ref = locked_ref(connection, evaluation_id)
            if _differs(connection, ref):
                mended += _compared(connection, ref, evaluation_id)
                recount(connection, ref)
    return tuple(mended)


def _evaluation_ids(database: Database) -> list[tuple[int, str]]:
    query = select(evaluations.c.ref, evaluations.c.evaluation_id).order_by(evaluations.c.ref)
    with database.reading() as connection:
        return [(ref, evaluation_id) for ref, evaluation_id in connection.execute(query)]


def _differs(connection: Connection, ref: int) -> bool:
    """Whether anything differs, found without leaving the database: mostly nothing does."""
    scored = case((samples.c.outcome == Outcome.UNSCORED.value, 0), else_=1)
    passed = case((samples.c.outcome == Outcome.PASSED.value, 1), else_=0)
    by_outcome = (samples.c.stratum, samples.c.outcome)
    by_task = (samples.c.task_ref, samples.c.stratum)
    recounts = {
        tallies: select(*by_outcome, func.count()).group_by(*by_outcome),
        task_tallies: select(*by_task, func.count(), func.sum(scored), func.sum(passed)).group_by(*by_task),
    }
    for table, recount in recounts.items():
        stored = select(*[column for column in table.columns if column is not table.c.evaluation_ref])
        both = union_all(
            stored.where(table.c.evaluation_ref == ref), recount.where(samples.c.evaluation_ref == ref)
        ).subquery()
        # A row that agrees with its recount is there twice, once from either side.
        unpaired = select(func.count()).group_by(*both.columns).having(func.count() != 2).limit(1)
        if connection.scalar(unpaired.select_from(both)) is not None:
            return True
    return False


def _compared(connection: Connection, ref: int, evaluation_id: str) -> list[Difference]:
    stored, recounted = _stored(connection, ref), _recounted(connection, ref)
    pairs = ((stored.tallies, recounted.tallies), (stored.task_tallies, recounted.task_tallies))
    return [
        Difference(
            evaluation_id=evaluation_id,
            counted=" ".join(key),
            stored=before[key],
            recounted=after[key],
        )
        for before, after in pairs
        for key in sorted(before.keys() | after.keys())
        if before[key] != after[key]
    ]


def _stored(connection: Connection, ref: int) -> _Aggregates:
    found = _Aggregates(Counter(), Counter())
    for row in connection.execute(select(tallies).where(tallies.c.evaluation_ref == ref)):
        found.tallies[row.stratum, row.outcome] = row.samples
    query = (
        select(tasks.c.task_id, task_tallies)
        .join(tasks, tasks.c.ref == task_tallies.c.task_ref)
        .where(task_tallies.c.evaluation_ref == ref)
    )
    for row in connection.execute(query):
        for name in ("samples", "scored", "passed"):
            found.task_tallies[row.task_id, row.stratum, name] = getattr(row, name)
    return found


def _recounted(connection: Connection, ref: int) -> _Aggregates:
    found = _Aggregates(Counter(), Counter())
    for task_id, _, stratum, outcome, number in _counts(connection, ref):
        found.tallies[stratum, outcome] += number
        for name, value in _columns(outcome, number).items():
            found.task_tallies[task_id, stratum, name] += value
    return found


def _counts(connection: Connection, ref: int) -> list[Any]:
    key = (samples.c.task_ref, samples.c.stratum, samples.c.outcome)
    query = (
        select(tasks.c.task_id, *key, func.count())
        .join(tasks, tasks.c.ref == samples.c.task_ref)
        .where(samples.c.evaluation_ref == ref)
        .group_by(tasks.c.task_id, *key)
    )
    return list(connection.execute(query))


def _columns(outcome: str, number: int) -> dict[str, int]:
    passed = Outcome(outcome).passed
    return {
        "samples": number,
        "scored": number if passed is not None else 0,
        "passed": number if passed else 0,
    }


def recount(connection: Connection, ref: int) -> None:
    """Write the aggregates of one evaluation anew from the samples it has."""
    by_outcome: Counter[tuple[str, str]] = Counter()
    by_task: dict[tuple[int, str], Counter[str]] = {}
    for _, task_ref, stratum, outcome, number in _counts(connection, ref):
        by_outcome[stratum, outcome] += number
        by_task.setdefault((task_ref, stratum), Counter()).update(_columns(outcome, number))
    _refill(
        connection,
        tallies,
        ref,
        [
            {"stratum": stratum, "outcome": outcome, "samples": number}
            for (stratum, outcome), number in by_outcome.items()
        ],
    )
    _refill(
        connection,
        task_tallies,
        ref,
        [{"task_ref": task_ref, "stratum": stratum, **row} for (task_ref, stratum), row in by_task.items()],
    )


def _refill(connection: Connection, table: Table, ref: int, rows: list[dict[str, Any]]) -> None:
    connection.execute(delete(table).where(table.c.evaluation_ref == ref))
    if rows:
        connection.execute(insert(table), [{"evaluation_ref": ref, **row} for row in rows])
