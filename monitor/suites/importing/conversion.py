"""What the readers of public formats share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from monitor.programs.languages import syntax_of
from monitor.suites.format import ProvenanceEntry, TaskFile


class LeftOutBecause(StrEnum):
    """Why a task was not imported."""

    MALFORMED = "malformed"
    """A field is missing or wrong."""
    NO_REFERENCE = "no-reference"
    """It has no reference solution, so nothing shows that its tests can be passed."""
    REFERENCE_FAILED = "reference-failed"
    """Its reference solution does not pass its tests here."""
    NOT_RUN = "not-run"
    """Its reference solution could not be run here, for example for want of the language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A task that was not imported."""

    task_id: str
    because: LeftOutBecause
    detail: str


class NotImportable(Exception):  # An everyday answer of a reader, not a failure of anything.
    """A record that cannot become a task."""

    def __init__(self, because: LeftOutBecause, detail: str) -> None:
        super().__init__(detail)
        self.because = because
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where tasks come from: what their provenance says. None is what is not known."""

    title: str
    licence: str
    """SPDX expression."""
    source: str
    """Repository or data set."""
    author: str | None = None
    created: str | None = None
    """Date of a benchmark's first release, ISO 8601."""
    written_by: str | None = None
    """Who wrote prompts and solutions: ``human`` or ``model``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What an importer may decide about every task."""

    origin: Origin
    time_limit_s: float


Reader = Callable[[Mapping[str, Any], Conversion], TaskFile]
"""Makes a task of one record; raises NotImportable."""


def text_of(record: Mapping[str, Any], name: str) -> str:
    """A field that must be a text.

    Raises:
        NotImportable: it is missing or something else.
    """
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise NotImportable(LeftOutBecause.MALFORMED, f"field {name} is missing or not a text")
    return value


def reference_of(record: Mapping[str, Any], name: str = "canonical_solution") -> str:
    """The reference solution.

    Raises:
        NotImportable: the record has none.
    """
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        raise NotImportable(LeftOutBecause.NO_REFERENCE, "it has no reference solution")
    return value


def make_task(conversion: Conversion, **fields: Any) -> TaskFile:
    """A task with the origin as its provenance, and stops of its own if the usual ones cut its reference.

    Raises:
        NotImportable: a field is not what a task file may hold, or every stop cuts the reference.
    """
    origin = conversion.origin
    try:
        provenance = ProvenanceEntry.model_validate(
            {
                "author": origin.author,
                "created": origin.created,
                "licence": origin.licence,
                "source": origin.source,
                "written_by": origin.written_by,
            }
        )
        task = TaskFile(provenance=provenance, time_limit_s=conversion.time_limit_s, **fields)
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise NotImportable(LeftOutBecause.MALFORMED, f"field {field}: {problem['msg']}") from exc
    return _with_safe_stops(task)


def _with_safe_stops(task: TaskFile) -> TaskFile:
    stops = task.stop or list(syntax_of(task.language).stops)
    safe = [stop for stop in stops if stop not in task.canonical_solution]
    if len(safe) == len(stops):
        return task
    if not safe:
        raise NotImportable(LeftOutBecause.MALFORMED, "every stop cuts its reference solution")
    return task.model_copy(update={"stop": safe})


def joined_by_newline(prompt: str, solution: str) -> str:
    """The solution as it follows the prompt: on a new line of its own."""
    return solution if prompt.endswith("\n") or solution.startswith("\n") else "\n" + solution
