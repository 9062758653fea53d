"""Consoles on which no escape sequence, markup or emoji code in a text takes effect."""

from __future__ import annotations

import os

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from monitor.domain.printable import printable_lines

_LOG_COLUMNS = 160
"""Where no terminal tells its width, as in the log of a pipeline: commands to copy stay on one line."""


def open_console(*, stderr: bool = False) -> Console:
    """A console of a standard stream."""
    console = Console(stderr=stderr, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _LOG_COLUMNS
    console.push_render_hook(_SpellingOut())
    return console


class _SpellingOut(RenderHook):
    """Wraps whatever is printed."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(each) for each in renderables]


class _Shown:
    """What is printed, with control characters of its texts spelled out; the console's own codes stay."""

    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable_lines(segment.text), segment.style)
