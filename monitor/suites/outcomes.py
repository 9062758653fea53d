"""Outcomes recorded elsewhere, brought to the gate: one JSON object per sample.

A line is ``{"task_id": …, "stratum": "head|torso|tail", "sample": 0, "passed": true}``, with an
optional ``seed``; ``passed`` is null for a sample that could not be scored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Observation
from monitor.domain.tasks import Stratum
from monitor.suites.records import Record, read_records

_REQUIRED = ("task_id", "stratum", "sample", "passed")
_KNOWN = frozenset({*_REQUIRED, "seed"})
_FORMAT_HINT = "docs/suites.md shows the format."


def read_outcomes(path: Path, *, wave_size: int = 1) -> Iterator[Observation]:
    """The observations of a file as a stream, in its order.

    Args:
        path: the file; ``.gz`` works.
        wave_size: lines after which evidence may be weighed; 1 allows a look at every sample.

    Raises:
        InvalidOutcomes: a line is wrong, repeats a (task, sample) pair, or gives a task another
            stratum than a line before it; the message names file and line.
    """
    seen: dict[tuple[str, int], int] = {}
    strata: dict[str, Stratum] = {}
    for number, record in enumerate(read_records(path, InvalidOutcomes)):
        observation = _observation(record, wave=number // wave_size)
        pair = observation.task_id, observation.index
        if pair in seen:
            raise _wrong(record, f"task {pair[0]!r}, sample {pair[1]} stands on line {seen[pair]} already")
        seen[pair] = record.line
        known = strata.setdefault(observation.task_id, observation.stratum)
        if known is not observation.stratum:
            raise _wrong(record, f"task {pair[0]!r} is {observation.stratum} here and {known} before")
        yield observation


def outcome_line(observation: Observation) -> str:
    """The line, without its end, that gives back an observation."""
    fields: dict[str, Any] = {
        "task_id": observation.task_id,
        "stratum": observation.stratum.value,
        "sample": observation.index,
        "passed": observation.passed,
    }
    if observation.seed is not None:
        fields["seed"] = observation.seed
    return json.dumps(fields, ensure_ascii=False)


def ensure_comparable(baseline: Sequence[Observation], candidate: Iterable[Observation]) -> None:
    """Check that a candidate's outcomes can be weighed against a baseline's.

    Raises:
        InvalidOutcomes: one side is empty or lacks a stratum, or the candidate has a task that the
            baseline does not have, or has in another stratum.
    """
    known = {observation.task_id: observation.stratum for observation in baseline}
    present: set[Stratum] = set()
    if not known:
        raise _incomparable("The baseline holds no outcomes.")
    for observation in candidate:
        stratum = known.get(observation.task_id)
        if stratum is None:
            raise _incomparable(f"The candidate's task {observation.task_id!r} is not in the baseline.")
        if stratum is not observation.stratum:
            raise _incomparable(
                f"Task {observation.task_id!r} is {stratum} in the baseline and "
                f"{observation.stratum} in the candidate."
            )
        present.add(stratum)
    missing = sorted({stratum.value for stratum in known.values()} - {stratum.value for stratum in present})
    if missing:
        raise _incomparable(f"The candidate has no outcomes in {' and '.join(missing)}.")


def _observation(record: Record, *, wave: int) -> Observation:
    value = record.value
    missing = [name for name in _REQUIRED if name not in value]
    if missing:
        raise _wrong(record, f"field {missing[0]} is missing")
    unknown = sorted(set(value) - _KNOWN)
    if unknown:
        raise _wrong(record, f"field {unknown[0]} is unknown")
    return Observation(
        task_id=_task_id(record, value),
        stratum=_stratum(record, value),
        index=_whole(record, value, "sample"),
        wave=wave,
        passed=_passed(record, value),
        seed=_whole(record, value, "seed") if value.get("seed") is not None else None,
    )


def _task_id(record: Record, value: Mapping[str, Any]) -> str:
    task_id = value["task_id"]
    if not isinstance(task_id, str) or not task_id:
        raise _wrong(record, "field task_id must be a text")
    return task_id


def _stratum(record: Record, value: Mapping[str, Any]) -> Stratum:
    try:
        return Stratum(value["stratum"])
    except ValueError as exc:
        raise _wrong(record, "field stratum must be head, torso or tail") from exc


def _whole(record: Record, value: Mapping[str, Any], name: str) -> int:
    number = value[name]
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise _wrong(record, f"field {name} must be a whole number from 0")
    return number


def _passed(record: Record, value: Mapping[str, Any]) -> bool | None:
    passed = value["passed"]
    if passed is not None and not isinstance(passed, bool):
        raise _wrong(record, "field passed must be true, false or null")
    return passed


def _wrong(record: Record, problem: str) -> InvalidOutcomes:
    return InvalidOutcomes(f"{record.place}: {problem}.", next_step=f"Mend the line; {_FORMAT_HINT}")


def _incomparable(problem: str) -> InvalidOutcomes:
    return InvalidOutcomes(problem, next_step="Give outcomes of the same tasks and strata on both sides.")
