"""Small mistakes in regular expressions."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping

_TOKEN = re.compile(
    r"""(?P<look>\(\?<?[=!])
    | (?P<negated>\[\^)
    | (?P<escape>\\.)
    | (?P<count>\{\d*,?\d*\})
    | (?P<anchor>[\^$])
    | (?P<repeat>(?<![(|])[*+?]\??)
    | (?P<choice>\|)""",
    re.VERBOSE | re.DOTALL,
)
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "(?=": ("(?!",),
    "(?!": ("(?=",),
    "(?<=": ("(?<!",),
    "(?<!": ("(?<=",),
    "[^": ("[",),
    r"\b": ("",),
    r"\d": (r"\w", "."),
    r"\w": (r"\d", "."),
    r"\s": (r"\S",),
    r"\S": (r"\s",),
    r"\.": (".",),
    "^": ("",),
    "$": ("",),
    "*": ("+",),
    "+": ("*", ""),
    "?": ("",),
    "*?": ("*",),
    "+?": ("+",),
}


def pattern_changes(pattern: str) -> Iterator[str]:
    r"""What could have been written in place of a pattern by mistake; each is a pattern, too.

    >>> list(pattern_changes(r"\d+$"))
    ['\\w+$', '.+$', '\\d*$', '\\d$', '\\d+']
    """
    for match in _TOKEN.finditer(pattern):
        others = _other_counts(match[0]) if match.lastgroup == "count" else _OTHERS.get(match[0], ())
        for other in others:
            changed = pattern[: match.start()] + other + pattern[match.end() :]
            if _is_pattern(changed):
                yield changed


def _other_counts(count: str) -> Iterator[str]:
    """A repetition with a bound that is one off."""
    for bound in re.finditer(r"\d+", count):
        for number in (int(bound[0]) + 1, int(bound[0]) - 1):
            if number >= 0:
                yield f"{count[: bound.start()]}{number}{count[bound.end() :]}"


def _is_pattern(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError):
            return False
    return True
