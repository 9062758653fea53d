"""Families about divisors, primes and sequences of integers."""

from __future__ import annotations

from benchmarks.lab.families.inputs import FULL_LISTS, POSITIVE, SMALL
from benchmarks.lab.families.notation import fam

_NATURAL = [0, 1, 2, 3, 4, 9, 15, 17, 25, 31, 49, 91, 97, 121]
_LISTS = [[abs(v) or 1 for v in case] for case in FULL_LISTS]

FAMILIES = [
    fam(
        "is-prime",
        "n",
        "[Check|Tell] whether $n is prime // True if $n is a prime number",
        "is_prime prime check_prime",
        "return $n > 1 and all($n % i for i in range(2, int($n ** 0.5) + 1))",
        _NATURAL,
    ),
    fam(
        "primes-below",
        "n",
        "@ the primes below $n // List all primes smaller than $n",
        "primes_below primes small_primes",
        "return [v for v in range(2, $n) if all(v % i for i in range(2, v))]",
        _NATURAL,
    ),
    fam(
        "divisor-list",
        "n",
        "@ the divisors of $n // List all divisors of $n in order",
        "divisors factors divisor_list",
        "return [i for i in range(1, $n + 1) if $n % i == 0]",
        POSITIVE,
    ),
    fam(
        "divisor-count",
        "n",
        "[Count|@] the divisors of $n // @ how many divisors $n has",
        "divisor_count count_divisors tau",
        "return sum($n % i == 0 for i in range(1, $n + 1))",
        POSITIVE,
    ),
    fam(
        "proper-divisor-sum",
        "n",
        "@ the sum of the proper divisors of $n // Add up the divisors of $n below $n",
        "aliquot proper_sum divisor_sum",
        "return sum(i for i in range(1, $n) if $n % i == 0)",
        POSITIVE,
    ),
    fam(
        "smallest-factor",
        "n",
        "@ the smallest divisor of $n above 1 // @ the least prime factor of $n",
        "smallest_factor least_prime first_factor",
        "return next(i for i in range(2, $n + 1) if $n % i == 0)",
        [2, 3, 4, 9, 15, 25, 49, 91, 97],
    ),
    fam(
        "lcm-list",
        "xs",
        "@ the least common multiple of all of $xs // @ the lcm of the list $xs",
        "lcm_all common_multiple lcm_list",
        "return math.lcm(*$xs)",
        _LISTS,
        uses="math",
    ),
    fam(
        "gcd-list",
        "xs",
        "@ the greatest common divisor of all of $xs // @ the gcd of the list $xs",
        "gcd_all common_divisor gcd_list",
        "return math.gcd(*$xs)",
        _LISTS,
        uses="math",
    ),
    fam(
        "perfect-square",
        "n",
        "[Check|Tell] whether $n is a perfect square // True if $n is the square of an integer",
        "is_square perfect_square square",
        "return math.isqrt($n) ** 2 == $n",
        _NATURAL,
        uses="math",
    ),
    fam(
        "binomial",
        "n",
        "@ $n choose $K // @ the binomial coefficient of $n and $K",
        "choose binomial ways",
        "return math.comb($n, $K)",
        SMALL,
        uses="math",
        K=range(2, 8),
    ),
    fam(
        "factorial-loop",
        "n",
        "@ the factorial of $n by a loop // Multiply 1 to $n in a loop",
        "factorial fact product_to",
        "r = 1\nfor i in range(2, $n + 1):\n    r *= i\nreturn r",
        SMALL,
    ),
    fam(
        "collatz-length",
        "n",
        "[Count|@] the Collatz steps from $n to 1 // @ how many Collatz steps $n needs",
        "collatz steps_to_one hailstone",
        "r = 0\nwhile $n != 1:\n    $n = 3 * $n + 1 if $n % 2 else $n // 2\n    r += 1\nreturn r",
        [1, 2, 3, 6, 7, 9, 16, 27],
    ),
    fam(
        "sum-multiples-below",
        "n",
        "@ the sum of multiples of $A or $B below $n // Add up numbers under $n divisible by $A or $B",
        "sum_multiples euler_one multiples_sum",
        "return sum(i for i in range($n) if i % $A == 0 or i % $B == 0)",
        _NATURAL,
        A=(2, 3, 4),
        B=(5, 7, 9, 11),
    ),
]
