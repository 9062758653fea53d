"""Families about sets; results are sorted so that they compare as lists."""

from __future__ import annotations

from benchmarks.lab.families.inputs import LISTS, LONG_LISTS
from benchmarks.lab.families.notation import fam

_TWO = [([], []), ([1], [2]), ([1, 2, 3], [3, 2, 5]), ([7, 0, 7], [0, 7]), ([4, 9], [9, 4, 1]), ([1, 2], [])]
_TEXTS = [("", ""), ("abc", "bcd"), ("hello", "world"), ("aab", "abb"), ("xy", ""), ("listen", "silent")]
_ANY = [*LISTS, *LONG_LISTS]

FAMILIES = [
    fam(
        "intersection",
        "xs ys",
        "@ the sorted values in both $xs and $ys // Sort what $xs and $ys have in common",
        "common shared intersection",
        "return sorted(set($xs) & set($ys))",
        _TWO,
    ),
    fam(
        "union",
        "xs ys",
        "@ the sorted values in $xs or $ys // Sort the union of $xs and $ys",
        "union either merged",
        "return sorted(set($xs) | set($ys))",
        _TWO,
    ),
    fam(
        "set-difference",
        "xs ys",
        "@ the sorted values of $xs not in $ys // Sort what $xs has and $ys lacks",
        "difference only_first without",
        "return sorted(set($xs) - set($ys))",
        _TWO,
    ),
    fam(
        "symmetric-difference",
        "xs ys",
        "@ the sorted values in exactly one of $xs and $ys // Sort what only one of $xs and $ys holds",
        "exclusive either_not_both sym_diff",
        "return sorted(set($xs) ^ set($ys))",
        _TWO,
    ),
    fam(
        "is-subset",
        "xs ys",
        "[Check|Tell] whether all of $xs are in $ys // True if $xs is a subset of $ys",
        "is_subset contained all_in",
        "return set($xs) <= set($ys)",
        _TWO,
    ),
    fam(
        "is-disjoint",
        "xs ys",
        "[Check|Tell] whether $xs and $ys share nothing // True if $xs and $ys are disjoint",
        "disjoint no_overlap separate",
        "return set($xs).isdisjoint($ys)",
        _TWO,
    ),
    fam(
        "has-duplicates",
        "xs",
        "[Check|Tell] whether $xs has duplicates // True if some value occurs twice in $xs",
        "has_duplicates repeated not_unique",
        "return len(set($xs)) < len($xs)",
        _ANY,
    ),
    fam(
        "count-distinct",
        "xs",
        "[Count|@] the distinct values of $xs // @ how many different values $xs has",
        "count_distinct num_unique different",
        "return len(set($xs))",
        _ANY,
    ),
    fam(
        "sorted-distinct",
        "xs",
        "@ the distinct values of $xs, largest first // Sort the different values of $xs downwards",
        "distinct_down unique_desc ranking",
        "return sorted(set($xs), reverse=True)",
        _ANY,
    ),
    fam(
        "missing-numbers",
        "xs",
        "@ the numbers from 1 to $K missing in $xs // List which of 1 to $K are not in $xs",
        "missing gaps absent",
        "return sorted(set(range(1, $K + 1)) - set($xs))",
        _ANY,
        K=range(4, 13),
    ),
    fam(
        "common-letters",
        "s t",
        "@ the sorted letters in both $s and $t // Sort the characters $s and $t share",
        "common_letters shared_chars overlap",
        'return "".join(sorted(set($s) & set($t)))',
        _TEXTS,
    ),
    fam(
        "anagram",
        "s t",
        "[Check|Tell] whether $s and $t are anagrams // True if $s and $t use the same letters",
        "is_anagram anagrams same_letters",
        "return sorted($s) == sorted($t)",
        _TEXTS,
    ),
    fam(
        "jaccard",
        "xs ys",
        "@ the Jaccard similarity of $xs and $ys, two decimals // "
        "@ shared over total values of $xs and $ys, two decimals",
        "jaccard similarity overlap_ratio",
        "v, w = set($xs), set($ys)\nreturn round(len(v & w) / len(v | w), 2)",
        _TWO[1:],
    ),
]
