"""Families about bits of non-negative integers."""

from __future__ import annotations

from benchmarks.lab.families.inputs import INTS, LISTS, PAIRS
from benchmarks.lab.families.notation import fam

_BIT = range(8)
_NATURALS = [[abs(v) for v in case] for case in LISTS]

FAMILIES = [
    fam(
        "count-bits",
        "n",
        "[Count|@] the one bits of $n // @ how many bits of $n are set",
        "count_bits popcount ones",
        'return bin($n).count("1")',
        INTS,
    ),
    fam(
        "bit-clear",
        "n",
        "Clear bit $K of $n // @ $n with bit $K turned off",
        "clear_bit turn_off drop_bit",
        "return $n & ~(1 << $K)",
        INTS,
        K=_BIT,
    ),
    fam(
        "bit-test",
        "n",
        "[Check|Tell] whether bit $K of $n is set // True if bit $K of $n is on",
        "has_bit is_set test_bit",
        "return bool($n >> $K & 1)",
        INTS,
        K=range(6),
    ),
    fam(
        "low-bits",
        "n",
        "@ the lowest $K bits of $n // Keep only the low $K bits of $n",
        "low_bits mask keep",
        "return $n & ((1 << $K) - 1)",
        INTS,
        K=range(1, 8),
    ),
    fam(
        "power-of-two",
        "n",
        "[Check|Tell] whether $n is a power of two // True if $n is a power of 2",
        "is_power_of_two is_pow2 check_power",
        "return $n > 0 and $n & ($n - 1) == 0",
        INTS,
    ),
    fam(
        "lowest-set-bit",
        "n",
        "@ the lowest set bit of $n // Isolate the lowest one bit of $n",
        "lowest_bit low_one isolate",
        "return $n & -$n",
        INTS,
    ),
    fam(
        "to-binary",
        "n",
        "@ $n as binary text without prefix // Write $n in base 2",
        "to_binary binary base_two",
        'return format($n, "b")',
        INTS,
    ),
    fam(
        "hamming-distance",
        "a b",
        "[Count|@] the bits that differ between $a and $b // @ the Hamming distance of $a and $b",
        "hamming bit_distance differing",
        'return bin($a ^ $b).count("1")',
        PAIRS,
    ),
    fam(
        "reverse-bits",
        "n",
        "Reverse the lowest $K bits of $n // @ the low $K bits of $n in reverse order",
        "reverse_bits mirror flip",
        "r = 0\nfor i in range($K):\n    r = r << 1 | $n >> i & 1\nreturn r",
        INTS,
        K=range(3, 13),
    ),
    fam(
        "gray-code",
        "n",
        "@ the Gray code of $n // Convert $n to Gray code",
        "gray to_gray gray_code",
        "return $n ^ $n >> 1",
        INTS,
    ),
    fam(
        "rotate-bits-left",
        "n",
        "Rotate the 8 bit number $n left by $K // @ $n rotated left by $K within 8 bits",
        "rotate_left rol spin",
        "return ($n << $K | $n >> (8 - $K)) & 255",
        [0, 1, 2, 3, 7, 64, 99, 128, 200, 255],
        K=range(1, 8),
    ),
    fam(
        "trailing-zeros",
        "n",
        "[Count|@] the trailing zero bits of $n, 0 for 0 // @ how many zero bits end $n, 0 for 0",
        "trailing_zeros low_zeros count_zeros",
        "return ($n & -$n).bit_length() - 1 if $n else 0",
        INTS,
    ),
]
