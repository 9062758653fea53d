"""What mutants by tokens need to know of a language: its comments, texts, and words that are mistaken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Swaps = Mapping[str, tuple[str, ...]]
"""Tokens that may stand in a token's place."""


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


def _both_ways(*pairs: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    return {one: (other,) for pair in pairs for one, other in (pair, pair[::-1])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The little of a language by which a small mistake is made in it."""

    comment: str
    """Regular expression of a comment."""
    text: str
    """Regular expression of a text literal, quotes included."""
    swaps: Swaps
    """Operators, which count where blanks stand around them, and words."""
    blocks: frozenset[str] = field(default_factory=frozenset)
    """Words that begin, part or end a block: their lines are never left out."""
    nothing: str = ""
    """What it calls no value; empty where a function returns none."""
    lisp: bool = False
    """Whether operators come first in their brackets."""


_COMPARISONS: Swaps = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
}
_EQUALITY: Swaps = _both_ways(("==", "!="))
_ARITHMETIC: Swaps = {
    **_both_ways(("+", "-"), ("+=", "-=")),
    "*": ("+",),
    "/": ("*",),
    "//": ("*",),
    "%": ("/",),
    "**": ("*",),
    "*=": ("+=",),
    "<<": (">>",),
    ">>": ("<<",),
    "&": ("|",),
    "|": ("&",),
    "^": ("&",),
}
_SYMBOLIC_LOGIC: Swaps = _both_ways(("&&", "||"))
_WORDED_LOGIC: Swaps = _both_ways(("and", "or"))
_TRUTH: Swaps = _both_ways(("true", "false"))
_EXTREMES: Swaps = _both_ways(("min", "max"), ("floor", "ceil"))

_HASH_COMMENT = r"(?:(?<=\s)|^)#[^\n]*"
_DOUBLE = r'"(?:\\.|[^"\\])*"'
_SINGLE = r"'(?:\\.|[^'\\])*'"

VOCABULARIES: Mapping[str, Vocabulary] = {
    "ruby": Vocabulary(
        nothing="nil",
        comment=_HASH_COMMENT,
        text=f"{_DOUBLE}|{_SINGLE}",
        swaps={
            **_COMPARISONS,
            **_EQUALITY,
            **_ARITHMETIC,
            **_SYMBOLIC_LOGIC,
            **_WORDED_LOGIC,
            **_TRUTH,
            **_EXTREMES,
            **_both_ways(("if", "unless"), ("next", "break"), ("first", "last"), ("any?", "all?")),
            **_both_ways(("select", "reject"), ("min_by", "max_by"), ("take", "drop"), ("shift", "pop")),
            **_both_ways(("take_while", "drop_while"), ("upcase", "downcase"), ("keys", "values")),
        },
        blocks=_words(
            "begin case class def do else elsif end ensure for if module rescue unless until when while"
        ),
    ),
    "lua": Vocabulary(
        nothing="nil",
        comment=r"--\[\[.*?\]\]|--[^\n]*",
        text=f"{_DOUBLE}|{_SINGLE}",
        swaps={
            **_COMPARISONS,
            **_both_ways(("==", "~=")),
            **_ARITHMETIC,
            **_WORDED_LOGIC,
            **_TRUTH,
            **_EXTREMES,
            **_both_ways(("upper", "lower")),
            "not": ("",),
        },
        blocks=_words("do else elseif end for function if local repeat until while"),
    ),
    "perl": Vocabulary(
        nothing="undef",
        comment=_HASH_COMMENT,
        text=f"{_DOUBLE}|{_SINGLE}",
        swaps={
            **_COMPARISONS,
            **_EQUALITY,
            **_ARITHMETIC,
            **_SYMBOLIC_LOGIC,
            **_WORDED_LOGIC,
            **_EXTREMES,
            **_both_ways(("eq", "ne"), ("if", "unless"), ("next", "last"), ("shift", "pop")),
            **_both_ways(("keys", "values"), ("push", "unshift"), ("uc", "lc")),
            "lt": ("le", "ge"),
            "le": ("lt", "gt"),
            "gt": ("ge", "le"),
            "ge": ("gt", "lt"),
        },
    ),
    "tcl": Vocabulary(
        nothing="{}",
        comment=_HASH_COMMENT,
        text=_DOUBLE,
        swaps={
            **_COMPARISONS,
            **_EQUALITY,
            **_ARITHMETIC,
            **_SYMBOLIC_LOGIC,
            **_EXTREMES,
            **_both_ways(("eq", "ne"), ("in", "ni"), ("break", "continue"), ("toupper", "tolower")),
            **_both_ways(("trimleft", "trimright"), ("-increasing", "-decreasing"), ("keys", "values")),
        },
    ),
    "awk": Vocabulary(
        nothing='""',
        comment=_HASH_COMMENT,
        text=_DOUBLE,
        swaps={
            **_COMPARISONS,
            **_EQUALITY,
            **_ARITHMETIC,
            **_SYMBOLIC_LOGIC,
            **_both_ways(("~", "!~"), ("break", "continue"), ("toupper", "tolower"), ("sub", "gsub")),
        },
    ),
    "shell": Vocabulary(
        comment=_HASH_COMMENT,
        text=f"{_DOUBLE}|'[^']*'",
        swaps={
            **_both_ways(("=", "!="), ("==", "!="), ("+", "-"), ("break", "continue"), ("head", "tail")),
            **_both_ways(("-eq", "-ne"), ("-n", "-z")),
            **_SYMBOLIC_LOGIC,
            "*": ("+",),
            "/": ("*",),
            "%": ("/",),
            "-lt": ("-le", "-ge"),
            "-le": ("-lt", "-gt"),
            "-gt": ("-ge", "-le"),
            "-ge": ("-gt", "-lt"),
        },
        blocks=_words("case do done elif else esac fi for function if then until while"),
    ),
}
_LISP = Vocabulary(
    comment=r";[^\n]*",
    text=_DOUBLE,
    swaps={
        **_COMPARISONS,
        **_ARITHMETIC,
        **_WORDED_LOGIC,
        **_EXTREMES,
        **_both_ways(("#t", "#f"), ("car", "cdr"), ("quotient", "remainder"), ("even?", "odd?")),
        **_both_ways(("when", "unless"), ("string-upcase", "string-downcase"), ("filter", "remove")),
        **_both_ways(("floor", "ceiling"), ("string-prefix?", "string-suffix?")),
        "modulo": ("quotient",),
        "not": ("begin",),
        "=": ("<", ">"),
    },
    lisp=True,
)


def vocabulary_of(language: str) -> Vocabulary | None:
    """A language's vocabulary; None for one whose mistakes we do not know."""
    return _LISP if language in {"scheme", "racket"} else VOCABULARIES.get(language)
