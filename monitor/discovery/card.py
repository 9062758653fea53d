"""A checkpoint's card says where the weights came from: ``tailwatch.yaml``, or a key of its model card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.domain.checkpoint import Lineage, Review
from monitor.domain.printable import printable
from monitor.weights.files import read_start

MAX_CARD_BYTES = 256 * 2**10
KEY = "tailwatch"
"""In a model card's front matter; its value has the fields of the card."""

_FRONT_MATTER = re.compile(rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_OUR_KEY = re.compile(rb"^tailwatch[ \t]*:", re.MULTILINE)


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
    content = _bytes(path)
    if len(content) > MAX_CARD_BYTES:
        raise CardError(f"{path.name} is larger than {MAX_CARD_BYTES} bytes")
    return _card(path, _yaml(path, content))


def read_model_card(path: Path) -> Card | None:
    """What a model card states under ``tailwatch`` in its front matter; None when there is no such key.

    Raises:
        CardError: it cannot be read, the front matter is not YAML, or a field is missing, unknown or wrong.
    """
    found = _FRONT_MATTER.match(_bytes(path))
    if found is None or _OUR_KEY.search(found.group(1)) is None:
        return None
    front = _yaml(path, found.group(1))
    return _card(path, front[KEY]) if isinstance(front, dict) and KEY in front else None


def _card(path: Path, fields: Any) -> Card:
    try:
        card = _Card.model_validate(fields)
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise CardError(f"{path.name}, field {field or 'all'}: {problem['msg']}") from exc
    lineage = Lineage(
        parent=None if card.parent is None else printable(card.parent),
        training_data=tuple(printable(source) for source in card.training_data),
        synthetic_share=card.synthetic_share,
        review=card.review,
    )
    return Card(lineage=lineage, sha256=card.sha256)


def _bytes(path: Path) -> bytes:
    """The beginning of a file, one byte more than a card may have."""
    try:
        return read_start(path, MAX_CARD_BYTES + 1)
    except OSError as exc:
        raise CardError(f"{path.name} cannot be read: {exc.strerror}") from exc


def _yaml(path: Path, content: bytes) -> Any:
    try:
        return yaml.load(content, Loader=yaml.CSafeLoader)  # It is the safe loader, in C.
    except (yaml.YAMLError, RecursionError) as exc:
        raise CardError(f"{path.name} is not YAML: {' '.join(str(exc).split())}") from exc
