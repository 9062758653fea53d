"""Colours of fields and values, as Grafana's light theme has them."""

from __future__ import annotations

from grafana.pictures.boards import Looks

NAMED = {
    "green": "#56a64b",
    "yellow": "#e0b400",
    "orange": "#ff780a",
    "red": "#e02f44",
    "blue": "#3274d9",
    "purple": "#a352cc",
    "text": "#24292e",
}
PALETTE = ("#56a64b", "#e0b400", "#3274d9", "#ff780a", "#e02f44", "#a352cc", "#37872d", "#8e8e8e")
"""Taken in turn by the fields that no override colours."""

INK, FAINT, GRID, PAPER, BORDER = "#24292e", "#6a7177", "#e7e9ea", "#ffffff", "#dcdfe1"


def shade(name: str) -> str:
    """The colour behind a name of Grafana's; any other text is a colour already."""
    return NAMED.get(name, name)


def of_field(looks: Looks, field: str, place: int) -> str:
    """An override's colour, or the palette's at a place."""
    override = looks.of(field, "color")
    if override and override.get("mode") == "fixed":
        return shade(override["fixedColor"])
    return PALETTE[place % len(PALETTE)]


def of_value(looks: Looks, value: float) -> str:
    """The colour of the highest threshold that a value reaches."""
    reached = [colour for begin, colour in looks.steps if begin is None or value >= begin]
    return shade(reached[-1]) if reached else INK
