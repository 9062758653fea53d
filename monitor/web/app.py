"""The web application: metrics, health, the gate, an API and pages to read.

There is no authentication here: it listens on loopback unless told otherwise, and a proxy that
authenticates belongs in front of it where others may reach it (docs/gate.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from monitor.domain.evidence import Decision
from monitor.export.health import Health
from monitor.ports import Store
from monitor.verdicts.bank_health import StratumHealth
from monitor.web.gate import gate_routes
from monitor.web.observability import observability_routes
from monitor.web.pages import page_routes
from monitor.web.records import record_routes
from monitor.web.reports import report_routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the answers come from."""

    store: Store
    model: str
    decision_for: Callable[[str], Decision]
    """The gate's answer by digest or name; HOLD for what it does not know."""
    health: Callable[[], Health]
    registry: CollectorRegistry
    now: Callable[[], datetime]
    """UTC."""
    reports: Path | None = None
    """Folder of the HTML pages about what drifted; None where none are kept."""
    bank: Callable[[], Sequence[StratumHealth]] = tuple
    """What the baseline's bank is worth, a stratum at a time."""


def create_app(sources: Sources) -> FastAPI:
    """The application over its sources; it keeps nothing itself."""
    app = FastAPI(title="Tailwatch", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.include_router(observability_routes(sources.registry, sources.health, sources.now))
    app.include_router(gate_routes(sources.decision_for))
    app.include_router(record_routes(sources.store, sources.model))
    if sources.reports is not None:
        app.include_router(report_routes(sources.reports))
    app.include_router(page_routes(sources.store, sources.model, sources.decision_for, sources.bank))
    return app
