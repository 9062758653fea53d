"""Families about heapq."""

from __future__ import annotations

from benchmarks.lab.families.inputs import FULL_LISTS, LISTS, LONG_LISTS, WORDS
from benchmarks.lab.families.notation import fam

_TWO = [([], []), ([1, 4], [2, 3]), ([5], []), ([-2, 0, 9], [-5, 1, 1])]
_ANY = [*LISTS, *LONG_LISTS]

FAMILIES = [
    fam(
        "n-smallest",
        "xs",
        "@ the $K smallest of $xs // List the $K lowest values of $xs",
        "smallest lowest bottom",
        "return heapq.nsmallest($K, $xs)",
        _ANY,
        uses="heapq",
        K=range(2, 7),
    ),
    fam(
        "n-largest",
        "xs",
        "@ the $K largest of $xs // List the $K highest values of $xs",
        "largest highest top",
        "return heapq.nlargest($K, $xs)",
        _ANY,
        uses="heapq",
        K=range(2, 7),
    ),
    fam(
        "kth-smallest",
        "xs",
        "@ the smallest of $xs after removing $K smaller ones // "
        "Pop $K values from a heap of $xs, then @ its top",
        "after_pops kth_smallest pop_then_top",
        "heapq.heapify($xs)\nfor i in range($K):\n    heapq.heappop($xs)\nreturn $xs[0]",
        LONG_LISTS,
        uses="heapq",
        K=range(1, 6),
    ),
    fam(
        "heap-sort",
        "xs",
        "Sort $xs with a heap // @ $xs in order by popping a heap",
        "heap_sort sort_heap pop_all",
        "heapq.heapify($xs)\nreturn [heapq.heappop($xs) for i in range(len($xs))]",
        _ANY,
        uses="heapq",
    ),
    fam(
        "merge-sorted",
        "xs ys",
        "Merge the sorted lists $xs and $ys // @ one sorted list from sorted $xs and $ys",
        "merge merge_sorted combine",
        "return list(heapq.merge($xs, $ys))",
        _TWO,
        uses="heapq",
    ),
    fam(
        "push-pop",
        "xs",
        "Push $K on a heap of $xs and pop the smallest // @ the smallest of $xs and $K by a heap",
        "push_pop replace pushed",
        "heapq.heapify($xs)\nreturn heapq.heappushpop($xs, $K)",
        [*FULL_LISTS, [90, 95]],
        uses="heapq",
        K=range(2, 60),
    ),
    fam(
        "shortest-words-heap",
        "ws",
        "@ the $K shortest strings of $ws with a heap // List the $K strings of $ws of least length",
        "shortest short_words least",
        "return heapq.nsmallest($K, $ws, key=len)",
        WORDS,
        uses="heapq",
        K=range(2, 5),
    ),
]
