"""An evaluation as a row: what queries need in columns, everything else in its JSON record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Select, Text, cast, func, select

from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import Evaluation, State
from monitor.store import codec
from monitor.store.schema import evaluations

NO_LEASE: Mapping[str, None] = {"worker": None, "lease_expires_us": None, "not_before_us": None}
"""Columns of an evaluation that nobody holds."""
AFRESH: Mapping[str, int | None] = {**NO_LEASE, "attempts": 0}
"""Columns of an evaluation that nobody has tried yet."""


def row_of(evaluation: Evaluation) -> dict[str, Any]:
    """All columns but those of the lease.

    The state stands in its column alone, since the queue changes it without reading the record.
    """
    record = json.loads(codec.dump(evaluation))
    del record["state"]
    return {
        "evaluation_id": evaluation.key.evaluation_id,
        "model": evaluation.key.model,
        "checkpoint": evaluation.key.checkpoint,
        "state": evaluation.state.value,
        "created_us": codec.to_us(evaluation.created_at),
        "record": json.dumps(record, separators=(",", ":")),
    }


def changed_by_saving(evaluation: Evaluation) -> dict[str, Any]:
    """Columns that change when a known evaluation is saved: the lease ends unless it still runs."""
    row = row_of(evaluation)
    if evaluation.state is State.RUNNING:
        return row
    return {**row, **(AFRESH if evaluation.state is State.QUEUED else NO_LEASE)}


@lru_cache(maxsize=512)
def evaluation_of(record: str, state: str) -> Evaluation:
    """The evaluation that the two columns hold. Raises StoreTrouble.

    Kept for the same ones are read again with each scrape and page, and decoding is most of what that costs.
    """
    return codec.load(Evaluation, record, state=state)


def selected() -> Select[Any]:
    """A query for the two columns that :func:`evaluation_of` takes."""
    return select(evaluations.c.record, evaluations.c.state)


def finished_at(*, is_sqlite: bool) -> ColumnElement[str]:
    """The moment in the record as text in UTC, which sorts as time does; NULL while it is open."""
    if is_sqlite:
        return func.json_extract(evaluations.c.record, "$.finished_at", type_=Text)
    moment: ColumnElement[str] = cast(evaluations.c.record, JSON)["finished_at"].as_string()
    return moment


def ref_of(connection: Connection, evaluation_id: str) -> int | None:
    """The row's number, or None."""
    query = select(evaluations.c.ref).where(evaluations.c.evaluation_id == evaluation_id)
    return connection.scalar(query)


def locked_ref(connection: Connection, evaluation_id: str) -> int:
    """The row's number; other writers to this evaluation wait until the transaction ends.

    Raises:
        StoreTrouble: no such evaluation was ever saved.
    """
    query = select(evaluations.c.ref).where(evaluations.c.evaluation_id == evaluation_id).with_for_update()
    ref: int | None = connection.scalar(query)
    if ref is None:
        raise StoreTrouble(
            f"Evaluation {evaluation_id} is not in the store.",
            next_step="Save the evaluation before recording what belongs to it.",
        )
    return ref
