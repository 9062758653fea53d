"""Rows of other harnesses' logs: what each says of one task's samples."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.identity import content_digest
from monitor.suites.records import Record, read_records

PREFERRED_METRICS = ("pass@1", "pass_at_1", "exact_match", "acc")
"""Metrics of lm-evaluation-harness that are one sample's success, in the order they are looked for."""

_SAMPLES_FILE = re.compile(r"samples_(.+?)(?:_\d{4}-\d\d-\d\dT[\d.\-]+)?")
"""Name of a log of lm-evaluation-harness: its task, and when it was run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One line of a log."""

    place: str
    """For messages: file and line."""
    benchmark: str
    """Task of lm-evaluation-harness, or benchmark of NeMo Evaluator, that it belongs to."""
    task_id: str
    """As the log has it; unique in its benchmark."""
    category: str
    """What the log files the task under; empty for nothing."""
    first_index: int
    """Sample index of the first outcome."""
    passed: tuple[bool | None, ...]
    """Outcomes of the samples, in no particular order; None for one without a result."""
    copies: bool = False
    """Whether there are several samples and all are copies of one text."""


def lm_eval_rows(path: Path, *, metric: str, filter_name: str) -> Iterator[LogRow]:
    """Rows of ``samples_*.jsonl``: one per document and filter, scored over all its repeats.

    Args:
        path: the log.
        metric: to read; empty picks the first of :data:`PREFERRED_METRICS`.
        filter_name: to read; empty when the log has only one.

    Raises:
        InvalidOutcomes: a line lacks what is needed, or none has the filter; the message names file and line.
    """
    named = _SAMPLES_FILE.fullmatch(_stem(path))
    benchmark = named[1] if named else _stem(path)
    chosen = filter_name
    names: set[str] = set()
    for record in read_records(path, InvalidOutcomes):
        row = record.value
        name = str(row.get("filter", ""))
        if not filter_name and chosen not in {"", name}:
            raise wrong(
                record.place,
                f"the log has the filters {chosen!r} and {name!r}",
                next_step="Choose one with --filter.",
            )
        chosen = chosen or name
        names.add(name)
        if name == chosen:
            yield _lm_eval_row(record, benchmark, metric)
    if names and chosen not in names:
        raise wrong(
            str(path),
            f"no line has the filter {chosen!r}, only {' or '.join(map(repr, sorted(names)))}",
            next_step="Choose one with --filter; logs with different filters are imported one by one.",
        )


def _lm_eval_row(record: Record, benchmark: str, metric: str) -> LogRow:
    row = record.value
    raw = row.get("doc")
    document: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    if "doc_id" not in row and "task_id" not in document:
        raise wrong(record.place, "it has no doc_id; is it a samples_*.jsonl of lm-evaluation-harness?")
    task_id = str(document.get("task_id", row.get("doc_id")))
    repeats, passes = _successes(record, metric)
    return LogRow(
        place=record.place,
        benchmark=benchmark,
        task_id=task_id,
        category=str(document.get("category", document.get("subject", ""))),
        first_index=0,
        passed=_dealt(record, task_id, repeats, passes),
        copies=repeats > 1 and len(set(_texts(row, repeats))) == 1,
    )


def _dealt(record: Record, task_id: str, repeats: int, passes: int) -> tuple[bool, ...]:
    """Which repeats passed: the log has only their mean, so the passes are dealt out at random.

    Repeats of a task are exchangeable, so that any dealing is as good as the true one; passes
    before failures would show a reader of the first samples a model that passes nearly everything.
    Seeded by the row: the same log gives the same outcomes again, and another log its own.
    """
    seed = int(content_digest("repeats", task_id, json.dumps(record.value, sort_keys=True))[:16], 16)
    return tuple(bool(place < passes) for place in np.random.default_rng(seed).permutation(repeats))


