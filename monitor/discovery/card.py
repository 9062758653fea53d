"""A checkpoint's card: ``tailwatch.yaml`` in its folder says where the weights came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.domain.checkpoint import Lineage, Review

MAX_CARD_BYTES = 256 * 2**10


class CardError(ValueError):
    """The card cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a card states."""

    lineage: Lineage
    sha256: Mapping[str, str]
    """Hashes of the files it describes, by name; empty when it does not say."""


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    parent: str | None = None
    training_data: list[str] = []
    synthetic_share: float = Field(ge=0, le=1)
    review: Review
    command: str = ""
    """What made the checkpoint; for people."""
    seed: int | None = None
    """Likewise."""
    sha256: dict[str, str] = {}


def read_card(path: Path) -> Card:
    """The card in a file.

    Raises:
        CardError: it cannot be read, is not YAML, or a field is missing, unknown or wrong.
    """
    try:
        card = _Card.model_validate(_load(path))
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise CardError(f"{path.name}, field {field or 'all'}: {problem['msg']}") from exc
    lineage = Lineage(
        parent=card.parent,
        training_data=tuple(card.training_data),
        synthetic_share=card.synthetic_share,
        review=card.review,
    )
    return Card(lineage=lineage, sha256=card.sha256)


def _load(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CARD_BYTES + 1)
    except OSError as exc:
        raise CardError(f"{path.name} cannot be read: {exc.strerror}") from exc
    if len(content) > MAX_CARD_BYTES:
        raise CardError(f"{path.name} is larger than {MAX_CARD_BYTES} bytes")
    try:
        return yaml.load(content, Loader=yaml.CSafeLoader)  # It is the safe loader, in C.
    except (yaml.YAMLError, RecursionError) as exc:
        raise CardError(f"{path.name} is not YAML: {' '.join(str(exc).split())}") from exc
