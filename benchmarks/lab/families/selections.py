"""Families about searching lists."""

from __future__ import annotations

from benchmarks.lab.families.inputs import FULL_LISTS, LISTS, LONG_LISTS
from benchmarks.lab.families.notation import fam

_ANY = [*LISTS, *LONG_LISTS]
_FULL = [*FULL_LISTS, *LONG_LISTS]
_LONG = [v for v in _FULL if len(v) > 1]
_SORTED = [[], [1], [1, 3, 5], [2, 4, 6, 8, 10], [0, 0, 7, 9, 20], [5, 15, 25, 35]]
_K = range(1, 12)

FAMILIES = [
    fam(
        "index-of-max",
        "xs",
        "@ the position of the largest element of $xs // @ the index of the maximum of $xs",
        "index_of_max arg_max peak_index",
        "return $xs.index(max($xs))",
        _FULL,
    ),
    fam(
        "index-of-min",
        "xs",
        "@ the position of the smallest element of $xs // @ the index of the minimum of $xs",
        "index_of_min arg_min low_index",
        "return $xs.index(min($xs))",
        _FULL,
    ),
    fam(
        "second-largest",
        "xs",
        "@ the second largest element of $xs // @ the runner-up of $xs",
        "second_largest runner_up second",
        "return sorted($xs)[-2]",
        _LONG,
    ),
    fam(
        "find-first-above",
        "xs",
        "@ the first element of $xs above $K, or None // First value of $xs greater than $K, else None",
        "first_above find_big first_over",
        "return next((v for v in $xs if v > $K), None)",
        _ANY,
        K=range(2, 30),
    ),
    fam(
        "index-first-negative",
        "xs",
        "@ the index of the first negative value in $xs, or $K // "
        "Position of the first element of $xs below 0, else $K",
        "first_negative find_negative below_zero",
        "return next((i for i, v in enumerate($xs) if v < 0), $K)",
        _ANY,
        K=range(-9, 0),
    ),
    fam(
        "all-positions",
        "xs",
        "@ all positions of $K in $xs // List the indexes where $xs equals $K",
        "positions find_all where",
        "return [i for i, v in enumerate($xs) if v == $K]",
        _ANY,
        K=range(9),
    ),
    fam(
        "contains-pair-sum",
        "xs",
        "[Check|Tell] whether two elements of $xs sum to $K // True if some pair of $xs adds up to $K",
        "pair_sum two_sum has_pair",
        "return any(v + w == $K for i, v in enumerate($xs) for w in $xs[:i])",
        _ANY,
        K=range(2, 20),
    ),
    fam(
        "all-above",
        "xs",
        "[Check|Tell] whether all of $xs exceed $K // True if no element of $xs is $K or less",
        "all_above every_above min_above",
        "return all(v > $K for v in $xs)",
        _ANY,
        K=range(-3, 8),
    ),
    fam(
        "any-equal-neighbours",
        "xs",
        "[Check|Tell] whether two neighbours in $xs are equal // True if $xs repeats an element at once",
        "equal_neighbours repeats stutter",
        "return any(v == w for v, w in zip($xs, $xs[1:]))",
        _ANY,
    ),
    fam(
        "local-peaks",
        "xs",
        "@ the elements of $xs larger than both neighbours // List the local peaks of $xs",
        "peaks local_max tops",
        "return [$xs[i] for i in range(1, len($xs) - 1) if $xs[i - 1] < $xs[i] > $xs[i + 1]]",
        _ANY,
    ),
    fam(
        "most-common",
        "xs",
        "@ the most frequent element of $xs // @ which value of $xs occurs most",
        "most_common mode favourite",
        "return max($xs, key=$xs.count)",
        _FULL,
    ),
    fam(
        "binary-search-count",
        "xs",
        "[Count|@] elements of the sorted $xs up to $K // @ how many values in sorted $xs are at most $K",
        "count_up_to rank at_most",
        "return bisect.bisect_right($xs, $K)",
        _SORTED,
        uses="bisect",
        K=range(1, 26),
    ),
    fam(
        "best-profit",
        "xs",
        "@ the best profit buying and then selling in $xs // @ the largest later rise in $xs",
        "best_profit profit max_rise",
        'r, h = 0, float("inf")\nfor v in $xs:\n    h = min(h, v)\n    r = max(r, v - h)\nreturn r',
        _ANY,
    ),
]
