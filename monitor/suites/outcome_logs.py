"""Outcomes from the logs of other harnesses: lm-evaluation-harness and NeMo Evaluator.

Neither knows strata, so the caller says which stratum a task is in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Observation
from monitor.domain.tasks import Stratum, Suite
from monitor.suites.log_rows import LogRow, lm_eval_rows, nemo_rows, wrong
from monitor.suites.records import read_records

StratumOf = Callable[[Sequence[str], str], Stratum | None]
"""Stratum of a task, from the names it may be known by, the most telling first, and the category its log
gives it; None when it has none."""

COPIED_SHARE = 0.98
"""Share of a benchmark's repeated tasks whose repeats are copies of one text, from which on every task of it
counts once. One seed for all repeats makes all of them copies but for an engine's rounding; a model that is
sure of most tasks repeats itself in fewer."""


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
    """Metric of lm-eval to read; empty picks the first of its usual ones."""
    filter_name: str = ""
    """Filter of lm-eval to read; empty when the log has only one."""
    pass_from: float | None = None
    """Rewards of NeMo from this value pass; None when they are 0 and 1 only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """A benchmark whose repeats are copies of one text, so that each of its tasks counts once."""

    benchmark: str
    copied: int
    """Tasks whose repeats are all the same text."""
    repeated: int
    """Tasks with more than one repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOutcomes:
    """What the logs of one model say."""

    observations: tuple[Observation, ...]
    """Each line of a log is a wave of its own."""
    prefixed: bool
    """Whether task ids begin with the benchmark's name, since two benchmarks have tasks of one id."""
    copies: tuple[Copies, ...]


def read_logs(paths: Sequence[Path], log_format: LogFormat, reading: LogReading) -> LoggedOutcomes:
    """The outcomes of all logs of one model.

    Raises:
        InvalidOutcomes: a line lacks what is needed, its score is not a success or failure, a sample is in
            the logs twice, or a log has none; the message names file and line.
    """
    rows = [row for path in paths for row in _rows(path, log_format, reading)]
    copies = tuple(_copies(rows))
    counted_once = {each.benchmark for each in copies}
    prefixed = _collide(rows)
    places: dict[tuple[str, int], str] = {}
    observations: list[Observation] = []
    for wave, row in enumerate(rows):
        task_id = f"{row.benchmark}/{row.task_id}" if prefixed else row.task_id
        stratum = _stratum(row, reading.stratum_of, prefixed=prefixed)
        passed = row.passed[:1] if row.benchmark in counted_once else row.passed
        for index, each in enumerate(passed, start=row.first_index):
            first = places.setdefault((task_id, index), row.place)
            if first is not row.place:
                raise wrong(
                    row.place,
                    f"sample {index} of task {task_id!r} is in {first} as well",
                    next_step="Import the logs of one run of each benchmark.",
                )
            observations.append(
                Observation(task_id=task_id, stratum=stratum, index=index, wave=wave, passed=each)
            )
    return LoggedOutcomes(observations=tuple(observations), prefixed=prefixed, copies=copies)


def strata_of_suite(suite: Suite) -> StratumOf:
    """The strata that a suite gives its tasks; capitals in a task's id do not matter where they differ."""
    known = {task.task_id: task.stratum for task in suite}
    folded = {task_id.casefold(): stratum for task_id, stratum in known.items()}

    def stratum_of(names: Sequence[str], _category: str) -> Stratum | None:
        exact = (known.get(name) for name in names)
        alike = (folded.get(name.casefold()) for name in names)
        return next((stratum for stratum in (*exact, *alike) if stratum), None)

    return stratum_of


def strata_from_categories(names: Sequence[str], category: str) -> Stratum | None:  # noqa: ARG001
    """The stratum whose name the log gives as the task's category."""
    return Stratum(category) if category in set(Stratum) else None


def strata_from_file(path: Path) -> StratumOf:
    """The strata of a JSON Lines file with ``task_id`` and ``stratum`` per line.

    Raises:
        InvalidOutcomes: a line lacks a field, names no stratum, or another than a line before it.
    """
    known: dict[str, Stratum] = {}
    for record in read_records(path, InvalidOutcomes):
        try:
            task_id, stratum = str(record.value["task_id"]), Stratum(record.value["stratum"])
        except (KeyError, ValueError) as exc:
            raise wrong(record.place, "it must have task_id, and stratum head, torso or tail") from exc
        before = known.setdefault(task_id, stratum)
        if before is not stratum:
            raise wrong(record.place, f"task {task_id!r} is {stratum} here and {before} before")
    return lambda names, _category: next((known[name] for name in names if name in known), None)


def _rows(path: Path, log_format: LogFormat, reading: LogReading) -> list[LogRow]:
    if log_format is LogFormat.LM_EVAL:
        rows = list(lm_eval_rows(path, metric=reading.metric, filter_name=reading.filter_name))
    else:
        rows = list(nemo_rows(path, pass_from=reading.pass_from))
    if not rows:
        # Left out on both sides, its tasks would be missed by nobody.
        raise wrong(str(path), "it holds no sample")
    return rows


def _collide(rows: Sequence[LogRow]) -> bool:
    """Whether tasks of two benchmarks have one id."""
    owners: dict[str, str] = {}
    return any(owners.setdefault(row.task_id, row.benchmark) != row.benchmark for row in rows)


def _copies(rows: Sequence[LogRow]) -> Iterator[Copies]:
    repeated: Mapping[str, list[LogRow]] = defaultdict(list)
    for row in rows:
        if len(row.passed) > 1:
            repeated[row.benchmark].append(row)
    for benchmark, its in repeated.items():
        copied = sum(row.copies for row in its)
        if copied >= COPIED_SHARE * len(its):
            yield Copies(benchmark=benchmark, copied=copied, repeated=len(its))


def _stratum(row: LogRow, stratum_of: StratumOf, *, prefixed: bool) -> Stratum:
    names = [f"{row.benchmark}/{row.task_id}"]
    # A number that only counts a benchmark's tasks names none where there are several benchmarks.
    if not (prefixed and row.task_id.isdecimal()):
        names.insert(len(names) if prefixed else 0, row.task_id)
    stratum = stratum_of(names, row.category)
    if stratum is None:
        raise wrong(
            row.place,
            f"no stratum is known for task {' or '.join(map(repr, names))}",
            next_step="Give the strata with --suite or --strata.",
        )
    return stratum
