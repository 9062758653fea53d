"""Families about dictionaries."""

from __future__ import annotations

from benchmarks.lab.families.inputs import COUPLES, DICTS, SENTENCES, WORDS
from benchmarks.lab.families.notation import fam

_TWO = [
    ({}, {}),
    ({"a": 1}, {"a": 2, "b": 3}),
    ({"x": 5, "y": 1}, {"z": 4}),
    ({"q": 7, "w": 2}, {"w": 8, "q": 7}),
]
_K = range(1, 12)

FAMILIES = [
    fam(
        "merge-dicts",
        "d e",
        "Merge $d and $e, $e wins // @ $d updated with $e",
        "merge combine join",
        "return {**$d, **$e}",
        _TWO,
    ),
    fam(
        "sum-dict-values",
        "d",
        "@ the sum of the values of $d // Add up all values in the dict $d",
        "sum_values total add_values",
        "return sum($d.values())",
        DICTS,
    ),
    fam(
        "sorted-keys",
        "d",
        "@ the keys of $d in order // List the sorted keys of $d",
        "sorted_keys keys_in_order list_keys",
        "return sorted($d)",
        DICTS,
    ),
    fam(
        "items-by-value",
        "d",
        "@ the items of $d ordered by value // Sort the pairs of $d by value",
        "by_value sort_items ranked",
        "return sorted($d.items(), key=lambda v: v[1])",
        DICTS,
    ),
    fam(
        "count-words",
        "s",
        "Count each word of $s // @ a dict of word counts of $s",
        "count_words word_counts tally",
        "out = {}\nfor w in $s.split():\n    out[w] = out.get(w, 0) + 1\nreturn out",
        SENTENCES,
    ),
    fam(
        "group-by-length",
        "ws",
        "Group $ws by length // @ a dict from length to the strings in $ws",
        "by_length group group_lengths",
        "out = {}\nfor w in $ws:\n    out.setdefault(len(w), []).append(w)\nreturn out",
        WORDS,
    ),
    fam(
        "group-by-first",
        "ws",
        "Group $ws by first letter // @ a dict from first letter to the strings in $ws",
        "by_first group index_words",
        "out = {}\nfor w in $ws:\n    out.setdefault(w[0], []).append(w)\nreturn out",
        WORDS,
    ),
    fam(
        "sum-pairs-by-key",
        "ps",
        "Sum the values of $ps per key // @ a dict of total value per key in $ps",
        "totals sum_by_key collect",
        "out = {}\nfor w, v in $ps:\n    out[w] = out.get(w, 0) + v\nreturn out",
        COUPLES,
    ),
    fam(
        "last-value-by-key",
        "ps",
        "@ the last value per key in $ps // Build a dict from $ps, later pairs win",
        "latest to_dict last_by_key",
        "return dict($ps)",
        COUPLES,
    ),
    fam(
        "values-list-by-key",
        "ps",
        "@ all values per key in $ps // Collect the values of $ps in a list per key",
        "multi_dict group collect_values",
        "out = {}\nfor w, v in $ps:\n    out.setdefault(w, []).append(v)\nreturn out",
        COUPLES,
    ),
    fam(
        "missing-keys",
        "d",
        'List which of "a", "x", "$W" are missing in $d // @ those of "a", "x", "$W" that $d lacks',
        "missing absent lacking",
        'return [w for w in ("a", "x", "$W") if w not in $d]',
        DICTS,
        W=("b", "y", "q", "bb"),
    ),
    fam(
        "increment-key",
        "d",
        '@ a copy of $d with "$W" raised by $K // Add $K to the entry "$W" of a copy of $d',
        "increment bump raise_key",
        'out = dict($d)\nout["$W"] = out.get("$W", 0) + $K\nreturn out',
        DICTS,
        W=("a", "x", "q", "bb"),
        K=range(2, 30),
    ),
    fam(
        "dict-difference",
        "d e",
        "@ keys whose values differ in $d and $e, sorted // List sorted keys of $d that $e holds differently",
        "changed diff differing_keys",
        "return sorted(w for w in $d if $e.get(w) != $d[w])",
        _TWO,
    ),
]
