"""Reading the project's Markdown: its links, its headings, the commands it shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

_FENCE = re.compile(r"^(```+|~~~+)\s*([\w-]*)[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_IMAGE_TAG = re.compile(r"<(?:img|source|a)\b[^>]*?\b(?:src|srcset|href)=\"([^\"]+)\"")
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_SHELLS = frozenset({"", "sh", "bash", "console", "shell"})
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A command line that a document shows."""

    document: Path
    words: tuple[str, ...]


def documents() -> list[Path]:
    """Every Markdown file that belongs to the repository."""
    folders = [ROOT / name for name in ("docs", "benchmarks", "deploy", "grafana", ".github")]
    nested = [path for folder in folders if folder.exists() for path in folder.rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *nested])


def links(document: Path) -> list[str]:
    """Targets of a document's links and pictures, code left out."""
    text = _INLINE_CODE.sub("", _FENCE.sub("", document.read_text(encoding="utf-8")))
    return [*_LINK.findall(text), *_IMAGE_TAG.findall(text)]


def anchors(document: Path) -> set[str]:
    """The fragments that a document's headings answer to, by GitHub's rule."""
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    found: set[str] = set()
    for heading in _HEADING.findall(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(slug)
    return found


def shown_commands(document: Path, program: str) -> Iterator[Shown]:
    """The command lines of a program in a document's shell blocks and inline code."""
    text = document.read_text(encoding="utf-8")
    blocks = [
        body
        for _, language, body in _FENCE.findall(text)
        if language in {"", "sh", "bash", "console", "shell"}
    ]
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += [code.strip("`") for code in _INLINE_CODE.findall(_FENCE.sub("", text))]
    for line in lines:
        command = line.strip().removeprefix("$ ").split(" #")[0]
        if re.match(rf"{program}\s", command + " "):
            for part in re.split(r"\s*(?:&&|\|\||[|;>])\s*", command):
                if re.match(rf"{program}\s", part + " "):
                    yield Shown(document=document, words=tuple(_split(part)))


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # An apostrophe in inline code is no quotation.
        return command.split()
