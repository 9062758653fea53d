"""Families about words, sentences and lists of strings."""

from __future__ import annotations

from benchmarks.lab.families.inputs import FULL_WORDS, SENTENCES, WORDS
from benchmarks.lab.families.notation import fam

_ANY = ["", *SENTENCES]
_JOIN = ("-", "_", "+", "/", ".", "*")
_CSV = ["a,b", "1,2,3", "one", "x, y", "p,q,,r", "k,k"]

FAMILIES = [
    fam(
        "acronym",
        "s",
        "@ the acronym of $s // Join the first letters of the words of $s in upper case",
        "acronym initials short_form",
        'return "".join(w[0].upper() for w in $s.split())',
        _ANY,
    ),
    fam(
        "word-lengths",
        "s",
        "@ the length of each word of $s // List the word lengths of $s",
        "word_lengths lengths sizes",
        "return [len(w) for w in $s.split()]",
        _ANY,
    ),
    fam(
        "words-longer",
        "s",
        "@ the words of $s longer than $K // Keep words of $s with over $K letters",
        "longer_words keep_long big_words",
        "return [w for w in $s.split() if len(w) > $K]",
        _ANY,
        K=range(1, 4),
    ),
    fam(
        "camel-words",
        "s",
        "Join the words of $s in Pascal case // @ the words of $s capitalized and without spaces",
        "pascal camel squash",
        'return "".join(w.capitalize() for w in $s.split())',
        _ANY,
    ),
    fam(
        "sort-words",
        "s",
        "Sort the words of $s // @ the words of $s in alphabetical order",
        "sort_words alphabetical ordered",
        'return " ".join(sorted($s.split()))',
        _ANY,
    ),
    fam(
        "swap-first-last-word",
        "s",
        "@ the last word of $s, then the first // Join last and first word of $s by a space",
        "swap_names last_first surname_first",
        'w = $s.split()\nreturn w[-1] + " " + w[0]',
        SENTENCES,
    ),
    fam(
        "prefix-each",
        "ws",
        'Put "$D" before each string of $ws // @ $ws with the prefix "$D"',
        "prefix_each add_prefix mark",
        'return ["$D" + w for w in $ws]',
        WORDS,
        D=_JOIN,
    ),
    fam(
        "suffix-each",
        "ws",
        'Put "$D" after each string of $ws // @ $ws with the suffix "$D"',
        "suffix_each add_suffix end_with",
        'return [w + "$D" for w in $ws]',
        WORDS,
        D=_JOIN,
    ),
    fam(
        "join-words",
        "ws",
        'Join $ws with "$D" // @ one string of $ws separated by "$D"',
        "join glue combine",
        'return "$D".join($ws)',
        WORDS,
        D=_JOIN,
    ),
    fam(
        "number-lines",
        "ws",
        "Number $ws from $K, like $K: text // Put a number before each string of $ws, from $K",
        "number numbered enumerate_lines",
        'return [f"{i}: {w}" for i, w in enumerate($ws, $K)]',
        WORDS,
        K=range(1, 30),
    ),
    fam(
        "total-length",
        "ws",
        "@ the total length of $ws // Add up the lengths of the strings in $ws",
        "total_length all_chars sum_lengths",
        "return sum(len(w) for w in $ws)",
        WORDS,
    ),
    fam(
        "longest-length",
        "ws",
        "@ the length of the longest string in $ws // @ how long the longest of $ws is",
        "longest_length max_len width",
        "return max(len(w) for w in $ws)",
        FULL_WORDS,
    ),
    fam(
        "align-columns",
        "ws",
        "Pad all of $ws to the longest // @ $ws filled with spaces to equal length",
        "align equal_width columns",
        "return [w.ljust(max(map(len, $ws))) for w in $ws]",
        WORDS,
    ),
]
