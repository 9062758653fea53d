"""Pages to read: all checkpoints, and everything about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from monitor.domain.checkpoint import Checkpoint, Role
from monitor.domain.drift import DriftReading
from monitor.domain.errors import MonitorError
from monitor.domain.evaluation import Evaluation
from monitor.domain.evidence import Decision, Evidence, Finding
from monitor.domain.tasks import Stratum
from monitor.export.pass_at_k import pass_at_k_by_stratum
from monitor.export.snapshot import last_decided, newest_evaluations, role_names
from monitor.ports import Store
from monitor.stats.passk import PassAtK
from monitor.verdicts.bank_health import StratumHealth
from monitor.web.answers import Answers, Content
from monitor.web.bank import bank_problems
from monitor.web.checkpoint_page import CheckpointView, checkpoint_page
from monitor.web.figures import badge, interval, moment
from monitor.web.markup import Markup, document, element, join, link, table
from monitor.web.outputs import Generation

MOST_ROWS = 100
"""Most checkpoints the first page lists."""

MOST_GENERATIONS = 12
"""Checkpoints that are shown beside one, the newest."""

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def page_routes(
    answers: Answers,
    store: Store,
    model: str,
    decision_for: Callable[[str], Decision],
    bank: Callable[[], Sequence[StratumHealth]] = tuple,
) -> APIRouter:
    """``/``, ``/checkpoints/{digest}`` and their style sheet."""
    routes = APIRouter(include_in_schema=False)
    style = files("monitor.web").joinpath("style.css").read_text(encoding="utf-8")

    @routes.get("/")
    async def overview(request: Request) -> Response:
        """All checkpoints, newest first."""

        def make() -> Content:
            try:
                return _page(_overview(store, model, decision_for, bank()))
            except MonitorError as trouble:
                return _page(_trouble(trouble), status=503)

        return await answers.reply(request, "overview", make)

    @routes.get("/checkpoints/{digest}")
    async def checkpoint(request: Request, digest: str) -> Response:
        """Everything about one checkpoint, by its digest or the first 12 digits."""

        def make() -> Content:
            try:
                view = _view(store, model, decision_for, digest)
                health = bank() if view is not None and Role.BASELINE in view.roles else ()
            except MonitorError as trouble:
                return _page(_trouble(trouble), status=503)
            if view is None:
                return _page(_unknown(digest), status=404)
            return _page(checkpoint_page(model, view, health))

        return await answers.reply(request, ("checkpoint", digest), make)

    @routes.get("/style.css")
    async def style_sheet() -> Response:
        """The style of all pages."""
        return Response(style, media_type="text/css", headers={"cache-control": "max-age=3600"})

    return routes


def _page(body: str, *, status: int = 200) -> Content:
    return Content(
        body=body.encode(), media_type="text/html; charset=utf-8", status=status, headers=SECURITY_HEADERS
    )


def _overview(
    store: Store, model: str, decision_for: Callable[[str], Decision], bank: Sequence[StratumHealth]
) -> Markup:
    roles = store.roles(model)
    rows = []
    for checkpoint in reversed(store.checkpoints(model)[-MOST_ROWS:]):
        evaluation = last_decided(newest_evaluations(store, model, checkpoint))
        names = ", ".join(role_names(roles, checkpoint.digest))
        rows.append(_row(checkpoint, names, decision_for(checkpoint.digest), evaluation))
    queue = ", ".join(f"{count} {state}" for state, count in sorted(store.depth(model).items()))
    headings = ("checkpoint", "role", "decision", "why", "tail, difference", "decided")
    return document(
        f"Tailwatch: {model}",
        element("h1", f"Checkpoints of {model}"),
        element("p", "Evaluations: ", queue or "none yet", ".", class_="soft"),
        bank_problems(bank),
        table(headings, rows) if rows else element("p", "No checkpoint has been seen yet."),
        element("p", link("metrics", "/metrics"), " · ", link("health", "/health"), class_="soft"),
    )


def _row(
    checkpoint: Checkpoint, roles: str, decision: Decision, evaluation: Evaluation | None
) -> tuple[str, ...]:
    tail = _evidence(evaluation, Stratum.TAIL)
    return (
        join(
            link(checkpoint.name, f"/checkpoints/{checkpoint.digest}"),
            Markup("<br>"),
            element("code", checkpoint.short_digest, class_="soft"),
        ),
        roles,
        badge(decision.kind),
        decision.reasons[0].text if decision.reasons else "",
        "" if tail is None else interval(tail.delta, tail.delta_low, tail.delta_high, signed=True),
        "" if evaluation is None else moment(evaluation.finished_at),
    )


def _evidence(evaluation: Evaluation | None, stratum: Stratum) -> Evidence | None:
    findings: tuple[Finding, ...] = ()
    if evaluation is not None and evaluation.decision is not None:
        findings = evaluation.decision.findings
    return next((each.evidence for each in findings if each.evidence.stratum is stratum), None)


def _view(
    store: Store, model: str, decision_for: Callable[[str], Decision], digest: str
) -> CheckpointView | None:
    for checkpoint in store.checkpoints(model):
        if digest in {checkpoint.digest, checkpoint.short_digest}:
            evaluations = newest_evaluations(store, model, checkpoint)
            last = last_decided(evaluations)
            return CheckpointView(
                checkpoint=checkpoint,
                roles=role_names(store.roles(model), checkpoint.digest),
                decision=decision_for(checkpoint.digest),
                last=last,
                evaluations=evaluations,
                tallies={} if last is None else store.tallies(last.key.evaluation_id),
                passing=_passing(store, last),
                drift=_drift(store, last),
                generations=_generations(store, model),
            )
    return None


def _generations(store: Store, model: str) -> tuple[Generation, ...]:
    return tuple(
        Generation(
            checkpoint=checkpoint,
            drift=_drift(store, last_decided(newest_evaluations(store, model, checkpoint))),
        )
        for checkpoint in store.checkpoints(model)[-MOST_GENERATIONS:]
    )


def _passing(store: Store, evaluation: Evaluation | None) -> Mapping[Stratum, tuple[PassAtK, ...]]:
    if evaluation is None:
        return {}
    return pass_at_k_by_stratum(store.task_tallies(evaluation.key.evaluation_id))


def _drift(store: Store, evaluation: Evaluation | None) -> DriftReading | None:
    return None if evaluation is None else store.drift(evaluation.key.evaluation_id)


def _trouble(trouble: MonitorError) -> Markup:
    return document("Tailwatch", element("h1", "The store cannot be read"), element("p", str(trouble)))


def _unknown(digest: str) -> Markup:
    return document(
        "Tailwatch",
        element("h1", "Unknown checkpoint"),
        element("p", "No checkpoint has the digest ", element("code", digest), "."),
        element("p", link("All checkpoints", "/")),
    )
