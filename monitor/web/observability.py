"""What operators and their machines ask first: metrics and health."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry

from monitor.export.exposition import expose
from monitor.export.health import Health


def observability_routes(
    registry: CollectorRegistry, health: Callable[[], Health], now: Callable[[], datetime]
) -> APIRouter:
    """``/metrics``, ``/health`` (ready or 503) and ``/health/live``."""
    routes = APIRouter()

    @routes.get("/metrics")
    def metrics(request: Request) -> Response:
        """The exposition, in the format the ``Accept`` header asks for."""
        exposition = expose(registry, request.headers.get("accept", ""))
        return Response(exposition.body, headers={"content-type": exposition.content_type})

    @routes.get("/health")
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
