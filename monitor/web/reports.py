"""Evidently's pages about what drifted, as files that an evaluation left."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, PlainTextResponse

HEADERS = {
    # The page runs scripts that it brings along: it may reach nothing else, least of all this server.
    "content-security-policy": "sandbox allow-scripts; default-src 'unsafe-inline' 'unsafe-eval' data: blob:",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def report_routes(folder: Path) -> APIRouter:
    """``/drift/{evaluation_id}``."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/drift/{evaluation_id}")
    def report(evaluation_id: str) -> Response:
        """The page that was kept about an evaluation."""
        path = folder / f"{evaluation_id}.html"
        if re.fullmatch(r"[0-9a-f]{32}", evaluation_id) is None or not path.is_file():
            return PlainTextResponse("No page was kept about that evaluation.", status_code=404)
        return FileResponse(path, media_type="text/html", headers=HEADERS)

    return routes
