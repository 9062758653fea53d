"""The mutation scores of a suite on file, so that a reader need not run the mutants to know them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monitor.atomic_files import write_file
from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Suite
from monitor.suites.mutation.killing import MutationScore

RECORD_FILE: Final = "mutation-scores.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedScore:
    """How one task's mutants fared when they were last run."""

    digest: str
    """Of the task they were made of."""
    mutants: int
    killed: int
    equivalent: int
    """Left out, as reviewed to do the same as the reference."""

    @property
    def score(self) -> float:
        """Share of the mutants that were killed."""
        return self.killed / self.mutants


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The scores of one version of a suite."""

    digest: str
    """Of the suite."""
    tasks: Mapping[str, RecordedScore]
    """By task id."""

    @property
    def score(self) -> float:
        """Share of all mutants that were killed."""
        return sum(each.killed for each in self.tasks.values()) / sum(
            each.mutants for each in self.tasks.values()
        )


def read_record(folder: Path) -> Record | None:
    """The scores that a suite's folder holds; None when there are none.

    Raises:
        InvalidSuite: the file is not what :func:`write_record` writes.
    """
    path = folder / RECORD_FILE
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Record(
            digest=document["digest"],
            tasks={task_id: RecordedScore(**row) for task_id, row in document["tasks"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InvalidSuite(
            f"{path} holds no mutation scores ({exc}).",
            next_step="Write it anew: tailwatch suite validate SUITE --mutants --record.",
        ) from exc


def write_record(folder: Path, suite: Suite, scores: Iterable[MutationScore]) -> None:
    """Put scores into a suite's record; those of other tasks stay while the tasks do.

    A task whose mutants could not all be run is left out.
    """
    before = read_record(folder)
    rows = {
        task_id: row
        for task_id, row in (before.tasks if before else {}).items()
        if task_id in suite and suite[task_id].digest == row.digest
    }
    for each in scores:
        rows.pop(each.task_id, None)
        if each.mutants and not each.not_run:
            rows[each.task_id] = RecordedScore(
                digest=suite[each.task_id].digest,
                mutants=each.mutants,
                killed=each.killed,
                equivalent=each.equivalent,
            )
    write_file(folder / RECORD_FILE, _text(suite, rows))


def _text(suite: Suite, rows: Mapping[str, RecordedScore]) -> str:
    """One task a line, so that versions can be compared as text."""
    lines = (f"    {json.dumps(task_id)}: {json.dumps(_row(row))}" for task_id, row in sorted(rows.items()))
    head = f'  "suite": {json.dumps(suite.name)},\n  "digest": {json.dumps(suite.digest)},\n  "tasks": {{\n'
    return "{\n" + head + ",\n".join(lines) + "\n  }\n}\n"


def _row(row: RecordedScore) -> dict[str, Any]:
    return {
        "digest": row.digest,
        "mutants": row.mutants,
        "killed": row.killed,
        "equivalent": row.equivalent,
    }
