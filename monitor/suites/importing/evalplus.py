"""EvalPlus: HumanEval and MBPP with many more inputs, judged by the reference's own answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from monitor.suites.format import TaskFile
from monitor.suites.importing.conversion import (
    Conversion,
    LeftOutBecause,
    NotImportable,
    joined_by_newline,
    make_task,
    reference_of,
    text_of,
)


def evalplus(record: Mapping[str, Any], conversion: Conversion) -> TaskFile:
    """EvalPlus: tests as published with the data set, or inputs to compare with the reference on."""
    prompt, reference = text_of(record, "prompt"), reference_of(record)
    return make_task(
        conversion,
        task_id=f"EvalPlus/{text_of(record, 'task_id')}",
        prompt=prompt,
        canonical_solution=joined_by_newline(prompt, reference),
        test=_test(record, prompt + joined_by_newline(prompt, reference)),
        entry_point=text_of(record, "entry_point"),
        language="python",
        topic="function",
    )


def _test(record: Mapping[str, Any], reference: str) -> str:
    if isinstance(record.get("test"), str) and record["test"]:
        return str(record["test"])
    if text_of(record, "task_id").startswith("Mbpp/"):
        detail = "its inputs need EvalPlus to decode them; export the data set with its tests"
        raise NotImportable(LeftOutBecause.MALFORMED, detail)
    inputs = [*record.get("base_input", []), *record.get("plus_input", [])]
    if not inputs:
        raise NotImportable(LeftOutBecause.MALFORMED, "it has neither tests nor inputs")
    return _INPUTS_CHECK.format(
        reference=reference,
        entry_point=text_of(record, "entry_point"),
        inputs=json.dumps(inputs),
        tolerance=float(record.get("atol") or 0.0),
    )


_INPUTS_CHECK = """\
import copy
import json
import math

REFERENCE = {reference!r}
INPUTS = json.loads({inputs!r})
TOLERANCE = {tolerance!r}


def same(value, expected):
    if type(expected) is float or type(value) is float:
        if not isinstance(value, (int, float)) or not isinstance(expected, (int, float)):
            return False
        if math.isnan(expected):
            return math.isnan(value)
        return math.isclose(value, expected, rel_tol=1e-7, abs_tol=max(TOLERANCE, 1e-6))
    if isinstance(expected, (list, tuple)) and isinstance(value, (list, tuple)):
        return len(value) == len(expected) and all(map(same, value, expected))
    return value == expected


def check(candidate):
    names = {{}}
    exec(compile(REFERENCE, "reference", "exec"), names)
    for arguments in INPUTS:
        value = candidate(*copy.deepcopy(arguments))
        if {entry_point!r} == "find_zero":
            # Any root will do: it is the polynomial's value there that has to vanish.
            residue = sum(c * math.pow(value, i) for i, c in enumerate(arguments[0]))
            assert abs(residue) <= max(TOLERANCE, 1e-4), arguments
        else:
            assert same(value, names[{entry_point!r}](*copy.deepcopy(arguments))), arguments
"""
