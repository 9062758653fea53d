"""Elements of SVG as text: everything that comes from outside is escaped here."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from grafana.pictures.colours import INK

GLYPH = 0.58
"""Width of a glyph as a share of the font's size; a little more than the mean of sans-serif letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle, in pixels."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.h


def element(name: str, *inside: str, **attributes: str | float) -> str:
    """An element with its attributes; underscores become hyphens."""
    told = "".join(f' {key.replace("_", "-")}="{_plain(value)}"' for key, value in attributes.items())
    return f"<{name}{told}>{''.join(inside)}</{name}>"


def text(words: str, x: float, y: float, *, size: float = 12, ink: str = INK, anchor: str = "start") -> str:
    """Words with their baseline at a point."""
    return element("text", escape(words), x=x, y=y, font_size=size, fill=ink, text_anchor=anchor)


def rectangle(box: Box, fill: str, **attributes: str | float) -> str:
    """A filled rectangle."""
    return element(
        "rect", x=box.x, y=box.y, width=max(box.w, 0), height=max(box.h, 0), fill=fill, **attributes
    )


def line(begin: tuple[float, float], end: tuple[float, float], ink: str, **attributes: str | float) -> str:
    """A straight line."""
    return element("line", x1=begin[0], y1=begin[1], x2=end[0], y2=end[1], stroke=ink, **attributes)


def width(words: str, size: float) -> float:
    """About how wide words are."""
    return len(words) * size * GLYPH


def shortened(words: str, room: float, size: float) -> str:
    """Words that fit, cut with an ellipsis where they would not."""
    if width(words, size) <= room:
        return words
    return words[: max(1, int(room / (size * GLYPH)) - 1)] + "…"


def _plain(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
