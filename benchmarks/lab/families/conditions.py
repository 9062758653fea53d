"""Families about choosing between cases."""

from __future__ import annotations

from benchmarks.lab.families.inputs import FULL_LISTS, INTS, LISTS, PAIRS, SIGNED, SIGNED_PAIRS, STRINGS
from benchmarks.lab.families.notation import fam

_TRIPLES = [(1, 1, 1), (3, 4, 5), (2, 2, 3), (9, 1, 2), (5, 12, 13), (7, 7, 7), (1, 2, 3), (6, 4, 6)]
_TAGS = ("low", "small", "short", "minor")
_HIGH = ("high", "big", "long", "major")

FAMILIES = [
    fam(
        "fizz-one",
        "n",
        '@ "$W" if $n is divisible by $K, else $n as text // '
        'Say "$W" for multiples of $K, otherwise $n as text',
        "fizz say answer",
        'return "$W" if $n % $K == 0 else str($n)',
        INTS,
        W=("Fizz", "Buzz", "Pop", "Bang"),
        K=range(2, 10),
    ),
    fam(
        "in-range",
        "n",
        "[Check|Tell] whether $n lies from $A to $B inclusive // True if $n is between $A and $B",
        "in_range between within",
        "return $A <= $n <= $B",
        SIGNED,
        A=range(9),
        B=range(12, 80),
    ),
    fam(
        "outside-range",
        "n",
        "[Check|Tell] whether $n lies outside $A to $B // True if $n is below $A or above $B",
        "outside out_of_range beyond",
        "return $n < $A or $n > $B",
        SIGNED,
        A=range(9),
        B=range(12, 80),
    ),
    fam(
        "triangle-valid",
        "a b n",
        "[Check|Tell] whether sides $a, $b, $n form a triangle // "
        "True if $a, $b and $n can be the sides of a triangle",
        "is_triangle valid_sides can_form",
        "return $a + $b > $n and $a + $n > $b and $b + $n > $a",
        _TRIPLES,
    ),
    fam(
        "middle-of-three",
        "a b n",
        "@ the median of $a, $b and $n // @ the middle value of $a, $b, $n",
        "median middle mid_of_three",
        "return sorted([$a, $b, $n])[1]",
        _TRIPLES,
    ),
    fam(
        "default-if-empty",
        "xs",
        "@ the first of $xs, or $K if empty // First element of $xs with default $K",
        "first_or head_or default_first",
        "return $xs[0] if $xs else $K",
        LISTS,
        K=range(2, 99),
    ),
    fam(
        "default-if-blank",
        "s",
        '@ $s, or "$W" if it is empty // Use "$W" when $s is empty',
        "or_default fallback fill",
        'return $s or "$W"',
        STRINGS,
        W=("none", "empty", "missing", "unknown", "blank"),
    ),
    fam(
        "both-even",
        "a b",
        "[Check|Tell] whether $a and $b are both even // True if neither $a nor $b is odd",
        "both_even even_pair all_even",
        "return $a % 2 == 0 and $b % 2 == 0",
        PAIRS,
    ),
    fam(
        "exactly-one-odd",
        "a b",
        "[Check|Tell] whether exactly one of $a and $b is odd // True if $a and $b differ in parity",
        "one_odd mixed_parity differ",
        "return $a % 2 != $b % 2",
        PAIRS,
    ),
    fam(
        "safe-divide",
        "a b",
        "Divide $a by $b, or @ $K if $b is zero // $a over $b, $K when $b is 0",
        "safe_divide ratio quotient",
        "return $a / $b if $b else $K",
        [*SIGNED_PAIRS, (5, 0)],
        K=range(2, 60),
    ),
    fam(
        "shipping-cost",
        "n",
        "@ $A for $n up to $K, else $B // Cost $A when $n is at most $K, otherwise $B",
        "cost fee shipping",
        "return $A if $n <= $K else $B",
        INTS,
        A=range(2, 9),
        B=range(10, 40),
        K=range(5, 60),
    ),
    fam(
        "bracket-tax",
        "n",
        "Tax $n at $A percent above $K // @ $A percent of what $n has over $K",
        "tax duty levy",
        "return max(0, $n - $K) * $A / 100",
        INTS,
        A=range(5, 50),
        K=range(5, 90),
    ),
    fam(
        "majority-true",
        "xs",
        "[Check|Tell] whether more than half of $xs exceed $K // True if most of $xs are above $K",
        "majority mostly_above most",
        "return sum(v > $K for v in $xs) * 2 > len($xs)",
        FULL_LISTS,
        K=range(1, 14),
    ),
]
