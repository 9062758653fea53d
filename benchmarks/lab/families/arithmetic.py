"""Families about plain integer and float arithmetic."""

from __future__ import annotations

from benchmarks.lab.families.inputs import INTS, PAIRS, SIGNED, SIGNED_PAIRS
from benchmarks.lab.families.notation import fam

_K = range(2, 60)

FAMILIES = [
    fam(
        "add-constant",
        "n",
        "@ $n plus $K // Add $K to $n",
        "add plus shift_up",
        "return $n + $K",
        SIGNED,
        K=_K,
    ),
    fam(
        "multiply-add",
        "n",
        "@ $n times $K plus $J // Multiply $n by $K and add $J",
        "scale affine transform",
        "return $n * $K + $J",
        SIGNED,
        K=_K,
        J=_K,
    ),
    fam(
        "clamp",
        "n",
        "Limit $n to the range $A to $B // Clamp $n between $A and $B",
        "clamp limit bound",
        "return max($A, min($n, $B))",
        SIGNED,
        A=range(9),
        B=range(12, 80),
    ),
    fam(
        "absolute-difference",
        "a b",
        "@ the [absolute difference|distance] of $a and $b // @ how far $a is from $b",
        "distance gap abs_diff",
        "return abs($a - $b)",
        SIGNED_PAIRS,
    ),
    fam(
        "average-two",
        "a b",
        "@ the [mean|average] of $a and $b // @ the midpoint between $a and $b",
        "mean average midpoint",
        "return ($a + $b) / 2",
        SIGNED_PAIRS,
    ),
    fam(
        "square-sum",
        "a b",
        "@ the sum of the squares of $a and $b // Square $a and $b and add them",
        "square_sum norm sum_squares",
        "return $a ** 2 + $b ** 2",
        SIGNED_PAIRS,
    ),
    fam(
        "triangular-number",
        "n",
        "@ the sum of the integers from 1 to $n // @ the triangular number of $n",
        "triangular sum_to gauss",
        "return $n * ($n + 1) // 2",
        INTS,
    ),
    fam(
        "divmod-list",
        "a b",
        "@ quotient and remainder of $a by $b as a list // Divide $a by $b, list quotient and remainder",
        "divide quot_rem split",
        "return list(divmod($a, $b))",
        PAIRS,
    ),
    fam(
        "celsius-fahrenheit",
        "n",
        "Convert $n degrees Celsius to Fahrenheit // @ the Fahrenheit value of $n Celsius",
        "to_fahrenheit convert warm",
        "return $n * 9 / 5 + 32",
        SIGNED,
    ),
    fam(
        "hours-minutes",
        "n",
        "Split $n minutes into hours and minutes // @ hours and minutes in $n minutes as a pair",
        "hours split_minutes to_hours",
        "return ($n // 60, $n % 60)",
        INTS,
    ),
    fam(
        "compound-interest",
        "n",
        "Grow $n by $K percent a year for $J years, two decimals // "
        "@ $n after $J years at $K percent, two decimals",
        "grow invest compound",
        "return round($n * (1 + $K / 100) ** $J, 2)",
        INTS,
        K=range(2, 16),
        J=range(2, 12),
    ),
    fam(
        "power-mod",
        "a b",
        "@ $a to the power $b modulo $K // Raise $a to $b modulo $K",
        "power_mod modpow raise_to",
        "return pow($a, $b, $K)",
        PAIRS,
        K=range(7, 98),
    ),
    fam(
        "hypotenuse",
        "a b",
        "@ the hypotenuse of legs $a and $b, two decimals // "
        "Length of the hypotenuse for $a and $b, two decimals",
        "hypotenuse long_side pythagoras",
        "return round(($a ** 2 + $b ** 2) ** 0.5, 2)",
        SIGNED_PAIRS,
    ),
]
