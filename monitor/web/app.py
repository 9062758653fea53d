"""The web application: metrics, health, the gate, an API and pages to read.

There is no authentication here: it listens on loopback unless told otherwise, and a proxy that
authenticates belongs in front of it where others may reach it (docs/gate.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from monitor.domain.evidence import Decision
from monitor.export.health import Health
from monitor.ports import Store
from monitor.verdicts.bank_health import StratumHealth
from monitor.web.admission import ANY, HeadAsGet, HostCheck
from monitor.web.answers import Answers
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
    report_of: Callable[[str], Path | None] | None = None
    """The file of the HTML page about what drifted in an evaluation; None where no pages are wanted."""
    bank: Callable[[], Sequence[StratumHealth]] = tuple
    """What the baseline's bank is worth, a stratum at a time."""
    hosts: tuple[str, ...] = (ANY,)
    """Hosts that may be asked for."""
    clock: Callable[[], float] = monotonic
    """Seconds that only go forward, by which answers age."""


def create_app(sources: Sources) -> FastAPI:
    """The application over its sources; what it keeps is given only while it is true."""
    app = FastAPI(title="Tailwatch", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    answers = Answers(sources.store.revision, sources.clock)
    app.include_router(observability_routes(answers, sources.registry, sources.health, sources.now))
    app.include_router(gate_routes(answers, sources.decision_for))
    app.include_router(record_routes(answers, sources.store, sources.model))
    if sources.report_of is not None:
        app.include_router(report_routes(sources.report_of))
    app.include_router(page_routes(answers, sources.store, sources.model, sources.decision_for, sources.bank))
    app.add_middleware(HeadAsGet)
    app.add_middleware(HostCheck, hosts=sources.hosts)
    return app
