"""HTML and SVG built from elements, escaped by construction: names of checkpoints are foreign text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from monitor.domain.printable import encodable


class Markup(str):
    """Text that is markup already; every other string is escaped when it becomes part of an element."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float) -> Markup:
    """One element; attribute names lose a trailing underscore, and inner ones become hyphens.

    >>> element("td", "a < b", class_="wide")
    '<td class="wide">a &lt; b</td>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(str(value))}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Several pieces as one."""
    return Markup("".join(child if isinstance(child, Markup) else _escaped(child) for child in children))


def _escaped(text: str) -> str:
    return escape(encodable(text), quote=True)


def table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Markup:
    """A table with a heading row."""
    head = element("tr", *(element("th", heading, scope="col") for heading in headings))
    body = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    return element("table", element("thead", head), element("tbody", *body))


def link(text: str, target: str) -> Markup:
    """An anchor."""
    return element("a", text, href=target)


def document(title: str, *body: str) -> Markup:
    """A whole page with its style sheet; it loads nothing from elsewhere and runs no script."""
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        Markup('<link rel="stylesheet" href="/style.css">'),
    )
    return join(Markup("<!doctype html>"), element("html", head, element("body", *body), lang="en"))
