"""Ranking a suite: rarity scores from a table of feature counts, strata from the scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Stratum, Task
from monitor.rarity.features import PYTHON
from monitor.rarity.score import Explanation, explain
from monitor.rarity.table import RarityTable
from monitor.suites.format import SUITE_FILE, CorpusFeatures, Quantiles, TaskFile
from monitor.suites.loading import SuiteFiles, build_suite
from monitor.suites.writing import entry_text, write_suite

USUAL_QUANTILES = Quantiles(torso_from=0.333, tail_from=0.667)
"""Thirds, for suites whose header says nothing else."""

DECIMALS = 3
"""Of scores in files: more would say nothing, and change with every rebuilt table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedTask:
    """What ranking makes of one task."""

    task_id: str
    language: str
    rarity: float
    """New score; larger is rarer."""
    before: Stratum
    after: Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """A suite with new scores, and what changed."""

    files: SuiteFiles
    """As they are to be written."""
    tasks: tuple[RankedTask, ...]
    """Rarest first."""
    corpus: str
    """The table behind the scores: its name and digest."""


def rank_suite(files: SuiteFiles, table: RarityTable) -> Ranking:
    """Score every task by a table; the header's own quantiles or cut points stay.

    Raises:
        InvalidSuite: the suite is wrong, or a task's reference has no features to score it by.
    """
    before = {task.task_id: task.stratum for task in build_suite(files)}
    ranked = SuiteFiles(
        header=files.header.model_copy(update={"rarity": _rule(files, table)}),
        tasks={path: _scored(path, task, table) for path, task in files.tasks.items()},
    )
    rows = [
        RankedTask(
            task_id=task.task_id,
            language=task.language,
            rarity=task.rarity,
            before=before[task.task_id],
            after=task.stratum,
        )
        for task in build_suite(ranked)
    ]
    rows.sort(key=lambda row: (-row.rarity, row.task_id))
    return Ranking(files=ranked, tasks=tuple(rows), corpus=table.reference)


def explain_task(task: Task, table: RarityTable) -> Explanation | None:
    """Why a task has its score under a table; None for answers, which are no programs."""
    if not task.entry_point:
        return None
    return explain(task.prompt + task.canonical_solution, task.language, table)


def write_in_place(ranking: Ranking, folder: Path) -> None:
    """Write the new scores into the suite's own files, header last."""
    for path, task in ranking.files.tasks.items():
        path.write_text(entry_text(task), encoding="utf-8", newline="\n")
    (folder / SUITE_FILE).write_text(entry_text(ranking.files.header), encoding="utf-8", newline="\n")


def write_copy(ranking: Ranking, folder: Path) -> None:
    """Write the suite with its new scores into a new folder.

    Raises:
        InvalidSuite: there is something in the folder already.
    """
    write_suite(folder, ranking.files.header, ranking.files.tasks.values())


def moves(ranking: Ranking) -> Mapping[tuple[Stratum, Stratum], int]:
    """How many tasks change from one stratum to another, by both."""
    found: dict[tuple[Stratum, Stratum], int] = {}
    for row in ranking.tasks:
        if row.before is not row.after:
            found[row.before, row.after] = found.get((row.before, row.after), 0) + 1
    return found


def _rule(files: SuiteFiles, table: RarityTable) -> CorpusFeatures:
    rule = files.header.rarity
    if isinstance(rule, CorpusFeatures):
        return rule.model_copy(update={"corpus": table.reference})
    return CorpusFeatures(method="corpus-features", corpus=table.reference, quantiles=USUAL_QUANTILES)


def _scored(path: Path, task: TaskFile, table: RarityTable) -> TaskFile:
    told = explain(task.prompt + task.canonical_solution, task.language, table)
    if task.kind != "program" or (task.language == PYTHON and not told.features):
        raise InvalidSuite(
            f"{path}: the reference solution of {task.task_id!r} has no features to score it by.",
            next_step="Only programs that parse can be ranked; leave the task out, or use another method.",
        )
    return task.model_copy(update={"rarity": round(told.score, DECIMALS), "frequency": None})
