"""The gate over HTTP, in the two ways rollout controllers want to be answered."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from monitor.domain.errors import MonitorError
from monitor.domain.evidence import Decision, DecisionKind, Reason, ReasonCode
from monitor.export.documents import gate_document
from monitor.web.answers import VERDICT_LASTS_S, Answers, Content, json_content

logger = logging.getLogger(__name__)

HALT = 409
"""Status that stops a Flagger rollout; any but 2xx does."""


def gate_routes(answers: Answers, decision_for: Callable[[str], Decision]) -> APIRouter:
    """``GET /gate/{checkpoint}`` and ``POST /gate/{checkpoint}/flagger``."""
    routes = APIRouter()

    @routes.post(
        "/gate/{checkpoint:path}/flagger",
        responses={HALT: {"description": "REJECT or HOLD: the rollout is halted."}},
    )
    async def flagger(request: Request, checkpoint: str) -> Response:
        """2xx advances the rollout and anything else halts it: only PROMOTE is 2xx."""

        def make() -> Content:
            decision = _decide(decision_for, checkpoint)
            status = 200 if decision.kind is DecisionKind.PROMOTE else HALT
            return json_content({"data": gate_document(decision)}, status=status)

        return await answers.reply(request, ("flagger", checkpoint), make, lasts_s=VERDICT_LASTS_S)

    @routes.get("/gate/{checkpoint:path}")
    async def gate(request: Request, checkpoint: str) -> Response:
        """Always 2xx: Argo Rollouts counts another status as an error of the measurement."""

        def make() -> Content:
            return json_content({"data": gate_document(_decide(decision_for, checkpoint))})

        return await answers.reply(request, ("gate", checkpoint), make, lasts_s=VERDICT_LASTS_S)

    return routes


def _decide(decision_for: Callable[[str], Decision], checkpoint: str) -> Decision:
    """The gate's answer; HOLD when it cannot be had, since an unread store proves nothing."""
    try:
        return decision_for(checkpoint)
    except MonitorError as trouble:
        text = f"The gate could not be asked: {trouble}"
    except Exception as exc:
        # Whatever is wrong here, a controller must be told to wait and not that its measurement failed.
        logger.exception("the gate met an error that was not expected")
        text = f"The gate met an error that was not expected: {type(exc).__name__}. The log has the details."
    return Decision(kind=DecisionKind.HOLD, reasons=(Reason(code=ReasonCode.EVALUATION_MISSING, text=text),))
