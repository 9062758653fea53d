"""Writing a registry in the format the scraper asks for."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposition:
    """One answer to a scrape."""

    body: bytes
    content_type: str


def expose(registry: CollectorRegistry, accept: str) -> Exposition:
    """OpenMetrics when the ``Accept`` header names it, the text format otherwise."""
    encode, content_type = choose_encoder(accept)
    return Exposition(body=encode(registry), content_type=content_type)
