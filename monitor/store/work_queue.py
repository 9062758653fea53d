"""Evaluations waiting to be done, and who holds which of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, func, or_, select, update

from monitor.domain.evaluation import LONGEST_DELAY_S, Evaluation, State
from monitor.store.codec import to_us
from monitor.store.database import Database
from monitor.store.evaluation_rows import NO_LEASE, changed_by_saving, evaluation_of, row_of
from monitor.store.schema import evaluations

_BACK_IN_QUEUE: Mapping[str, Any] = {**NO_LEASE, "state": State.QUEUED.value}
_UNCOUNTED: Mapping[str, Any] = {"attempts": evaluations.c.attempts - 1}


class SqlWorkQueue:
    """The WorkQueue port over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enqueue(self, evaluation: Evaluation) -> bool:
        """Add a QUEUED evaluation; False when one with its id is already known."""
        statement = self._database.insert(evaluations).values({**row_of(evaluation), "attempts": 0})
        unless_known = statement.on_conflict_do_nothing(index_elements=["evaluation_id"])
        # SQLAlchemy counts inserted rows only on request, and never where it asks for their numbers.
        counted = unless_known.inline().execution_options(preserve_rowcount=True)
        with self._database.writing() as connection:
            return connection.execute(counted).rowcount == 1

    def lease(
        self,
        *,
        worker: str,
        now: datetime,
        lease_s: float,
        model: str | None = None,
        only: str | None = None,
    ) -> Evaluation | None:
        """Take the oldest evaluation that waits or that nobody holds any more, marked RUNNING."""
        free = _free(to_us(now))
        if model is not None:
            free = and_(free, evaluations.c.model == model)
        if only is not None:
            free = and_(free, evaluations.c.evaluation_id == only)
        # SQLite's writer is alone anyway; in PostgreSQL rows that others are just taking are skipped.
        oldest = (
            select(evaluations.c.ref, evaluations.c.record)
            .where(free)
            .order_by(evaluations.c.created_us, evaluations.c.ref)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        taken = {
            **NO_LEASE,
            "state": State.RUNNING.value,
            "worker": worker,
            "lease_expires_us": _after(now, lease_s),
            "attempts": evaluations.c.attempts + 1,
        }
        with self._database.writing() as connection:
            row = connection.execute(oldest).one_or_none()
            if row is None:
                return None
            connection.execute(update(evaluations).where(evaluations.c.ref == row.ref).values(taken))
            return evaluation_of(row.record, State.RUNNING.value)

    def renew(self, evaluation_id: str, *, worker: str, now: datetime, lease_s: float) -> bool:
        """Extend a lease; False when the worker no longer holds it."""
        extended = {"lease_expires_us": _after(now, lease_s)}
        return bool(self._change(_held(evaluation_id, worker).values(extended)))

    def save_held(self, evaluation: Evaluation, *, worker: str) -> bool:
        """Replace its record; False when the worker no longer holds it."""
        held = _held(evaluation.key.evaluation_id, worker)
        return bool(self._change(held.values(changed_by_saving(evaluation))))

    def postpone(
        self, evaluation_id: str, *, worker: str, now: datetime, delay_s: float, tried: bool = True
    ) -> bool:
        """Put it back, not to be leased before the delay; False when not held."""
        later = {**_BACK_IN_QUEUE, "not_before_us": _after(now, min(delay_s, LONGEST_DELAY_S))}
        counted = {} if tried else _UNCOUNTED
        return bool(self._change(_held(evaluation_id, worker).values({**later, **counted})))

    def hand_back(self, evaluation_id: str, *, worker: str) -> bool:
        """Put it back without counting the attempt; False when not held."""
        return bool(self._change(_held(evaluation_id, worker).values({**_BACK_IN_QUEUE, **_UNCOUNTED})))

    def requeue(self, evaluation_id: str, *, state: State) -> bool:
        """Queue it again, attempts and errors forgotten; False unless in this state, held by nobody."""
        unheld = and_(
            evaluations.c.evaluation_id == evaluation_id,
            evaluations.c.state == state.value,
            evaluations.c.worker.is_(None),
        )
        with self._database.writing() as connection:
            record = connection.scalar(select(evaluations.c.record).where(unheld).with_for_update())
            if record is None:
                return False
            fresh = replace(evaluation_of(record, State.QUEUED.value), errors=0)
            connection.execute(update(evaluations).where(unheld).values(changed_by_saving(fresh)))
            return True

    def attempts(self, evaluation_id: str) -> int:
        """Leases taken on it that were not handed back, a present one included."""
        query = select(evaluations.c.attempts).where(evaluations.c.evaluation_id == evaluation_id)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def abandon(self, worker: str) -> int:
        """Put everything a dead worker held back in the queue; how many that were."""
        return self._change(update(evaluations).where(evaluations.c.worker == worker).values(_BACK_IN_QUEUE))

    def workers(self) -> tuple[str, ...]:
        """Workers that hold leases now, sorted."""
        query = select(evaluations.c.worker).where(evaluations.c.worker.is_not(None)).distinct()
        with self._database.reading() as connection:
            return tuple(sorted(worker for worker in connection.scalars(query) if worker))

    def depth(self, model: str) -> Mapping[str, int]:
        """Number of a model's evaluations by state; states without any are left out."""
        query = (
            select(evaluations.c.state, func.count())
            .where(evaluations.c.model == model)
            .group_by(evaluations.c.state)
        )
        with self._database.reading() as connection:
            return {state: number for state, number in connection.execute(query)}  # noqa: C416

    def _change(self, statement: Update) -> int:
        with self._database.writing() as connection:
            return connection.execute(statement).rowcount


def _free(now_us: int) -> ColumnElement[bool]:
    not_before = evaluations.c.not_before_us
    # What seems to wait for longer than anything is postponed was postponed before a clock was set back.
    beyond = now_us + round(LONGEST_DELAY_S * 1_000_000)
    due = or_(not_before.is_(None), not_before <= now_us, not_before > beyond)
    unheld = or_(evaluations.c.worker.is_(None), evaluations.c.lease_expires_us <= now_us)
    return and_(evaluations.c.state.in_([State.QUEUED.value, State.RUNNING.value]), due, unheld)


def _held(evaluation_id: str, worker: str) -> Update:
    return update(evaluations).where(
        evaluations.c.evaluation_id == evaluation_id, evaluations.c.worker == worker
    )


def _after(now: datetime, delay_s: float) -> int:
    return to_us(now) + round(delay_s * 1_000_000)
