"""What is watched: checkpoints, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.printable import escape_name, is_encodable, unescape_name


class Role(StrEnum):
    """What a checkpoint is to its model; a checkpoint may hold several."""

    BASELINE = "baseline"
    PROMOTED = "promoted"
    ANCHOR = "anchor"


class Review(StrEnum):
    """How the training data of a checkpoint was reviewed before training."""

    NONE = "none"
    HUMAN_GATE = "human-gate"
    SELF_GATE = "self-gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a checkpoint's weights came from, as its card states it."""

    parent: str | None
    """Name or digest of the checkpoint it was trained from; None for a first generation."""
    training_data: tuple[str, ...]
    """Sources of the training data, free text."""
    synthetic_share: float
    """Share of the training data that a model wrote, 0 to 1."""
    review: Review
    """How that data was reviewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One set of model weights, known by a content hash and never by its path or alias."""

    digest: str
    """sha256 over weights, config and tokenizer, hexadecimal."""
    name: str
    """What people call it, in printable form; a label for display, never an identity."""
    location: str
    """Folder that holds it, escaped like a name, or the URL of the endpoint that serves it."""
    revision: str = ""
    """The source's own version mark (a commit, an MLflow version); empty when it has none."""
    lineage: Lineage | None = None
    """From the checkpoint's card; None when it carries none."""

    def __post_init__(self) -> None:
        """Sources escape names; whatever comes past them, none is kept that no metric or page can encode."""
        for field, text in (("name", self.name), ("location", self.location)):
            if not is_encodable(text):
                object.__setattr__(self, field, escape_name(text))

    @property
    def path(self) -> str:
        """The folder that holds it, as the file system knows it."""
        return unescape_name(self.location)

    @property
    def short_digest(self) -> str:
        """First 12 hexadecimal digits, as labels and tables show it."""
        return self.digest[:12]


ADDRESS = "url"
"""The one setting of an engine that is kept for people to read and never compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineIdentity:
    """What answered: two samples are comparable only if these agree, the address apart."""

    kind: str
    """``vllm-managed`` or ``vllm-remote``."""
    version: str
    """The engine's own version."""
    settings: Mapping[str, str]
    """Settings that change the sampled text (dtype, context length, sampler)."""
    seed_stable: bool
    """Whether the same seed gave the same text twice, as measured; False when not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Something found where a checkpoint was expected, and why it cannot be evaluated."""

    name: str
    location: str
    problem: str
    """One sentence with the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What a source holds at one moment."""

    settled: tuple[Checkpoint, ...]
    """Complete checkpoints that have stopped changing, oldest first."""
    unsettled: tuple[str, ...]
    """Names of those still being written."""
    unusable: tuple[Unusable, ...]
    """Those that have stopped changing and are not checkpoints an engine could serve."""
    doubts: tuple[Unusable, ...] = ()
    """Settled ones that can be evaluated although something about them is wrong, such as the card."""
    unread: tuple[str, ...] = ()
    """Names of those that stopped changing and are too large to be read at one look; the next reads on."""
