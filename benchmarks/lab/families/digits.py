"""Families about the decimal digits of non-negative integers and about other bases."""

from __future__ import annotations

from benchmarks.lab.families.inputs import INTS, POSITIVE
from benchmarks.lab.families.notation import fam

_TEXTS = ["0", "7", "10", "212", "1021", "00", "2220"]

FAMILIES = [
    fam(
        "digit-sum",
        "n",
        "@ the sum of the digits of $n // Add up the [decimal digits|digits] of $n",
        "digit_sum sum_digits cross_sum",
        "return sum(int(v) for v in str($n))",
        INTS,
    ),
    fam(
        "digit-product",
        "n",
        "@ the product of the digits of $n // Multiply the digits of $n",
        "digit_product multiply_digits prod",
        "r = 1\nfor v in str($n):\n    r *= int(v)\nreturn r",
        INTS,
    ),
    fam(
        "digit-count",
        "n",
        "[Count|@] the digits of $n // @ how many decimal digits $n has",
        "digit_count num_digits width",
        "return len(str($n))",
        INTS,
    ),
    fam(
        "digit-occurrences",
        "n",
        "[Count|@] how often the digit $K occurs in $n // @ the number of digits $K in $n",
        "count_digit occurrences how_many",
        'return str($n).count("$K")',
        INTS,
        K=range(10),
    ),
    fam(
        "sorted-digits",
        "n",
        "@ the digits of $n in ascending order as text // Sort the digits of $n into a string",
        "sort_digits ascending ordered",
        'return "".join(sorted(str($n)))',
        INTS,
    ),
    fam(
        "digit-list",
        "n",
        "@ the digits of $n as a list // List the digits of $n",
        "digit_list split_digits to_digits",
        "return [int(v) for v in str($n)]",
        INTS,
    ),
    fam(
        "even-digits",
        "n",
        "[Count|@] the even digits of $n // @ how many digits of $n are even",
        "even_digits count_even evens",
        "return sum(int(v) % 2 == 0 for v in str($n))",
        INTS,
    ),
    fam(
        "armstrong",
        "n",
        "[Check|Tell] whether $n is an Armstrong number // "
        "True if $n equals the sum of its digits to the power of their count",
        "is_armstrong narcissistic self_power",
        "return $n == sum(int(v) ** len(str($n)) for v in str($n))",
        [0, 1, 9, 10, 153, 154, 370, 371, 407, 1634, 1635, 100],
    ),
    fam(
        "harshad",
        "n",
        "[Check|Tell] whether $n is divisible by its digit sum // True if the digit sum of $n divides it",
        "is_harshad niven divides_self",
        "return $n % sum(int(v) for v in str($n)) == 0",
        POSITIVE,
    ),
    fam(
        "to-base",
        "n",
        "Write $n in base $K // @ $n as text in base $K",
        "to_base in_base convert",
        'out = ""\nwhile $n:\n    out = str($n % $K) + out\n    $n //= $K\nreturn out or "0"',
        INTS,
        K=range(3, 10),
    ),
    fam(
        "pad-number",
        "n",
        "@ $n as text with at least $K digits // Pad $n with zeros to $K digits",
        "pad zero_pad fixed_width",
        "return str($n).zfill($K)",
        INTS,
        K=range(2, 10),
    ),
    fam(
        "thousands",
        "n",
        "@ $n with a comma every three digits // Format $n with thousands separators",
        "thousands with_commas group_digits",
        'return f"{$n:,}"',
        [*INTS, 1234567, 100000],
    ),
    fam(
        "drop-last-digits",
        "n",
        "Drop the last $K digits of $n // @ $n without its lowest $K digits",
        "drop_digits shorten cut",
        "return $n // 10 ** $K",
        INTS,
        K=range(1, 5),
    ),
]
