"""Ranking a suite: rarity scores from a table of feature counts, strata from the scores."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.atomic_files import replace_files
from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Stratum, Task, TaskKind
from monitor.rarity.features import PYTHON, parsed
from monitor.rarity.score import Explanation, explain
from monitor.rarity.table import RarityTable
from monitor.suites.format import SUITE_FILE, CorpusFeatures, Quantiles, TaskFile
from monitor.suites.loading import SuiteFiles, build_suite, doubts
from monitor.suites.mutation.equivalents import EQUIVALENTS_FILE
from monitor.suites.writing import entry_text, new_suite, task_text

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
    answers: tuple[str, ...]
    """Ids of the tasks that are no programs: each has the median score of those that are."""
    doubts: tuple[str, ...]
    """What should be known before the ranked suite is relied on, one sentence each."""
    corpus: str
    """The table behind the scores: its name and digest."""


def rank_suite(files: SuiteFiles, table: RarityTable) -> Ranking:
    """Score every task by a table; the header's own quantiles or cut points stay.

    Raises:
        InvalidSuite: the suite is wrong, a reference does not parse, or no task is a program.
    """
    before = {task.task_id: task.stratum for task in build_suite(files)}
    ranked = SuiteFiles(
        header=files.header.model_copy(update={"rarity": _rule(files, table)}),
        tasks=_scored(files, table),
    )
    suite = build_suite(ranked)
    rows = [
        RankedTask(
            task_id=task.task_id,
            language=task.language,
            rarity=task.rarity,
            before=before[task.task_id],
            after=task.stratum,
        )
        for task in suite
    ]
    rows.sort(key=lambda row: (-row.rarity, row.task_id))
    return Ranking(
        files=ranked,
        tasks=tuple(rows),
        answers=tuple(task.task_id for task in suite if task.kind is TaskKind.ANSWER),
        doubts=doubts(suite),
        corpus=table.reference,
    )


def explain_task(task: Task, table: RarityTable) -> Explanation | None:
    """Why a task has its score under a table; None for answers, which are no programs."""
    if not task.entry_point:
        return None
    return explain(task.prompt + task.canonical_solution, task.language, table)


def write_in_place(ranking: Ranking, folder: Path) -> None:
    """Write the new scores into the suite's own files, header last."""
    header = ranking.files.header
    texts = {path: task_text(task, header) for path, task in ranking.files.tasks.items()}
    replace_files({**texts, folder / SUITE_FILE: entry_text(header)})


def write_copy(ranking: Ranking, source: Path, folder: Path) -> None:
    """Write the suite with its new scores into a new folder, its list of equivalent mutants included.

    Raises:
        InvalidSuite: there is something in the folder already, or it cannot be made.
    """
    with new_suite(folder, ranking.files.header) as writer:
        for task in ranking.files.tasks.values():
            writer.add(task)
        if (source / EQUIVALENTS_FILE).exists():
            shutil.copyfile(source / EQUIVALENTS_FILE, writer.folder / EQUIVALENTS_FILE)


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


def _scored(files: SuiteFiles, table: RarityTable) -> dict[Path, TaskFile]:
    """The tasks with their scores; an answer has no features, and the middle of the programs' scores."""
    _refuse_broken(files)
    scores = {path: _score(task, table) for path, task in files.tasks.items() if task.kind == "program"}
    if not scores:
        raise InvalidSuite(
            f"No task of {files.header.name!r} is a program, so none has features to score it by.",
            next_step="Use the rarity method training-frequency for a suite of answers.",
        )
    middle = statistics.median_low(scores.values())
    return {
        path: task.model_copy(update={"rarity": scores.get(path, middle), "frequency": None})
        for path, task in files.tasks.items()
    }


def _score(task: TaskFile, table: RarityTable) -> float:
    told = explain(task.prompt + task.canonical_solution, task.language, table)
    return round(told.score, DECIMALS)


def _refuse_broken(files: SuiteFiles) -> None:
    """See that every Python reference parses; all that do not are told at once."""
    broken = [
        f"{task.task_id} ({path})"
        for path, task in files.tasks.items()
        if task.kind == "program"
        and task.language == PYTHON
        and parsed(task.prompt + task.canonical_solution) is None
    ]
    if broken:
        raise InvalidSuite(
            f"Reference solutions that do not parse cannot be ranked: {', '.join(broken)}.",
            next_step="Mend them or remove their files, as an import that runs the references does.",
        )
