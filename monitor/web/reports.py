"""Evidently's pages about what drifted, made when they are first asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, PlainTextResponse

from monitor.domain.errors import MonitorError

HEADERS = {
    # The page runs scripts that it brings along: it may reach nothing else, least of all this server.
    "content-security-policy": "sandbox allow-scripts; default-src 'unsafe-inline' 'unsafe-eval' data: blob:",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def report_routes(page_of: Callable[[str], Path | None]) -> APIRouter:
    """``/drift/{evaluation_id}``.

    Args:
        page_of: the file about an evaluation, which may take seconds to write; None where there is none.
    """
    routes = APIRouter(include_in_schema=False)
    # A page takes seconds of a core: one at a time, however often it is asked for.
    writing = asyncio.Lock()

    @routes.get("/drift/{evaluation_id}")
    async def report(evaluation_id: str) -> Response:
        """The page about an evaluation."""
        path = None
        if re.fullmatch(r"[0-9a-f]{32}", evaluation_id) is not None:
            try:
                async with writing:
                    path = await asyncio.to_thread(page_of, evaluation_id)
            except MonitorError as trouble:
                return PlainTextResponse(str(trouble), status_code=503)
        if path is None:
            return PlainTextResponse("There is no page about that evaluation.", status_code=404)
        return FileResponse(path, media_type="text/html", headers=HEADERS)

    return routes
