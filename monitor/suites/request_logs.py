"""The programs in a log of requests to a model, as a corpus.

A line is a JSON object with ``prompt``, ``messages`` or ``completion``, by itself or inside what clients
and gateways wrap around it (``request``, ``body``, ``response``, ``choices`` and so on). The texts of
users and assistants are searched for fenced blocks; a text without any counts as a whole if it parses
as Python, and so does a prompt with its completion (and ``suffix``), which make a program only together.
What a chat sends again with every turn counts once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.domain.errors import InvalidCorpus
from monitor.domain.identity import content_digest
from monitor.programs.fences import blocks_of, with_plain_newlines
from monitor.programs.languages import NO_LANGUAGES, language_of
from monitor.rarity.counting import Tally, Threshold, document_of
from monitor.rarity.features import PYTHON, features_of
from monitor.rarity.table import RarityTable
from monitor.suites.records import read_records

_SUFFIX = "suffix"
"""What follows a completion that was asked for in the middle of a text."""
_TEXTS = frozenset({"prompt", "completion", "content", "text", "input", "output", _SUFFIX})
_CONTINUATIONS = frozenset({"completion", "text", "output"})
"""Texts that may stand for what a model wrote behind a prompt."""
_WRAPPERS = frozenset({"messages", "request", "response", "body", "choices", "message", "data"})
_SILENT_ROLES = frozenset({"system", "developer", "tool"})
"""Their texts are the same in every request, or data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """One text of a request."""

    field: str
    """What holds it."""
    text: str
    resent: bool
    """Whether it belongs to an earlier turn of a chat."""


def count_requests(log: Path) -> RarityTable:
    """The table of the programs in a log; each program is a document, each request a project.

    Raises:
        InvalidCorpus: the log cannot be read, a line is not a JSON object, or no line holds a program.
    """
    tally = Tally()
    met: set[str] = set()
    for record in read_records(log, InvalidCorpus):
        for language, program in _fresh_programs(record.value, met):
            document = document_of(program, language, str(record.line))
            if document is not None:
                tally.add(document)
    return tally.table(log.stem, threshold=Threshold())


def _fresh_programs(request: dict[str, Any], met: set[str]) -> Iterator[tuple[str, str]]:
    """The distinct programs of a request, without those of earlier turns that were met in earlier requests.

    Args:
        request: a line of the log.
        met: digests of the programs of earlier requests; those of this one are added.
    """
    found: set[str] = set()
    for each in _joined(list(_texts(request, resent=False))):
        for language, program in programs(each.text):
            key = content_digest(language, program)
            if key not in found and not (each.resent and key in met):
                yield language, program
            found.add(key)
    met |= found


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
    blocks = blocks_of(plain)
    for block in blocks:
        language = language_of(block.tag)
        if language and language not in NO_LANGUAGES:
            yield language, block.code
        elif not language and features_of(block.code):
            yield PYTHON, block.code
    if not blocks and features_of(plain):
        yield PYTHON, plain


def _joined(said: Sequence[_Said]) -> Sequence[_Said]:
    """The texts of a request, a prompt and what was written behind it as one where that is Python."""
    prompts = [each.text for each in said if each.field == "prompt"]
    written = [each.text for each in said if each.field in _CONTINUATIONS]
    if len(prompts) != 1 or any(blocks_of(text) for text in (*prompts, *written)):
        return said
    suffix = next((each.text for each in said if each.field == _SUFFIX), "")
    wholes = [whole for text in written if features_of(whole := prompts[0] + text + suffix)]
    parts = {"prompt", _SUFFIX, *_CONTINUATIONS} if wholes else set()
    return [
        *(_Said(field="prompt", text=whole, resent=False) for whole in wholes),
        *(each for each in said if each.field not in parts),
    ]


def _texts(value: Any, *, resent: bool) -> Iterator[_Said]:
    """The texts in a request, however it is wrapped."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, resent=resent)
    elif isinstance(value, dict) and value.get("role") not in _SILENT_ROLES:
        for name, inner in value.items():
            for text in inner if isinstance(inner, list) else [inner]:
                if name in _TEXTS and isinstance(text, str):
                    yield _Said(field=name, text=text, resent=resent)
            if name == "messages" and isinstance(inner, list):
                turn = _last_turn(inner)
                yield from _texts(inner[:turn], resent=True)
                yield from _texts(inner[turn:], resent=resent)
            elif name in _TEXTS | _WRAPPERS:
                yield from _texts(inner, resent=resent)


def _last_turn(messages: Sequence[Any]) -> int:
    """Where a chat's last turn begins: at the user's texts behind the last answer that they follow."""
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    asked = [number for number, role in enumerate(roles) if role == "user"]
    start = asked[-1] if asked else 0
    while start > 0 and roles[start - 1] == "user":
        start -= 1
    return start