def _successes(record: Record, metric: str) -> tuple[int, int]:
    """How many repeats there are and how many passed."""
    metric = metric or _preferred_metric(record)
    repeats = len(_filtered(record.value))
    score = _number(record, metric)
    passes = round(score * repeats)
    if not 0 <= score <= 1 or not math.isclose(score * repeats, passes, abs_tol=1e-6):
        raise wrong(record.place, f"{metric} = {score} is not a share of {repeats} passed samples")
    return repeats, passes


def _preferred_metric(record: Record) -> str:
    for metric in PREFERRED_METRICS:
        if metric in record.value:
            return metric
    names = record.value.get("metrics", [])
    raise wrong(
        record.place,
        f"it has none of {', '.join(PREFERRED_METRICS)}",
        next_step=f"Choose --metric from {names}.",
    )


def _filtered(row: Mapping[str, Any]) -> list[str]:
    """Texts of the repeats that survived the filter: a list per request, or one text."""
    texts = _first_request(row.get("filtered_resps"))
    return texts or [""]


def _texts(row: Mapping[str, Any], repeats: int) -> list[str]:
    """What the model wrote in each repeat: two texts may be equal once a filter has cut them to an answer."""
    written = _first_request(row.get("resps"))
    return written if len(written) == repeats else _filtered(row)


def _first_request(responses: Any) -> list[str]:
    """The texts of the first request; none where responses are something else."""
    if isinstance(responses, list) and responses and isinstance(responses[0], list):
        texts = responses[0]
        return texts if all(isinstance(text, str) for text in texts) else []
    return []


def nemo_rows(path: Path, *, pass_from: float | None) -> Iterator[LogRow]:
    """Rows of ``results.jsonl``: one per problem and repeat.

    Args:
        path: the log.
        pass_from: rewards from this value on pass; None when they are 0 and 1 only.

    Raises:
        InvalidOutcomes: a line lacks what is needed; the message names file and line.
    """
    named_by_folder = _stem(path) == "results"
    fallback = path.resolve().parent.name if named_by_folder else _stem(path)
    for record in read_records(path, InvalidOutcomes):
        row = record.value
        if "problem_idx" not in row or "reward" not in row:
            raise wrong(
                record.place, "problem_idx or reward is missing; is it a results.jsonl of NeMo Evaluator?"
            )
        yield LogRow(
            place=record.place,
            benchmark=_nemo_field(row, "benchmark") or fallback,
            task_id=str(row["problem_idx"]),
            category=_nemo_field(row, "category"),
            first_index=_repeat(record),
            passed=(_nemo_passed(record, pass_from),),
        )


def _nemo_passed(record: Record, pass_from: float | None) -> bool | None:
    if record.value["reward"] is None:
        return None
    reward = _number(record, "reward")
    if pass_from is not None:
        return reward >= pass_from
    if reward not in {0.0, 1.0}:
        raise wrong(
            record.place,
            f"reward = {reward} is neither 0 nor 1",
            next_step="Say what passes with --pass-from.",
        )
    return reward == 1.0


def _nemo_field(row: Mapping[str, Any], name: str) -> str:
    """A field of a row or of what describes it; empty where there is none."""
    for inner in (row, row.get("metadata"), row.get("scoring_details")):
        if isinstance(inner, dict) and inner.get(name) is not None:
            return str(inner[name])
    return ""


def _repeat(record: Record) -> int:
    repeat = record.value.get("repeat", 0)
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 0:
        raise wrong(record.place, f"repeat = {json.dumps(repeat)} is not a whole number from 0")
    return repeat


def _number(record: Record, name: str) -> float:
    value = record.value.get(name)
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return float(value)
    raise wrong(record.place, f"{name} = {json.dumps(value)[:80]} is not a number")


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")


def wrong(place: str, problem: str, next_step: str = "Check that it is the right log.") -> InvalidOutcomes:
    """The error about a place in a log."""
    return InvalidOutcomes(f"{place}: {problem}.", next_step=next_step)
