"""Outcomes from the logs of other harnesses: lm-evaluation-harness and NeMo Evaluator.

Neither knows strata, so the caller says which stratum a task is in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Observation
from monitor.domain.identity import content_digest
from monitor.domain.tasks import Stratum, Suite
from monitor.suites.records import Record, read_records

StratumOf = Callable[[str, str], Stratum | None]
"""Stratum of a task, from its id and the category its log gives it; None when it has none."""

PREFERRED_METRICS = ("pass@1", "pass_at_1", "exact_match", "acc")
"""Metrics of lm-evaluation-harness that are one sample's success, in the order they are looked for."""


class LogFormat(StrEnum):
    """Whose log it is."""

    LM_EVAL = "lm-eval"
    """``samples_*.jsonl`` of lm-evaluation-harness, written with ``--log_samples``."""
    NEMO = "nemo"
    """``results.jsonl`` of NeMo Evaluator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """How a log is to be read."""

    stratum_of: StratumOf
    metric: str = ""
    """Metric of lm-eval to read; empty picks the first of :data:`PREFERRED_METRICS`."""
    filter_name: str = ""
    """Filter of lm-eval to read; empty when the log has only one."""
    pass_from: float | None = None
    """Rewards of NeMo from this value pass; None when they are 0 and 1 only."""


def read_log(path: Path, log_format: LogFormat, reading: LogReading) -> Iterator[Observation]:
    """The observations of a log as a stream, each line a wave of its own.

    Raises:
        InvalidOutcomes: a line lacks what is needed or its score is not a success or failure; the
            message names file and line.
    """
    rows = _LmEval(reading) if log_format is LogFormat.LM_EVAL else _Nemo(reading)
    for wave, record in enumerate(read_records(path, InvalidOutcomes)):
        yield from rows.observations(record, wave)


def strata_of_suite(suite: Suite) -> StratumOf:
    """The strata that a suite gives its tasks."""
    known = {task.task_id: task.stratum for task in suite}
    return lambda task_id, _category: known.get(task_id)


def strata_from_categories(task_id: str, category: str) -> Stratum | None:  # noqa: ARG001
    """The stratum whose name the log gives as the task's category."""
    return Stratum(category) if category in set(Stratum) else None


def strata_from_file(path: Path) -> StratumOf:
    """The strata of a JSON Lines file with ``task_id`` and ``stratum`` per line.

    Raises:
        InvalidOutcomes: a line lacks a field or names no stratum.
    """
    known: dict[str, Stratum] = {}
    for record in read_records(path, InvalidOutcomes):
        try:
            known[str(record.value["task_id"])] = Stratum(record.value["stratum"])
        except (KeyError, ValueError) as exc:
            raise _wrong(record, "it must have task_id, and stratum head, torso or tail") from exc
    return lambda task_id, _category: known.get(task_id)


