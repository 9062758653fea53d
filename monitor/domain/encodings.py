"""Encodings of text other than UTF-8, told from the first bytes of a file."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""UTF-32 first: its little-endian mark begins with that of UTF-16."""

_HEAD_BYTES = 64


def wide_encoding(content: bytes) -> str | None:
    r"""UTF-16 or UTF-32 where a text's beginning shows it by its mark, or UTF-16 by its zero bytes.

    >>> wide_encoding("\ufeff{}".encode("utf-16-le")), wide_encoding('{"a": 1}'.encode("utf-16-be"))
    ('UTF-16', 'UTF-16-BE')
    >>> wide_encoding(b'{"a": 1}')
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    head = content[: min(len(content), _HEAD_BYTES) // 2 * 2]
    for name, zeros, letters in (("UTF-16-BE", head[::2], head[1::2]), ("UTF-16-LE", head[1::2], head[::2])):
        if zeros and not any(zeros) and all(letters):
            return name
    return None
