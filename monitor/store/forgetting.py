"""Removing a checkpoint and everything that was drawn of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, delete, func, select

from monitor.domain.errors import StoreTrouble
from monitor.ports import Forgotten
from monitor.store import codec
from monitor.store.database import Database
from monitor.store.schema import (
    checkpoints,
    drift_readings,
    evaluations,
    fingerprints,
    measurements,
    role_assignments,
    samples,
    tallies,
    task_tallies,
    text_blocks,
)

_OF_AN_EVALUATION: tuple[Table, ...] = (
    samples,
    text_blocks,
    tallies,
    task_tallies,
    measurements,
    drift_readings,
)
"""Tables with rows of evaluations, those that refer to others first."""


class SqlForgetting:
    """The one method of the Store port that removes checkpoints, over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forget(self, model: str, digest: str, *, now: datetime) -> Forgotten:
        """Remove the checkpoint with all of its evaluations and roles, or nothing at all."""
        with self._database.writing() as connection:
            refs = _free_evaluations(connection, model, digest, now)
            removed = 0
            for ref in refs:
                for table in _OF_AN_EVALUATION:
                    gone = connection.execute(delete(table).where(table.c.evaluation_ref == ref)).rowcount
                    removed += gone if table is samples else 0
                connection.execute(delete(evaluations).where(evaluations.c.ref == ref))
            for table in (role_assignments, checkpoints):
                connection.execute(delete(table).where(table.c.model == model, table.c.digest == digest))
            if not connection.scalar(select(func.count()).where(checkpoints.c.digest == digest)):
                connection.execute(delete(fingerprints).where(fingerprints.c.digest == digest))
        return Forgotten(evaluations=len(refs), samples=removed)


def _free_evaluations(connection: Connection, model: str, digest: str, now: datetime) -> list[int]:
    """Numbers of the checkpoint's evaluations, which other writers now wait for.

    Raises:
        StoreTrouble: a worker holds one of them.
    """
    query = (
        select(evaluations.c.ref, evaluations.c.worker, evaluations.c.lease_expires_us)
        .where(evaluations.c.model == model, evaluations.c.checkpoint == digest)
        .order_by(evaluations.c.ref)
        .with_for_update()
    )
    rows = connection.execute(query).all()
    for _, worker, lease_expires_us in rows:
        if worker is not None and (lease_expires_us or 0) > codec.to_us(now):
            raise _held_by(worker, digest)
    return [ref for ref, _, _ in rows]


def _held_by(worker: str, digest: str) -> StoreTrouble:
    """What to say of a checkpoint that cannot be forgotten now."""
    return StoreTrouble(
        f"Checkpoint {digest[:12]} is being evaluated by {worker}.",
        next_step="Wait until that is done, or stop it; then forget the checkpoint.",
    )
