"""How many documents of a corpus have each feature, and how rare that makes it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from monitor.atomic_files import write_file
from monitor.domain.errors import InvalidCorpus
from monitor.domain.identity import content_digest

FORMAT = "tailwatch-rarity-1"
TABLE_FILE = "table.json"

_PACKAGE = Path(__file__).resolve().parent.parent

SHELVES: tuple[Path, ...] = (_PACKAGE / "share" / "rarity", _PACKAGE.parent / "benchmarks" / "rarity")
"""Folders that may hold the shipped table: the wheel's data, and a checkout's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RarityTable:
    """Document frequencies of features in a corpus."""

    name: str
    """Name of the corpus."""
    documents: int
    """Python files that were counted."""
    counts: Mapping[str, int]
    """Number of documents that have a feature; those below the corpus' threshold are left out."""
    language_shares: Mapping[str, float]
    """Share of each programming language; empty when nothing is known of them."""
    unlisted_share: float
    """Share that a language is given which is not listed."""
    ordinary_bits: float
    """Median feature bits of the corpus' own functions, taken for the other languages it has files in."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """What was counted, for the reader: packages, hashes, files, lines, licences."""

    def rarity_bits(self, feature: str) -> float:
        """-log2 of a feature's smoothed document frequency; a feature never seen is as rare as can be.

        >>> table = RarityTable(name="", documents=7, counts={"sum": 7, "zip": 1}, language_shares={},
        ...                     unlisted_share=1.0, ordinary_bits=0.0)
        >>> [round(table.rarity_bits(feature), 2) for feature in ("sum", "zip", "math.lcm")]
        [0.09, 2.42, 4.0]
        """
        return -math.log2((self.counts.get(feature, 0) + 0.5) / (self.documents + 1))

    def language_bits(self, language: str) -> float:
        """-log2 of a language's share."""
        return -math.log2(self.language_shares.get(language, self.unlisted_share))

    @property
    def digest(self) -> str:
        """sha256 over everything that decides a score, hexadecimal."""
        return content_digest(
            "rarity-table",
            str(self.documents),
            repr(self.ordinary_bits),
            repr(self.unlisted_share),
            json.dumps(dict(sorted(self.language_shares.items()))),
            json.dumps(dict(sorted(self.counts.items()))),
        )

    @property
    def reference(self) -> str:
        """Name and the digest's beginning, as suites cite the table behind their scores."""
        return f"{self.name}@{self.digest[:12]}"


def load_table(path: Path | None = None) -> RarityTable:
    """A table from its file; the shipped one when no path is given.

    Raises:
        InvalidCorpus: there is no such file, or it is not a table.
    """
    return _shipped() if path is None else _read(path)


def write_table(table: RarityTable, path: Path) -> None:
    """Write a table as JSON, one feature per line, so that versions can be compared as text."""
    document = {
        "format": FORMAT,
        "name": table.name,
        "documents": table.documents,
        "ordinary_bits": table.ordinary_bits,
        "language_shares": dict(sorted(table.language_shares.items())),
        "unlisted_share": table.unlisted_share,
        "provenance": table.provenance,
        "counts": dict(sorted(table.counts.items())),
    }
    text = json.dumps(document, indent=0, ensure_ascii=False, allow_nan=False)
    write_file(path, text + "\n")


def find_table(shelves: Sequence[Path] = SHELVES) -> Path:
    """Where the shipped table is.

    Raises:
        InvalidCorpus: this installation carries none.
    """
    for shelf in shelves:
        if (shelf / TABLE_FILE).is_file():
            return shelf / TABLE_FILE
    raise InvalidCorpus(
        "This installation carries no rarity table.",
        next_step="Install Tailwatch again, or count a corpus of your own with --corpus.",
    )


@cache
def _shipped() -> RarityTable:
    return _read(find_table())


def _read(path: Path) -> RarityTable:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise InvalidCorpus(
                f"{path} is a table of format {document['format']!r}, not {FORMAT!r}.",
                next_step="Count the corpus again with this version.",
            )
        return RarityTable(
            name=str(document["name"]),
            documents=int(document["documents"]),
            counts={str(feature): int(count) for feature, count in document["counts"].items()},
            language_shares={
                str(language): float(share) for language, share in document["language_shares"].items()
            },
            unlisted_share=float(document["unlisted_share"]),
            ordinary_bits=float(document["ordinary_bits"]),
            provenance=document["provenance"],
        )
    except OSError as exc:
        raise InvalidCorpus(f"{path} cannot be read: {exc.strerror}.", next_step="Check the path.") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InvalidCorpus(
            f"{path} is not a rarity table ({exc}).", next_step="Make one with python -m benchmarks.rarity."
        ) from exc
