"""What is stored, as JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from monitor.domain.errors import MonitorError
from monitor.domain.evaluation import Evaluation
from monitor.export.documents import Document, checkpoint_document, drift_document, evaluation_document
from monitor.export.pass_at_k import pass_at_k_document
from monitor.export.snapshot import last_decided, role_names
from monitor.ports import Store

MOST_CHECKPOINTS = 500
"""Most checkpoints one answer lists."""


def record_routes(store: Store, model: str) -> APIRouter:
    """``/api/checkpoints``, ``/api/checkpoints/{digest}`` and ``/api/evaluations/{id}``."""
    routes = APIRouter(prefix="/api")

    @routes.get("/checkpoints")
    def checkpoints(limit: Annotated[int, Query(ge=1, le=MOST_CHECKPOINTS)] = 50) -> JSONResponse:
        """The newest checkpoints, newest first, each with its last decided evaluation."""
        try:
            return JSONResponse({"data": _newest(store, model, limit)})
        except MonitorError as trouble:
            return _unavailable(trouble)

    @routes.get("/evaluations/{evaluation_id}")
    def evaluation(evaluation_id: str) -> JSONResponse:
        """One evaluation with its decision and the samples by stratum and outcome, and pass@k."""
        try:
            found = store.evaluation(evaluation_id)
            if found is None:
                return JSONResponse({"error": f"There is no evaluation {evaluation_id!r}."}, status_code=404)
            return JSONResponse({"data": _with_samples(store, found)})
        except MonitorError as trouble:
            return _unavailable(trouble)

    return routes


def _newest(store: Store, model: str, limit: int) -> list[Document]:
    roles = store.roles(model)
    documents = []
    for checkpoint in reversed(store.checkpoints(model)[-limit:]):
        last = last_decided(store.evaluations(model, checkpoint=checkpoint.digest))
        document = checkpoint_document(checkpoint)
        document["roles"] = list(role_names(roles, checkpoint.digest))
        document["last_evaluation"] = None if last is None else evaluation_document(last)
        documents.append(document)
    return documents


def _with_samples(store: Store, evaluation: Evaluation) -> Document:
    counts: dict[str, dict[str, int]] = {}
    for (stratum, outcome), count in store.tallies(evaluation.key.evaluation_id).items():
        counts.setdefault(stratum.value, {})[outcome.value] = count
    drift = store.drift(evaluation.key.evaluation_id)
    return evaluation_document(evaluation) | {
        "samples": counts,
        "pass_at_k": pass_at_k_document(store.task_tallies(evaluation.key.evaluation_id)),
        "drift": None if drift is None else drift_document(drift),
    }


def _unavailable(trouble: MonitorError) -> JSONResponse:
    return JSONResponse({"error": str(trouble)}, status_code=503)
