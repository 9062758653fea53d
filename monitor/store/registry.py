"""Checkpoints of a model and the roles they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from sqlalchemy import func, insert, select, union

from monitor.domain.checkpoint import Checkpoint, Role
from monitor.domain.errors import StoreTrouble
from monitor.ports import Assignment
from monitor.store import codec
from monitor.store.database import Database
from monitor.store.schema import checkpoints, evaluations, fingerprints, role_assignments


@lru_cache(maxsize=4096)
def _checkpoint(record: str) -> Checkpoint:
    """A checkpoint from its record. Every scrape reads all of them, and they hardly ever change."""
    return codec.load(Checkpoint, record)


class SqlRegistry:
    """The CheckpointRegistry port over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, model: str, checkpoint: Checkpoint, *, now: datetime) -> None:
        """Add it, or refresh name and location of a known digest."""
        now_us = codec.to_us(now)
        row = {
            "model": model,
            "digest": checkpoint.digest,
            "first_seen_us": now_us,
            "last_seen_us": now_us,
            "record": codec.dump(checkpoint),
        }
        statement = self._database.insert(checkpoints).values(row)
        refreshed = {"last_seen_us": now_us, "record": row["record"]}
        with self._database.writing() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["model", "digest"], set_=refreshed)
            )

    def checkpoint(self, model: str, digest: str) -> Checkpoint | None:
        """The checkpoint with exactly this digest, or None."""
        query = select(checkpoints.c.record).where(
            checkpoints.c.model == model, checkpoints.c.digest == digest
        )
        with self._database.reading() as connection:
            record = connection.scalar(query)
        return None if record is None else codec.load(Checkpoint, record)

    def checkpoints(self, model: str) -> tuple[Checkpoint, ...]:
        """All of a model's checkpoints, in the order in which they were first remembered."""
        query = select(checkpoints.c.record).where(checkpoints.c.model == model).order_by(checkpoints.c.ref)
        with self._database.reading() as connection:
            return tuple(_checkpoint(record) for record in connection.scalars(query))

    def assign(self, model: str, role: Role, digest: str, *, now: datetime) -> None:
        """Give a role to a checkpoint; giving it to its holder changes nothing."""
        known = select(func.count()).where(checkpoints.c.model == model, checkpoints.c.digest == digest)
        holder = (
            select(role_assignments.c.digest)
            .where(role_assignments.c.model == model, role_assignments.c.role == role.value)
            .order_by(role_assignments.c.ref.desc())
            .limit(1)
        )
        row = {"model": model, "role": role.value, "digest": digest, "assigned_us": codec.to_us(now)}
        with self._database.writing() as connection:
            if not connection.scalar(known):
                raise StoreTrouble(
                    f"Checkpoint {digest[:12]} of model {model} is not in the store.",
                    next_step="Remember the checkpoint before giving it a role.",
                )
            if connection.scalar(holder) != digest:
                connection.execute(insert(role_assignments), row)

    def roles(self, model: str) -> Mapping[Role, str]:
        """Digest of the holder of each role that is held."""
        return {assignment.role: assignment.digest for assignment in self.role_history(model)}

    def role_history(self, model: str) -> tuple[Assignment, ...]:
        """Every change of holder, oldest first."""
        query = (
            select(role_assignments.c.role, role_assignments.c.digest, role_assignments.c.assigned_us)
            .where(role_assignments.c.model == model)
            .order_by(role_assignments.c.ref)
        )
        with self._database.reading() as connection:
            return tuple(
                Assignment(role=Role(role), digest=digest, assigned_at=codec.from_us(assigned_us))
                for role, digest, assigned_us in connection.execute(query)
            )

    def fingerprint(self, digest: str, endpoint: str, found: tuple[float, ...]) -> tuple[float, ...]:
        """What an endpoint answered for a checkpoint first; what was found now if it is new there."""
        row = {"digest": digest, "endpoint": endpoint, "logprobs": json.dumps(found)}
        statement = self._database.insert(fingerprints).values(row).on_conflict_do_nothing()
        first = select(fingerprints.c.logprobs).where(
            fingerprints.c.digest == digest, fingerprints.c.endpoint == endpoint
        )
        with self._database.writing() as connection:
            connection.execute(statement)
            return tuple(json.loads(connection.execute(first).scalar_one()))

    def models(self) -> tuple[str, ...]:
        """Models that have checkpoints or evaluations, sorted."""
        query = union(select(checkpoints.c.model), select(evaluations.c.model))
        with self._database.reading() as connection:
            return tuple(sorted(connection.scalars(query)))
