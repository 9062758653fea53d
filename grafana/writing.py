"""From builders to the committed JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.checkpoint import checkpoint_board
from grafana.fleet import fleet_board
from grafana.model import model_board

FOLDER = Path(__file__).parent / "boards"

BOARDS: dict[str, Callable[[], Dashboard]] = {
    "tailwatch-fleet": fleet_board,
    "tailwatch-model": model_board,
    "tailwatch-checkpoint": checkpoint_board,
}
"""By file name, which is also the board's uid."""


def rendered(name: str) -> str:
    """A board's JSON, in the form that is committed."""
    return JSONEncoder(sort_keys=True, indent=2).encode(BOARDS[name]().build()) + "\n"


def write_boards() -> None:
    """Write every board."""
    FOLDER.mkdir(exist_ok=True)
    for name in BOARDS:
        (FOLDER / f"{name}.json").write_text(rendered(name), encoding="utf-8")


def outdated() -> list[str]:
    """Names of boards whose file is missing or not what the code makes."""
    return [
        name
        for name in BOARDS
        if not (file := FOLDER / f"{name}.json").exists()
        or file.read_text(encoding="utf-8") != rendered(name)
    ]
