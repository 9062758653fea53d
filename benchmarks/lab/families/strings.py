"""Families about characters and strings."""

from __future__ import annotations

from benchmarks.lab.families.inputs import STRINGS
from benchmarks.lab.families.notation import fam

_TWO = [
    ("", ""),
    ("abc", "bcd"),
    ("hello", "help"),
    ("banana", "an"),
    ("xy", "xyz"),
    ("same", "same"),
    ("Prefix", "Pre"),
]
_CHARS = ("a", "e", "o", "n", "s", "i")
_JOIN = ("-", "_", "+", "/", ".", "*")

FAMILIES = [
    fam(
        "remove-vowels",
        "s",
        "Remove the vowels from $s // @ $s without vowels",
        "remove_vowels no_vowels disemvowel",
        'return "".join(v for v in $s if v.lower() not in "aeiou")',
        STRINGS,
    ),
    fam(
        "palindrome",
        "s",
        "[Check|Tell] whether $s is a palindrome, ignoring case // "
        "True if $s reads the same backwards, case ignored",
        "is_palindrome palindrome mirrored",
        "return $s.lower() == $s.lower()[::-1]",
        [*STRINGS, "Noon", "Abba"],
    ),
    fam(
        "repeat-string",
        "s",
        "Repeat $s $K times // @ $K copies of $s in a row",
        "repeat copies times",
        "return $s * $K",
        STRINGS,
        K=range(2, 20),
    ),
    fam(
        "first-chars",
        "s",
        "@ the first $K characters of $s // Cut $s to $K characters",
        "first_chars cut start",
        "return $s[:$K]",
        STRINGS,
        K=range(2, 9),
    ),
    fam(
        "pad-left",
        "s",
        'Pad $s on the left with "$D" to width $K // Right align $s in $K columns of "$D"',
        "pad_left align_right fill_left",
        'return $s.rjust($K, "$D")',
        STRINGS,
        D=_JOIN,
        K=range(5, 20),
    ),
    fam(
        "centre",
        "s",
        'Centre $s in width $K with "$D" // @ $s in the middle of $K columns of "$D"',
        "centre middle_pad banner",
        'return $s.center($K, "$D")',
        STRINGS,
        D=_JOIN,
        K=range(5, 20),
    ),
    fam(
        "surround",
        "s",
        'Surround $s with "$D" // @ $s between two "$D"',
        "surround wrap enclose",
        'return "$D" + $s + "$D"',
        STRINGS,
        D=_JOIN,
    ),
    fam(
        "char-codes",
        "s",
        "@ the character codes of $s // List the code point of each character of $s",
        "codes char_codes ordinals",
        "return [ord(v) for v in $s]",
        STRINGS,
    ),
    fam(
        "digits-only",
        "s",
        "@ only the digits of $s // Keep the digits of $s",
        "digits_only keep_digits numerals",
        'return "".join(v for v in $s if v.isdigit())',
        STRINGS,
    ),
    fam(
        "remove-repeats",
        "s",
        "Drop repeated characters of $s // @ $s with each character only once",
        "dedupe unique_chars once_each",
        'return "".join(dict.fromkeys($s))',
        STRINGS,
    ),
    fam(
        "every-other-char",
        "s",
        "@ every ${K}th character of $s // Take the characters of $s in steps of $K",
        "every_other sample_chars skip",
        "return $s[::$K]",
        STRINGS,
        K=range(4, 8),
    ),
    fam(
        "balanced-parentheses",
        "s",
        "[Check|Tell] whether the parentheses in $s are balanced // True if every ( of $s is closed",
        "balanced is_balanced closed",
        'r = 0\nfor v in $s:\n    r += (v == "(") - (v == ")")\n'
        "    if r < 0:\n        return False\nreturn r == 0",
        ["", "()", "(", ")(", "(a(b)c)", "(()", "())(", "x"],
    ),
    fam(
        "expand-runs",
        "s",
        "Expand pairs of letter and digit in $s // @ $s with each letter repeated by the digit after it",
        "expand decode unpack",
        'return "".join(v * int(w) for v, w in zip($s[::2], $s[1::2]))',
        ["", "a1", "a3b2", "x0y4", "q9", "m2n1o5"],
    ),
]
