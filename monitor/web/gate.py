"""The gate over HTTP, in the two ways rollout controllers want to be answered."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from monitor.domain.errors import MonitorError
from monitor.domain.evidence import Decision, DecisionKind, Reason, ReasonCode
from monitor.export.documents import gate_document

HALT = 409
"""Status that stops a Flagger rollout; any but 2xx does."""


def gate_routes(decision_for: Callable[[str], Decision]) -> APIRouter:
    """``GET /gate/{checkpoint}`` and ``POST /gate/{checkpoint}/flagger``."""
    routes = APIRouter()

    @routes.post("/gate/{checkpoint:path}/flagger")
    def flagger(checkpoint: str) -> JSONResponse:
        """2xx advances the rollout and anything else halts it: only PROMOTE is 2xx."""
        decision = _decide(decision_for, checkpoint)
        promote = decision.kind is DecisionKind.PROMOTE
        return JSONResponse({"data": gate_document(decision)}, status_code=200 if promote else HALT)

    @routes.get("/gate/{checkpoint:path}")
    def gate(checkpoint: str) -> JSONResponse:
        """Always 2xx: Argo Rollouts counts another status as an error of the measurement."""
        return JSONResponse({"data": gate_document(_decide(decision_for, checkpoint))})

    return routes


def _decide(decision_for: Callable[[str], Decision], checkpoint: str) -> Decision:
    """The gate's answer; HOLD when it cannot be had, since an unread store proves nothing."""
    try:
        return decision_for(checkpoint)
    except MonitorError as trouble:
        text = f"The gate could not be asked: {trouble}"
        return Decision(
            kind=DecisionKind.HOLD, reasons=(Reason(code=ReasonCode.EVALUATION_MISSING, text=text),)
        )