class _LmEval:
    """Rows of ``samples_*.jsonl``: one per document and filter, scored over all its repeats."""

    def __init__(self, reading: LogReading) -> None:
        self._reading = reading
        self._filter = reading.filter_name

    def observations(self, record: Record, wave: int) -> Iterator[Observation]:
        row = record.value
        if not self._is_wanted(record, str(row.get("filter", ""))):
            return
        raw = row.get("doc")
        document: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
        if "doc_id" not in row and "task_id" not in document:
            raise _wrong(record, "it has no doc_id; is it a samples_*.jsonl of lm-evaluation-harness?")
        task_id = str(document.get("task_id", row.get("doc_id")))
        category = str(document.get("category", document.get("subject", "")))
        stratum = _stratum(record, self._reading.stratum_of, task_id, category)
        for index, passed in enumerate(self._dealt(record, task_id)):
            yield Observation(task_id=task_id, stratum=stratum, index=index, wave=wave, passed=passed)

    def _is_wanted(self, record: Record, name: str) -> bool:
        if not self._reading.filter_name and self._filter not in {"", name}:
            raise _wrong(
                record,
                f"the log has the filters {self._filter!r} and {name!r}",
                next_step="Choose one with --filter.",
            )
        self._filter = self._filter or name
        return name == self._filter

    def _dealt(self, record: Record, task_id: str) -> list[bool]:
        """Which repeats passed: the log has only their mean, so the passes are dealt out at random.

        Repeats of a task are exchangeable, so that any dealing is as good as the true one; passes
        before failures would show a reader of the first samples a model that passes nearly everything.
        Seeded by the row: the same log gives the same outcomes again, and another log its own.
        """
        repeats, passes = self._successes(record)
        seed = int(content_digest("repeats", task_id, json.dumps(record.value, sort_keys=True))[:16], 16)
        return [bool(place < passes) for place in np.random.default_rng(seed).permutation(repeats)]

    def _successes(self, record: Record) -> tuple[int, int]:
        """How many repeats there are and how many passed."""
        metric = self._metric(record)
        repeats = _repeats(record.value)
        score = _number(record, metric)
        passes = round(score * repeats)
        if not 0 <= score <= 1 or not math.isclose(score * repeats, passes, abs_tol=1e-6):
            raise _wrong(record, f"{metric} = {score} is not a share of {repeats} passed samples")
        return repeats, passes

    def _metric(self, record: Record) -> str:
        if self._reading.metric:
            return self._reading.metric
        for metric in PREFERRED_METRICS:
            if metric in record.value:
                return metric
        names = record.value.get("metrics", [])
        raise _wrong(
            record,
            f"it has none of {', '.join(PREFERRED_METRICS)}",
            next_step=f"Choose --metric from {names}.",
        )


class _Nemo:
    """Rows of ``results.jsonl``: one per problem and repeat."""

    def __init__(self, reading: LogReading) -> None:
        self._reading = reading

    def observations(self, record: Record, wave: int) -> Iterator[Observation]:
        row = record.value
        if "problem_idx" not in row or "reward" not in row:
            raise _wrong(record, "problem_idx or reward is missing; is it a results.jsonl of NeMo Evaluator?")
        task_id = str(row["problem_idx"])
        yield Observation(
            task_id=task_id,
            stratum=_stratum(record, self._reading.stratum_of, task_id, _nemo_category(row)),
            index=_repeat(record),
            wave=wave,
            passed=self._passed(record),
        )

    def _passed(self, record: Record) -> bool | None:
        if record.value["reward"] is None:
            return None
        reward = _number(record, "reward")
        if self._reading.pass_from is not None:
            return reward >= self._reading.pass_from
        if reward not in {0.0, 1.0}:
            raise _wrong(
                record, f"reward = {reward} is neither 0 nor 1", next_step="Say what passes with --pass-from."
            )
        return reward == 1.0


def _repeats(row: Mapping[str, Any]) -> int:
    """Repeats that survived the filter: a list of texts per request, or one text."""
    filtered = row.get("filtered_resps")
    if isinstance(filtered, list) and filtered and isinstance(filtered[0], list):
        texts = filtered[0]
        return len(texts) if texts and all(isinstance(text, str) for text in texts) else 1
    return 1


def _nemo_category(row: Mapping[str, Any]) -> str:
    for field in ("metadata", "scoring_details"):
        inner = row.get(field)
        if isinstance(inner, dict) and inner.get("category") is not None:
            return str(inner["category"])
    return ""


def _repeat(record: Record) -> int:
    repeat = record.value.get("repeat", 0)
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 0:
        raise _wrong(record, f"repeat = {json.dumps(repeat)} is not a whole number from 0")
    return repeat


def _number(record: Record, name: str) -> float:
    value = record.value.get(name)
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return float(value)
    raise _wrong(record, f"{name} = {json.dumps(value)[:80]} is not a number")


def _stratum(record: Record, stratum_of: StratumOf, task_id: str, category: str) -> Stratum:
    stratum = stratum_of(task_id, category)
    if stratum is None:
        raise _wrong(record, f"no stratum is known for task {task_id!r}")
    return stratum


def _wrong(
    record: Record, problem: str, next_step: str = "Check that it is the right log."
) -> InvalidOutcomes:
    return InvalidOutcomes(f"{record.place}: {problem}.", next_step=next_step)
