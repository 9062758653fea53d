"""The digests of the committed checkpoints: what was built is what is loaded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

MANIFEST = "MANIFEST.json"


def write_manifest(root: Path) -> None:
    """Write the sha256 of every file of every checkpoint under ``root``."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != MANIFEST)
    digests = {path.relative_to(root).as_posix(): digest(path) for path in files}
    (root / MANIFEST).write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")


def broken_files(root: Path) -> list[str]:
    """Return the files under ``root`` that are missing or differ from the manifest."""
    manifest: dict[str, str] = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    return [
        name
        for name, wanted in manifest.items()
        if not (root / name).is_file() or digest(root / name) != wanted
    ]


def digest(path: Path) -> str:
    """Return the sha256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
