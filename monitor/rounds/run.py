"""Which evaluation is being worked on, for whoever logs something meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from monitor.domain.evaluation import Evaluation

current_run: ContextVar[str] = ContextVar("current_run", default="")
"""Id of the evaluation that this task works on; empty while it works on none."""


@contextmanager
def running(evaluation: Evaluation) -> Iterator[None]:
    """Name the evaluation in what is logged inside, tasks and threads that begin there included."""
    token = current_run.set(evaluation.key.evaluation_id)
    try:
        yield
    finally:
        current_run.reset(token)


def log_fields(evaluation: Evaluation) -> dict[str, object]:
    """What a log line says of an evaluation."""
    return {
        "run": evaluation.key.evaluation_id,
        "checkpoint": evaluation.checkpoint.name,
        "digest": evaluation.checkpoint.short_digest,
        "purpose": evaluation.key.purpose.value,
    }
