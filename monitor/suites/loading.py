"""Suites from folders: read, checked, digested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from monitor.domain.encodings import wide_encoding
from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Provenance, Stratum, Suite, Task, TaskKind
from monitor.suites.digests import suite_digest, task_digest
from monitor.suites.documents import Document, DocumentError, parse_document
from monitor.suites.format import (
    SUITE_FILE,
    TASK_FOLDER,
    ProvenanceEntry,
    SuiteFile,
    TaskFile,
    rarity_score,
)
from monitor.suites.sealing import seal_of
from monitor.suites.shelves import find_suite
from monitor.suites.strata import cuts
from monitor.weights.files import read_start

MAX_FILE_BYTES = 4 * 2**20
"""A task larger than this is data in the wrong place."""

SHOWN_PROBLEMS = 3
"""Problems of one file that an error spells out."""

_SCHEMA_HINT = "docs/suites.md describes the format."

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFiles:
    """A suite as its files state it."""

    header: SuiteFile
    tasks: Mapping[Path, TaskFile]
    """By the file that holds it."""


def load_suite(path_or_name: str | Path) -> Suite:
    """A suite by name or folder, every file checked.

    Raises:
        InvalidSuite: it does not exist, or a file is wrong; the message names file, field and line.
    """
    return build_suite(read_suite_files(find_suite(path_or_name)))


def read_suite_files(folder: Path) -> SuiteFiles:
    """The files of a suite, each checked by itself, sorted by file name.

    Raises:
        InvalidSuite: as in :func:`load_suite`.
    """
    header = read_entry(folder / SUITE_FILE, SuiteFile)
    return SuiteFiles(header=header, tasks={path: read_entry(path, TaskFile) for path in _task_paths(folder)})


def read_entry(path: Path, model: type[Entry]) -> Entry:
    """A file of a suite as its model.

    Raises:
        InvalidSuite: it is no file, no document, or not what the model allows.
    """
    try:
        document = parse_document(_text(path))
    except DocumentError as exc:
        raise InvalidSuite(
            f"{path}, line {exc.line}: {exc.problem}.", next_step=f"Mend the line; {_SCHEMA_HINT}"
        ) from exc
    if not isinstance(document.value, dict):
        raise InvalidSuite(
            f"{path}, line {document.line_of(())}: not a mapping of fields to values.",
            next_step=f"Write one field per line, as in `name: value`; {_SCHEMA_HINT}",
        )
    try:
        return model.model_validate(document.value)
    except ValidationError as exc:
        raise InvalidSuite(_explain(path, document, exc), next_step=f"Mend the file; {_SCHEMA_HINT}") from exc


def build_suite(files: SuiteFiles) -> Suite:
    """The suite that files state, with strata and digests.

    Raises:
        InvalidSuite: tasks share an id, lack what the rarity method needs, or there are none.
    """
    if not files.tasks:
        raise InvalidSuite(
            f"The suite {files.header.name!r} has no tasks.",
            next_step=f"Put one YAML file per task into its folder {TASK_FOLDER}/.",
        )
    _refuse_shared_ids(files.tasks)
    scores = {path: _score(path, task, files.header) for path, task in files.tasks.items()}
    bands = cuts(files.header.rarity, list(scores.values()))
    provenances: dict[ProvenanceEntry, Provenance] = {}
    tasks = [
        build_task(task, rarity=scores[path], stratum=bands.stratum(scores[path]), provenances=provenances)
        for path, task in files.tasks.items()
    ]
    tasks.sort(key=lambda task: task.task_id)
    return Suite(
        name=files.header.name,
        version=files.header.version,
        licence=files.header.licence,
        description=files.header.description,
        seed=files.header.seed,
        rarity_method=files.header.rarity.method,
        tasks=tuple(tasks),
        digest=suite_digest(files.header, tasks),
        contamination_canary=files.header.contamination_canary,
        seal=seal_of(files.header, tasks),
        traffic=_traffic(files.header),
    )


def _traffic(header: SuiteFile) -> Mapping[Stratum, float] | None:
    if header.traffic is None:
        return None
    return {stratum: getattr(header.traffic, stratum.value) for stratum in Stratum}


def doubts(suite: Suite) -> tuple[str, ...]:
    """What is allowed but should be known before the suite is relied on, one sentence each."""
    found = []
    missing = [stratum.value for stratum in Stratum if stratum not in suite.strata]
    if missing:
        found.append(
            f"The suite {suite.name!r} has no tasks in {' and '.join(missing)}: "
            "it cannot show what happens there."
        )
    if suite.rarity_method == "unranked":
        found.append(f"The rarity of {suite.name!r} was not measured: all its tasks count as torso.")
    return tuple(found)


def _task_paths(folder: Path) -> list[Path]:
    try:
        entries = sorted((folder / TASK_FOLDER).iterdir())
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise InvalidSuite(
            f"{folder / TASK_FOLDER} cannot be read: {exc.strerror}.",
            next_step="It must be a folder that we may read.",
        ) from exc
    for path in entries:
        if path.suffix == ".yml":
            raise InvalidSuite(f"{path} would be overlooked.", next_step="Rename it to end in .yaml.")
    return [path for path in entries if path.suffix == ".yaml" and not path.name.startswith(".")]


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise InvalidSuite(f"{path} is no regular file.", next_step="Remove it, or put a file in its place.")
    try:
        content = read_start(path, MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise InvalidSuite(
            f"{path} cannot be read: {exc.strerror}.", next_step="Check that it exists and its permissions."
        ) from exc
    if len(content) > MAX_FILE_BYTES:
        raise InvalidSuite(
            f"{path} is larger than {MAX_FILE_BYTES} bytes.",
            next_step="Let the tests compute large data instead of carrying it.",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        wide = wide_encoding(content)
        problem = f"{path} is {wide} text." if wide else f"{path}, line {line}: not UTF-8."
        raise InvalidSuite(problem, next_step="Save it as UTF-8.") from exc


def _explain(path: Path, document: Document, error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)
    told = [_problem(document, dict(problem)) for problem in problems[:SHOWN_PROBLEMS]]
    more = len(problems) - len(told)
    return f"{path}: {'; '.join(told)}{f'; and {more} more' if more else ''}."


def _problem(document: Document, problem: dict[str, Any]) -> str:
    location: tuple[str | int, ...] = problem["loc"]
    line = document.line_of(location)
    if problem["type"] == "extra_forbidden":
        return f"line {line}, field {_dotted(location)}: unknown field"
    text = str(problem["msg"]).removeprefix("Value error, ")
    if not location:
        return f"line {line}: {text}"
    text = text[:1].lower() + text[1:]
    return f"line {line}, field {_dotted(location)}: {text}"


def _dotted(location: Sequence[str | int]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _refuse_shared_ids(tasks: Mapping[Path, TaskFile]) -> None:
    holders: dict[str, Path] = {}
    for path, task in tasks.items():
        holder = holders.setdefault(task.task_id, path)
        if holder is not path:
            raise InvalidSuite(
                f"{holder} and {path}, field task_id: both hold task {task.task_id!r}.",
                next_step="Give one of them another task_id, or remove it.",
            )


def _score(path: Path, task: TaskFile, header: SuiteFile) -> float:
    try:
        return rarity_score(task, header.rarity)
    except ValueError as exc:
        field = str(exc).partition(":")[0]
        line = parse_document(_text(path)).line_of((field,))
        raise InvalidSuite(
            f"{path}, line {line}, field {exc}.",
            next_step=f"Mend the task, or the rarity method in {SUITE_FILE}.",
        ) from exc


def build_task(
    entry: TaskFile,
    *,
    rarity: float = 0.0,
    stratum: Stratum = Stratum.TORSO,
    provenances: dict[ProvenanceEntry, Provenance] | None = None,
) -> Task:
    """The task that a file states; by default one that was not ranked.

    Args:
        entry: the file.
        rarity: its score.
        stratum: its band.
        provenances: those met so far, to be shared: ten thousand equal copies would cost memory.
    """
    provenance = (provenances or {}).get(entry.provenance)
    if provenance is None:
        provenance = Provenance(**entry.provenance.model_dump())
        if provenances is not None:
            provenances[entry.provenance] = provenance
    return Task(
        task_id=entry.task_id,
        prompt=entry.prompt,
        canonical_solution=entry.canonical_solution,
        test=entry.test,
        entry_point=entry.entry_point,
        language=entry.language,
        kind=TaskKind(entry.kind),
        time_limit_s=float(entry.time_limit_s),
        topic=entry.topic,
        rarity=rarity,
        stratum=stratum,
        provenance=provenance,
        digest=task_digest(entry),
        stop=tuple(entry.stop),
    )
