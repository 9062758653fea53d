"""What operators and their machines ask first: metrics and health."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from monitor.export.exposition import expose
from monitor.export.health import Health
from monitor.web.answers import Answers, Content


def observability_routes(
    answers: Answers,
    registry: CollectorRegistry,
    health: Callable[[], Health],
    now: Callable[[], datetime],
) -> APIRouter:
    """``/metrics``, ``/health`` (ready or 503) and ``/health/live``."""
    routes = APIRouter()

    @routes.get("/metrics")
    async def metrics(request: Request) -> Response:
        """The exposition, in the format the ``Accept`` header asks for."""
        accept = request.headers.get("accept", "")

        def make() -> Content:
            exposition = expose(registry, accept)
            return Content(body=exposition.body, media_type=exposition.content_type)

        return await answers.reply(request, ("metrics", choose_encoder(accept)[1]), make)

    @routes.get("/health", responses={503: {"description": "Some part is not ready; says which and why."}})
    def readiness() -> JSONResponse:
        """Whether an evaluation that arrives now could be done, part by part, as far as is known."""
        state = health()
        return JSONResponse(_health_document(state, now()), status_code=200 if state.ready else 503)

    @routes.get("/health/live")
    async def liveness() -> dict[str, bool]:
        """Answers as long as the process does; a restart mends what this does not."""
        return {"live": True}

    return routes


def _health_document(health: Health, now: datetime) -> dict[str, object]:
    last = health.last_success_at
    return {
        "live": True,
        "ready": health.ready,
        "parts": {part.name: {"ok": part.ok, "detail": part.detail} for part in health.parts},
        "last_success_at": None if last is None else last.isoformat(),
        "last_success_age_s": None if last is None else (now - last).total_seconds(),
    }
