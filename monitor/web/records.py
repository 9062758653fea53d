"""What is stored, as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from monitor.domain.errors import MonitorError
from monitor.domain.evaluation import Evaluation
from monitor.export.documents import Document, checkpoint_document, drift_document, evaluation_document
from monitor.export.pass_at_k import pass_at_k_document
from monitor.export.snapshot import last_decided, newest_evaluations, role_names
from monitor.ports import Store
from monitor.web.answers import Answers, Content, json_content

MOST_CHECKPOINTS = 500
"""Most checkpoints one answer lists."""

_UNREADABLE: dict[int | str, dict[str, Any]] = {503: {"description": "The store cannot be read; says why."}}


def record_routes(answers: Answers, store: Store, model: str) -> APIRouter:
    """``/api/checkpoints``, ``/api/checkpoints/{digest}`` and ``/api/evaluations/{id}``."""
    routes = APIRouter(prefix="/api")

    @routes.get("/checkpoints", responses=_UNREADABLE)
    async def checkpoints(
        request: Request, limit: Annotated[int, Query(ge=1, le=MOST_CHECKPOINTS)] = 50
    ) -> Response:
        """The newest checkpoints, newest first, each with its last decided evaluation."""

        def make() -> Content:
            try:
                return json_content({"data": _newest(store, model, limit)})
            except MonitorError as trouble:
                return _unavailable(trouble)

        return await answers.reply(request, ("checkpoints", limit), make)

    @routes.get(
        "/evaluations/{evaluation_id}",
        responses={404: {"description": "There is no such evaluation."}, **_UNREADABLE},
    )
    async def evaluation(request: Request, evaluation_id: str) -> Response:
        """One evaluation with its decision and the samples by stratum and outcome, and pass@k."""

        def make() -> Content:
            try:
                found = store.evaluation(evaluation_id)
                if found is None:
                    text = f"There is no evaluation {evaluation_id!r}."
                    return json_content({"error": text}, status=404)
                return json_content({"data": _with_samples(store, found)})
            except MonitorError as trouble:
                return _unavailable(trouble)

        return await answers.reply(request, ("evaluation", evaluation_id), make)

    return routes


def _newest(store: Store, model: str, limit: int) -> list[Document]:
    roles = store.roles(model)
    documents = []
    for checkpoint in reversed(store.checkpoints(model)[-limit:]):
        last = last_decided(newest_evaluations(store, model, checkpoint))
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


def _unavailable(trouble: MonitorError) -> Content:
    return json_content({"error": str(trouble)}, status=503)
