"""Where the code may stand in an answer, the likeliest places first.

Fenced blocks as Markdown means them; fences that share a line with code or prose; blocks inside blocks;
elements, tags and environments of other markups; texts in JSON; code between single backticks.
"""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Iterable, Iterator

from monitor.programs.fences import Block, blocks_of, with_fences_on_lines
from monitor.programs.languages import NO_LANGUAGES, PYTHON, SYNTAXES, Syntax, language_of
from monitor.programs.python_code import parses_as_python, without_trailing_prose

_CODE_START = re.compile(
    r"^(?:from |import |def |class |async def |@|[A-Za-z_]\w*+[ \t]*+(?::[^=\n]*+)?=(?!=))", re.MULTILINE
)
_ELEMENT = re.compile(
    r"<(pre|code|python|answer|solution|response|output|final|final_code|antartifact|program)(?:\s[^<>\n]*)?>"
    r"|\[(python|code|answer|solution)\]"
    r"|\\begin\{(lstlisting|verbatim|minted|python|code)\}(?:\[[^\]\n\\]*+\]|\{[^}\n\\]*+\})*",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#\d{1,6}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_INLINE = re.compile(r"(?<!`)(`{1,3})(?!`)([^`\n]+)\1(?!`)")
_PROMPTED = re.compile(r"^(?:>>>|\.\.\.)(?: |$)", re.MULTILINE)
_MAGIC = re.compile(r"^[!%].*\n", re.MULTILINE)


def cut_at_stop(text: str, stops: Iterable[str]) -> str:
    r"""The text before the first stop.

    >>> cut_at_stop("    return 1\n\ndef other():", ["\ndef ", "\nclass "])
    '    return 1\n'
    """
    ends = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    return text[: min(ends)] if ends else text


def places(answer: str) -> Iterator[list[Block]]:
    """The blocks of an answer by each way to read it, the strictest first."""
    strict = blocks_of(answer)
    yield strict
    loose = blocks_of(with_fences_on_lines(answer))
    yield loose
    yield [inner for block in strict for inner in blocks_of(block.code)]
    yield list(_elements(answer))
    yield [block for text in (answer, *_objects(strict)) for block in _values(text)]
    yield [
        Block(tag="", code=_without_tag(match[2]) + "\n", closed=True) for match in _INLINE.finditer(answer)
    ]


def _without_tag(code: str) -> str:
    word, _, rest = code.partition(" ")
    return rest if rest and language_of(word.lower()) in SYNTAXES else code


def _elements(answer: str) -> Iterator[Block]:
    """The contents of elements, tags and environments; of nested ones the innermost."""
    endless: set[str] = set()
    lower, at = answer.lower(), 0
    for start in _ELEMENT.finditer(answer):
        closing = _closing(start)
        if (
            start.start() < at
            or closing in endless
            or _ELEMENT.match(answer, _next_text(answer, start.end()))
        ):
            continue
        end = lower.find(closing, start.end())
        if end < 0:
            endless.add(closing)
            continue
        at = end + len(closing)
        code = answer[start.end() : end].strip("\n") + "\n"
        yield Block(tag="", code=_unescaped(code) if start[1] else code, closed=True)


def _closing(start: re.Match[str]) -> str:
    element, tag, environment = (name and name.lower() for name in start.groups())
    return f"</{element}>" if element else f"[/{tag}]" if tag else f"\\end{{{environment}}}"


def _next_text(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \n\t":
        at += 1
    return at


def _objects(blocks: Iterable[Block]) -> Iterator[str]:
    return (block.code for block in blocks if block.tag == "json" and block.closed)


def _values(answer: str) -> Iterator[Block]:
    """The texts of an answer that is a JSON object and of objects in it; of a text with blocks, these."""
    if not answer.lstrip().startswith("{"):
        return
    try:
        waiting = [json.loads(answer)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += reversed(value.values())
        elif isinstance(value, str):
            yield from blocks_of(value) or [Block(tag="", code=value, closed=True)]


def indented_code(answer: str) -> str:
    """The indented parts of prose, which are Markdown's oldest blocks; empty beside code at the margin."""
    if _CODE_START.search(answer):
        return ""
    lines = answer.split("\n")
    return textwrap.dedent("".join(f"{line}\n" for line in lines if not line.strip() or line[0] in " \t"))


def _unescaped(code: str) -> str:
    return html.unescape(code) if _ENTITY.search(code) and not parses_as_python(code) else code


def is_of(block: Block, language: str) -> bool:
    """Whether a block may be code of a language, by the word on its fence."""
    named = language_of(block.tag)
    return named == language or (named not in SYNTAXES and named not in NO_LANGUAGES)


def tidied(code: str, syntax: Syntax, entry_point: str) -> str:
    """The code as it defines the entry point: without an indent, prompts or a language's name before it."""
    if syntax.defines(code, entry_point):
        return code
    for other in _other_forms(code):
        if syntax.defines(other, entry_point):
            return other
    return code


def _other_forms(code: str) -> Iterator[str]:
    yield textwrap.dedent(code)
    if _PROMPTED.search(code):
        yield "".join(f"{_PROMPTED.sub('', line)}\n" for line in code.split("\n") if _PROMPTED.match(line))


def without_label(block: Block) -> Block:
    """The block, a language's name on a line of its own at its beginning taken as its tag."""
    first, _, rest = block.code.lstrip("\n").partition("\n")
    word = first.strip().lower()
    if block.tag or language_of(word) not in SYNTAXES or not rest.strip():
        return block
    return Block(tag=word, code=rest, closed=block.closed)


def without_magic(code: str) -> str:
    """Python code without a notebook's commands, which are none of its language."""
    return _MAGIC.sub("", code)


def unfenced_code(text: str, syntax: Syntax, entry_point: str, stops: Iterable[str]) -> str:
    """The code of an answer without fences: from its first line of code up to a stop behind it."""
    defined_at = syntax.first_definition(text, entry_point)
    if defined_at is None:
        return cut_at_stop(text, stops)
    first = _CODE_START.search(text, 0, defined_at)
    start = first.start() if first else defined_at
    head, line_end, body = text[defined_at:].partition("\n")
    code = text[start:defined_at] + head + cut_at_stop(line_end + body, stops)
    return without_prose(code, syntax, entry_point)


def without_prose(code: str, syntax: Syntax, entry_point: str) -> str:
    """Code whose end is not marked, without the prose behind it; as it is where that cannot be told."""
    if syntax is not SYNTAXES[PYTHON]:
        return code
    shorter = without_trailing_prose(code)
    return shorter if syntax.defines(shorter, entry_point) else code
