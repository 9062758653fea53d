"""Families about lists of numbers."""

from __future__ import annotations

from benchmarks.lab.families.inputs import FULL_LISTS, LISTS, LONG_LISTS
from benchmarks.lab.families.notation import fam

_TWO = [([], []), ([1], [2]), ([1, 2, 3], [4, 5, 6]), ([7, 0], [0, 7]), ([-1, 4, 2], [3, 3, -5])]
_ANY = [*LISTS, *LONG_LISTS]
_K = range(2, 60)

FAMILIES = [
    fam(
        "max-minus-min",
        "xs",
        "@ the spread of $xs, largest minus smallest // @ the range of values in $xs",
        "spread value_range extent",
        "return max($xs) - min($xs)",
        FULL_LISTS,
    ),
    fam(
        "map-square",
        "xs",
        "@ the squares of $xs // Square every element of $xs",
        "squares square_all squared",
        "return [v * v for v in $xs]",
        _ANY,
    ),
    fam(
        "keep-multiples",
        "xs",
        "Keep multiples of $K in $xs // @ the values of $xs divisible by $K",
        "keep_multiples divisible only_multiples",
        "return [v for v in $xs if v % $K == 0]",
        _ANY,
        K=range(2, 8),
    ),
    fam(
        "count-odd",
        "xs",
        "[Count|@] the odd [numbers|values] in $xs // @ how many of $xs are odd",
        "count_odd odds num_odd",
        "return sum(v % 2 for v in $xs)",
        _ANY,
    ),
    fam(
        "rotate-list",
        "xs",
        "Rotate $xs left by $K // Move the first $K elements of $xs to its end",
        "rotate rotate_left shift",
        "return $xs[$K:] + $xs[:$K]",
        _ANY,
        K=range(1, 5),
    ),
    fam(
        "drop-last-k",
        "xs",
        "@ $xs without its last $K elements // Drop $K elements from the end of $xs",
        "drop_last shorten trim_end",
        "return $xs[:-$K]",
        _ANY,
        K=range(2, 6),
    ),
    fam(
        "sliding-windows",
        "xs",
        "@ all windows of $K neighbours in $xs // List the sliding windows of size $K over $xs",
        "windows sliding frames",
        "return [$xs[i:i + $K] for i in range(len($xs) - $K + 1)]",
        _ANY,
        K=range(2, 5),
    ),
    fam(
        "dot-product",
        "xs ys",
        "@ the dot product of $xs and $ys // Multiply $xs and $ys pairwise and add up",
        "dot inner dot_product",
        "return sum(v * w for v, w in zip($xs, $ys))",
        _TWO,
    ),
    fam(
        "interleave",
        "xs ys",
        "Interleave $xs and $ys // Alternate the elements of $xs and $ys",
        "interleave alternate weave",
        "return [v for r in zip($xs, $ys) for v in r]",
        _TWO,
    ),
    fam(
        "replace-value",
        "xs",
        "Replace every $A in $xs by $K // @ $xs with $K instead of $A",
        "replace swap_value substitute",
        "return [$K if v == $A else v for v in $xs]",
        _ANY,
        A=range(1, 8),
        K=range(10, 99),
    ),
    fam(
        "negate-odd-positions",
        "xs",
        "Negate elements of $xs at odd positions // @ $xs with every second sign flipped",
        "alternate_signs negate_odd flip_signs",
        "return [-v if i % 2 else v for i, v in enumerate($xs)]",
        _ANY,
    ),
    fam(
        "move-zeros",
        "xs",
        "Move the zeros of $xs to the end // @ $xs with its zeros last",
        "zeros_last move_zeros push_zeros",
        "return sorted($xs, key=lambda v: v == 0)",
        _ANY,
    ),
    fam(
        "count-inversions",
        "xs",
        "[Count|@] the inversions of $xs // @ how many pairs of $xs are out of order",
        "inversions out_of_order count_inversions",
        "return sum($xs[i] > v for j, v in enumerate($xs) for i in range(j))",
        _ANY,
    ),
]
