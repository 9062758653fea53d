"""The programs in a log of requests to a model, as a corpus.

A line is a JSON object with ``prompt``, ``messages`` or ``completion``, by itself or inside what clients
and gateways wrap around it (``request``, ``body``, ``response``, ``choices`` and so on). The texts of
users and assistants are searched for fenced blocks; a text without any counts as a whole if it parses
as Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from monitor.domain.errors import InvalidCorpus
from monitor.rarity.counting import Tally, Threshold, document_of
from monitor.rarity.features import PYTHON, features_of
from monitor.rarity.table import RarityTable
from monitor.suites.extraction import tagged_blocks, with_plain_newlines
from monitor.suites.records import read_records

_TEXTS = frozenset({"prompt", "completion", "content", "text", "input", "output"})
_WRAPPERS = frozenset({"messages", "request", "response", "body", "choices", "message", "data"})
_SILENT_ROLES = frozenset({"system", "developer", "tool"})
"""Their texts are the same in every request, or data."""

_ALIASES: Mapping[str, str] = {
    "bash": "shell",
    "js": "javascript",
    "pl": "perl",
    "py": PYTHON,
    "py3": PYTHON,
    "python3": PYTHON,
    "rb": "ruby",
    "rkt": "racket",
    "sh": "shell",
    "ts": "typescript",
    "zsh": "shell",
}
"""Words on fences that are not a language's name as suites write it."""

_NO_LANGUAGES = frozenset({"text", "txt", "plaintext", "output", "console", "markdown", "md", "json", "yaml"})


def count_requests(log: Path) -> RarityTable:
    """The table of the programs in a log; each program is a document, each request a project.

    Raises:
        InvalidCorpus: the log cannot be read, a line is not a JSON object, or no line holds a program.
    """
    tally = Tally()
    for record in read_records(log, InvalidCorpus):
        for text in _texts(record.value):
            for language, program in programs(text):
                document = document_of(program, language, str(record.line))
                if document is not None:
                    tally.add(document)
    return tally.table(log.stem, threshold=Threshold())


def programs(text: str) -> Iterator[tuple[str, str]]:
    r"""The programs in a text, each behind its language.

    >>> list(programs("Mend this:\n```rb\nputs 1\n```"))
    [('ruby', 'puts 1\n')]
    >>> list(programs("def f(x): return sum(x)"))
    [('python', 'def f(x): return sum(x)')]
    >>> list(programs("Hello"))
    []
    """
    plain = with_plain_newlines(text)
    blocks = tagged_blocks(plain)
    for tag, block in blocks:
        language = _ALIASES.get(tag, tag)
        if language and language not in _NO_LANGUAGES:
            yield language, block
        elif not language and features_of(block):
            yield PYTHON, block
    if not blocks and features_of(plain):
        yield PYTHON, plain


def _texts(value: Any) -> Iterator[str]:
    """The texts in a request, however it is wrapped."""
    if isinstance(value, list):
        for item in value:
            yield from [item] if isinstance(item, str) else _texts(item)
    elif isinstance(value, dict) and value.get("role") not in _SILENT_ROLES:
        for name, inner in value.items():
            if name in _TEXTS and isinstance(inner, str):
                yield inner
            elif name in _TEXTS | _WRAPPERS and not isinstance(inner, str):
                yield from _texts(inner)
