"""Evaluations, their samples and the aggregates of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, delete, func, select

from monitor.domain.evaluation import Evaluation, State
from monitor.domain.evidence import Observation
from monitor.domain.samples import Outcome, Sample
from monitor.domain.tasks import Stratum
from monitor.ports import TaskTally
from monitor.store import recording
from monitor.store.database import Database
from monitor.store.evaluation_rows import (
    changed_by_saving,
    evaluation_of,
    finished_at,
    locked_ref,
    ref_of,
    row_of,
    selected,
)
from monitor.store.sample_rows import sample_of, unpacked
from monitor.store.schema import (
    drift_readings,
    evaluations,
    measurements,
    samples,
    tallies,
    task_tallies,
    tasks,
    text_blocks,
)
from monitor.store.verification import recount

_ORDER = (samples.c.wave, samples.c.task_ref, samples.c.sample_index)
_OTHERS = tuple(column for column in samples.columns if column not in set(_ORDER))

# Evidence is weighed from hundreds of thousands of rows; looking a value up beats asking its enum.
_STRATA = {stratum.value: stratum for stratum in Stratum}
_PASSED = {outcome.value: outcome.passed for outcome in Outcome}


class SqlEvaluationLog:
    """The EvaluationLog port over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, evaluation: Evaluation) -> None:
        """Insert or replace by evaluation id; any state but RUNNING ends the lease."""
        statement = self._database.insert(evaluations).values({**row_of(evaluation), "attempts": 0})
        with self._database.writing() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["evaluation_id"], set_=changed_by_saving(evaluation)
                )
            )

    def evaluation(self, evaluation_id: str) -> Evaluation | None:
        """The record, or None."""
        query = selected().where(evaluations.c.evaluation_id == evaluation_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else evaluation_of(row.record, row.state)

    def evaluations(
        self, model: str, *, checkpoint: str | None = None, limit: int | None = None
    ) -> tuple[Evaluation, ...]:
        """All, or those of one checkpoint digest, or the newest of them; oldest first."""
        query = selected().where(evaluations.c.model == model)
        if checkpoint is not None:
            query = query.where(evaluations.c.checkpoint == checkpoint)
        query = query.order_by(evaluations.c.created_us.desc(), evaluations.c.ref.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(evaluation_of(row.record, row.state) for row in reversed(rows))

    def last_decided_at(self, model: str) -> datetime | None:
        """When an evaluation of the model was last decided, read from the records where they lie."""
        query = select(func.max(finished_at(is_sqlite=self._database.is_sqlite))).where(
            evaluations.c.model == model, evaluations.c.state == State.DECIDED.value
        )
        with self._database.reading() as connection:
            last = connection.scalar(query)
        return None if last is None else datetime.fromisoformat(last)

    def record(self, evaluation_id: str, samples: Sequence[Sample]) -> int:
        """Store the samples that are new, and the aggregates that count them, or nothing at all."""
        with self._database.writing() as connection:
            ref = locked_ref(connection, evaluation_id)
            return recording.record(self._database, connection, ref, samples)

    def forget_unscored(self, evaluation_id: str) -> int:
        """Remove the samples without a result and count again; how many there were."""
        with self._database.writing() as connection:
            ref = locked_ref(connection, evaluation_id)
            unscored = (samples.c.evaluation_ref == ref, samples.c.outcome == Outcome.UNSCORED.value)
            removed = connection.execute(delete(samples).where(*unscored)).rowcount
            if removed:
                recount(connection, ref)
            return removed

    def forget_samples(self, evaluation_id: str) -> int:
        """Remove all samples, their texts, and what was measured with them; how many there were."""
        with self._database.writing() as connection:
            ref = locked_ref(connection, evaluation_id)
            removed = connection.execute(delete(samples).where(samples.c.evaluation_ref == ref)).rowcount
            for table in (text_blocks, measurements, drift_readings):
                connection.execute(delete(table).where(table.c.evaluation_ref == ref))
            recount(connection, ref)
            return removed

    def samples(self, evaluation_id: str) -> tuple[Sample, ...]:
        """All samples, ordered by wave, task id, index."""
        with self._database.reading() as connection:
            ref = ref_of(connection, evaluation_id)
            task_ids = _task_ids(connection, ref)
            rows = _sample_rows(connection, ref, task_ids, *_OTHERS)
            query = select(text_blocks.c.ref, text_blocks.c.body).where(text_blocks.c.evaluation_ref == ref)
            blocks = {block_ref: unpacked(body) for block_ref, body in connection.execute(query)}
        return tuple(sample_of(row, task_ids[row.task_ref], blocks) for row in rows)

    def observations(self, evaluation_id: str) -> tuple[Observation, ...]:
        """What the statistics need of all samples, same order; reads no texts."""
        with self._database.reading() as connection:
            ref = ref_of(connection, evaluation_id)
            task_ids = _task_ids(connection, ref)
            rows = _sample_rows(
                connection, ref, task_ids, samples.c.stratum, samples.c.outcome, samples.c.seed
            )
        return tuple(
            Observation(
                task_id=task_ids[task_ref],
                stratum=_STRATA[stratum],
                index=index,
                wave=wave,
                passed=_PASSED[outcome],
                seed=seed,
            )
            for wave, task_ref, index, stratum, outcome, seed in rows
        )

    def tallies(self, evaluation_id: str) -> Mapping[tuple[Stratum, Outcome], int]:
        """Stored aggregate: number of samples by stratum and outcome."""
        query = (
            select(tallies.c.stratum, tallies.c.outcome, tallies.c.samples)
            .join(evaluations, evaluations.c.ref == tallies.c.evaluation_ref)
            .where(evaluations.c.evaluation_id == evaluation_id)
        )
        with self._database.reading() as connection:
            return {
                (Stratum(stratum), Outcome(outcome)): number
                for stratum, outcome, number in connection.execute(query)
            }

    def task_tallies(self, evaluation_id: str) -> tuple[TaskTally, ...]:
        """Stored aggregate per task that has samples, by task id."""
        counts = (task_tallies.c.samples, task_tallies.c.scored, task_tallies.c.passed)
        query = (
            select(tasks.c.task_id, task_tallies.c.stratum, *counts)
            .join(tasks, tasks.c.ref == task_tallies.c.task_ref)
            .join(evaluations, evaluations.c.ref == task_tallies.c.evaluation_ref)
            .where(evaluations.c.evaluation_id == evaluation_id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        # Sorted here: databases order text by their own rules.
        return tuple(
            TaskTally(task_id=task_id, stratum=_STRATA[stratum], samples=all_, scored=scored, passed=passed)
            for task_id, stratum, all_, scored, passed in sorted(rows, key=itemgetter(0, 1))
        )


def _task_ids(connection: Connection, evaluation_ref: int | None) -> dict[int, str]:
    query = (
        select(tasks.c.ref, tasks.c.task_id)
        .join(task_tallies, task_tallies.c.task_ref == tasks.c.ref)
        .where(task_tallies.c.evaluation_ref == evaluation_ref)
    )
    return {ref: task_id for ref, task_id in connection.execute(query)}  # noqa: C416 - rows are no pairs


def _sample_rows(
    connection: Connection, evaluation_ref: int | None, task_ids: Mapping[int, str], *columns: Any
) -> list[Any]:
    """Rows of wave, task number, index and the columns, ordered by wave, task id and index."""
    ranks = {ref: rank for rank, ref in enumerate(sorted(task_ids, key=task_ids.__getitem__))}
    query = select(*_ORDER, *columns).where(samples.c.evaluation_ref == evaluation_ref)
    rows = list(connection.execute(query))
    rows.sort(key=lambda row: (row[0], ranks[row[1]], row[2]))
    return rows
