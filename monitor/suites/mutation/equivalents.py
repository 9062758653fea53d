"""The reviewed list of mutants that do what the reference does, so that no test can tell them apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from monitor.domain.errors import InvalidSuite
from monitor.suites.loading import read_entry

EQUIVALENTS_FILE: Final = "equivalent-mutants.yaml"

Text = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EquivalentMutant(_Entry):
    """A mutant that somebody looked at and found to do the same."""

    task_id: Text
    change: Text = Field(description="As `suite validate --mutants` prints it.")
    why: Text


class EquivalentsFile(_Entry):
    """The list of one suite."""

    mutants: list[EquivalentMutant]


def read_equivalents(folder: Path) -> Mapping[str, frozenset[str]]:
    """The changes that make equivalent mutants, by task id; none when the suite has no such list.

    Raises:
        InvalidSuite: the file is wrong, or lists a mutant twice.
    """
    path = folder / EQUIVALENTS_FILE
    if not path.exists():
        return {}
    found: dict[str, set[str]] = {}
    for entry in read_entry(path, EquivalentsFile).mutants:
        changes = found.setdefault(entry.task_id, set())
        if entry.change in changes:
            raise InvalidSuite(
                f"{path} lists a mutant of {entry.task_id} twice: {entry.change}",
                next_step="Remove one of them.",
            )
        changes.add(entry.change)
    return {task_id: frozenset(changes) for task_id, changes in found.items()}


def refuse_unknown_tasks(equivalents: Mapping[str, frozenset[str]], task_ids: Collection[str]) -> None:
    """See that every listed mutant is of a task.

    Raises:
        InvalidSuite: one is not.
    """
    for task_id in equivalents.keys() - set(task_ids):
        raise InvalidSuite(
            f"{EQUIVALENTS_FILE} lists a mutant of {task_id!r}, which is no task of the suite.",
            next_step="Remove the entry, or mend its task_id.",
        )


def refuse_unknown_changes(task_id: str, listed: Collection[str], changes: Collection[str]) -> None:
    """See that a task has every mutant that is listed for it.

    Raises:
        InvalidSuite: it lacks one, as after an edit of its reference, and the list needs another look.
    """
    for change in sorted(set(listed) - set(changes)):
        raise InvalidSuite(
            f"{EQUIVALENTS_FILE} lists a mutant that {task_id} does not have: {change}",
            next_step="Review the task's survivors again: tailwatch suite validate SUITE --mutants.",
        )
