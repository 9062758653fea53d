"""Families solved by recursion; their function has one fixed name, since the body calls it."""

from __future__ import annotations

from benchmarks.lab.families.inputs import LISTS, PAIRS, SMALL
from benchmarks.lab.families.notation import fam

_NESTED = [[], [1], [1, [2, 3]], [[1, [2]], 3, [[[4]]]], [[], [[]]], [5, [6, [7, 8], 9]]]
_SHORT = ["", "a", "ab", "abc", "noon", "level", "abca"]

FAMILIES = [
    fam(
        "fibonacci-recursive",
        "n",
        "@ the Fibonacci number of $n by recursion // Recursive Fibonacci number $n",
        "fib",
        "return $n if $n < 2 else fib($n - 1) + fib($n - 2)",
        SMALL,
    ),
    fam(
        "power-recursive",
        "a n",
        "@ $a to the power $n by recursion // Recursive power of $a by $n",
        "power",
        "return 1 if $n == 0 else $a * power($a, $n - 1)",
        [(2, 0), (2, 5), (3, 3), (0, 2), (-2, 3), (7, 1)],
    ),
    fam(
        "sum-recursive",
        "xs",
        "@ the sum of $xs by recursion // Recursive sum of $xs",
        "rsum",
        "return $xs[0] + rsum($xs[1:]) if $xs else 0",
        LISTS,
    ),
    fam(
        "max-recursive",
        "xs",
        "@ the maximum of $xs by recursion // Recursive maximum of $xs",
        "rmax",
        "return $xs[0] if len($xs) == 1 else max($xs[0], rmax($xs[1:]))",
        [v for v in LISTS if v],
    ),
    fam(
        "gcd-recursive",
        "a b",
        "@ the gcd of $a and $b by recursion // Recursive greatest common divisor of $a and $b",
        "gcd",
        "return gcd($b, $a % $b) if $b else $a",
        PAIRS,
    ),
    fam(
        "flatten-recursive",
        "xs",
        "Flatten the nested list $xs // @ all numbers of the nested list $xs",
        "flatten",
        "if not isinstance($xs, list):\n    return [$xs]\nreturn [v for w in $xs for v in flatten(w)]",
        _NESTED,
    ),
    fam(
        "depth-recursive",
        "xs",
        "@ the nesting depth of the list $xs // @ how deep the lists in $xs are nested",
        "depth",
        "if not isinstance($xs, list):\n    return 0\nreturn 1 + max(map(depth, $xs), default=0)",
        _NESTED,
    ),
    fam(
        "nested-sum-recursive",
        "xs",
        "@ the sum of the nested list $xs // Add up all numbers of the nested list $xs",
        "deep_sum",
        "if not isinstance($xs, list):\n    return $xs\nreturn sum(map(deep_sum, $xs))",
        _NESTED,
    ),
    fam(
        "hanoi-moves",
        "n",
        "@ the moves to solve Hanoi with $n disks // Recursive count of Hanoi moves for $n disks",
        "hanoi",
        "return 2 * hanoi($n - 1) + 1 if $n else 0",
        SMALL,
    ),
    fam(
        "stair-ways",
        "n",
        "[Count|@] ways to climb $n stairs by 1 or 2 // @ how many ways lead up $n stairs in steps of 1 or 2",
        "climb",
        "return 1 if $n < 2 else climb($n - 1) + climb($n - 2)",
        SMALL,
    ),
    fam(
        "digit-sum-recursive",
        "n",
        "@ the digit sum of $n by recursion // Recursive sum of the digits of $n",
        "dsum",
        "return $n if $n < 10 else $n % 10 + dsum($n // 10)",
        [0, 7, 10, 99, 128, 4096],
    ),
    fam(
        "subsets-recursive",
        "xs",
        "@ all subsets of $xs by recursion // Recursive list of the subsets of $xs",
        "subsets",
        "if not $xs:\n    return [[]]\nr = subsets($xs[1:])\nreturn r + [[$xs[0]] + v for v in r]",
        [[], [1], [1, 2], [3, 1, 2]],
    ),
    fam(
        "lattice-paths",
        "a b",
        "[Count|@] paths through a grid of $a by $b steps // @ how many ways go $a steps right and $b down",
        "paths",
        "return 1 if $a == 0 or $b == 0 else paths($a - 1, $b) + paths($a, $b - 1)",
        [(0, 0), (1, 1), (2, 3), (4, 2), (0, 5), (3, 3)],
    ),
]
