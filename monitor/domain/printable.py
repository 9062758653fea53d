"""Text from outside in a form that a terminal, a log and a metric can show."""

from __future__ import annotations

import re

_ESCAPED = re.compile(rb"\\(?:x([0-9a-f]{2})|(\\))")


def printable(text: str) -> str:
    r"""The text with control characters and undecodable bytes spelled out as ``\xNN``.

    >>> printable("step\x1b[31m-1")
    'step\\x1b[31m-1'
    """
    return "".join(each if each.isprintable() else _spelled(each) for each in text)


def printable_lines(text: str) -> str:
    """The text in printable form, with its line ends and tabs."""
    return "".join(each if each.isprintable() or each in "\n\t" else _spelled(each) for each in text)


def escape_name(name: str) -> str:
    r"""A file's name or path in printable form; a backslash is doubled, so that it can be undone.

    >>> escape_name("caf\udce9")
    'caf\\xe9'
    """
    return printable(name.replace("\\", "\\\\"))


def unescape_name(escaped: str) -> str:
    r"""The name or path as the file system knows it.

    >>> unescape_name("caf\\xe9") == "caf\udce9"
    True
    """
    if "\\" not in escaped:
        return escaped
    raw = escaped.encode("utf-8", "surrogateescape")
    return _ESCAPED.sub(_byte, raw).decode("utf-8", "surrogateescape")


def is_encodable(text: str) -> bool:
    """Whether the text is one of UTF-8, without halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def encodable(text: str) -> str:
    """The text itself, or printable where it holds half a surrogate pair, as JSON may."""
    return text if is_encodable(text) else printable_lines(text)


def _spelled(character: str) -> str:
    # Lone surrogates beyond those that stand for a byte come from JSON, never from a file's name.
    return "".join(f"\\x{byte:02x}" for byte in _bytes(character))


def _bytes(character: str) -> bytes:
    try:
        return character.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return character.encode("utf-8", "surrogatepass")


def _byte(found: re.Match[bytes]) -> bytes:
    return b"\\" if found.group(2) else bytes.fromhex(found.group(1).decode())
