"""Families about ordering."""

from __future__ import annotations

from benchmarks.lab.families.inputs import COUPLES, FULL_LISTS, LISTS, LONG_LISTS, POINTS, WORDS
from benchmarks.lab.families.notation import fam

_ANY = [*LISTS, *LONG_LISTS]
_PEOPLE = [[], [("amy", 30)], [("bob", 25), ("al", 31)], [("zoe", 5), ("kim", 5), ("ann", 9)]]

FAMILIES = [
    fam(
        "sort-descending",
        "xs",
        "Sort $xs from large to small // @ $xs in descending order",
        "sort_down descending largest_first",
        "return sorted($xs, reverse=True)",
        _ANY,
    ),
    fam(
        "sort-by-remainder",
        "xs",
        "Sort $xs by remainder modulo $K // @ $xs ordered by value modulo $K",
        "by_remainder mod_sort sort_mod",
        "return sorted($xs, key=lambda v: v % $K)",
        _ANY,
        K=range(2, 12),
    ),
    fam(
        "sort-by-distance",
        "xs",
        "Sort $xs by distance from $K // @ $xs ordered by how near to $K",
        "by_distance nearest_first near_sort",
        "return sorted($xs, key=lambda v: abs(v - $K))",
        _ANY,
        K=range(2, 30),
    ),
    fam(
        "sort-by-last-letter",
        "ws",
        "Sort $ws by last letter // @ $ws ordered by final character",
        "by_last last_letter_sort by_ending",
        "return sorted($ws, key=lambda w: w[-1])",
        WORDS,
    ),
    fam(
        "sort-ignoring-case",
        "ws",
        "Sort $ws ignoring case // @ $ws in alphabetical order, case ignored",
        "alphabetical no_case sort_words",
        "return sorted($ws, key=str.lower)",
        WORDS,
    ),
    fam(
        "sort-length-then-alpha",
        "ws",
        "Sort $ws by length, then alphabetically // @ $ws ordered by length and text",
        "by_length_text two_keys sort_both",
        "return sorted($ws, key=lambda w: (len(w), w))",
        WORDS,
    ),
    fam(
        "sort-pairs-second",
        "ps",
        "Sort $ps by second element // @ $ps ordered by the second of each pair",
        "by_second sort_pairs second_sort",
        "return sorted($ps, key=lambda v: v[1])",
        [*COUPLES, *POINTS],
    ),
    fam(
        "sort-score-desc-name",
        "ps",
        "Sort $ps by second element down, then first up // "
        "@ $ps ordered by falling second, then rising first",
        "leaderboard standings ranked",
        "return sorted($ps, key=lambda v: (-v[1], v[0]))",
        [*COUPLES, *_PEOPLE],
    ),
    fam(
        "rank-elements",
        "xs",
        "@ the rank of each element in $xs, 0 is smallest // "
        "Replace each value of $xs by its place in sorted order",
        "ranks rank_all places",
        "return [sorted($xs).index(v) for v in $xs]",
        _ANY,
    ),
    fam(
        "sort-indexes",
        "xs",
        "@ the indexes that sort $xs // List positions of $xs in order of value",
        "arg_sort sort_index order",
        "return sorted(range(len($xs)), key=lambda i: $xs[i])",
        _ANY,
    ),
    fam(
        "median",
        "xs",
        "@ the median of $xs, the upper one if even // @ the upper middle of sorted $xs",
        "median middle upper_median",
        "return sorted($xs)[len($xs) // 2]",
        [*FULL_LISTS, *LONG_LISTS],
    ),
    fam(
        "top-sum",
        "xs",
        "@ the sum of the $K largest of $xs // Add up the $K highest values of $xs",
        "top_sum best_total sum_top",
        "return sum(sorted($xs)[-$K:])",
        _ANY,
        K=range(2, 6),
    ),
    fam(
        "insertion-place",
        "xs",
        "Insert $K into the sorted $xs // @ sorted $xs with $K added in place",
        "insert_sorted add_in_place place",
        "return sorted([*$xs, $K])",
        LISTS,
        K=range(2, 60),
    ),
]
