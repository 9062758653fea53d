"""What is asked: tasks, their strata, and the suite that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Stratum(StrEnum):
    """A band of rarity, from what everybody asks to what almost nobody does."""

    HEAD = "head"
    TORSO = "torso"
    TAIL = "tail"


RAREST_FIRST = (Stratum.TAIL, Stratum.TORSO, Stratum.HEAD)
"""The order in which strata are sampled and shown as evidence."""


class TaskKind(StrEnum):
    """What is done with a completion."""

    PROGRAM = "program"
    """The completion is run as a program together with the task's tests."""
    ANSWER = "answer"
    """The completion's text is handed to the task's ``check(answer)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who made a task, when, under what licence."""

    licence: str
    """SPDX identifier."""
    source: str
    """Where it was taken from, or ``original``."""
    author: str | None = None
    """None where it is not stated, as in the next two."""
    created: str | None = None
    """Date, ISO 8601."""
    written_by: str | None = None
    """``human`` or ``model``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One benchmark problem with the tests that decide it."""

    task_id: str
    prompt: str
    canonical_solution: str
    """Reference completion of the prompt; its tests must pass."""
    test: str
    """Source that defines ``check(candidate)`` (HumanEval's convention)."""
    entry_point: str
    """Name that the tests call."""
    language: str
    kind: TaskKind
    time_limit_s: float
    """CPU seconds a program may use."""
    topic: str
    rarity: float
    """Measured rarity score by the suite's method; larger is rarer."""
    stratum: Stratum
    """Derived from ``rarity`` with the suite's cut points."""
    provenance: Provenance
    digest: str
    """sha256 over everything above that can change an outcome, hexadecimal."""
    stop: tuple[str, ...] = ()
    """Texts that end a completion, beside the model's own end token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Tasks that are rarely used, so that choosing checkpoints by the others shows as a gap."""

    task_ids: frozenset[str]
    """The sealed tasks."""
    every: int
    """They take part in every such evaluation of a model, and in each bank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A named, versioned, digested set of tasks."""

    name: str
    version: str
    licence: str
    description: str
    seed: int
    """Root of all sample seeds and task orders."""
    rarity_method: str
    tasks: tuple[Task, ...]
    """Sorted by task id."""
    digest: str
    """sha256 over the header and the digests of all tasks, hexadecimal."""
    contamination_canary: str = ""
    """Text whose appearance in training data or answers gives away that the suite leaked."""
    seal: Seal | None = None
    """None when no task is sealed."""
    traffic: Mapping[Stratum, float] | None = field(default=None, hash=False)
    """Share of the requests by stratum; None where it was not measured. No decision uses it."""
    _by_id: Mapping[str, Task] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {task.task_id: task for task in self.tasks})

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __getitem__(self, task_id: str) -> Task:
        return self._by_id[task_id]

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._by_id

    def __len__(self) -> int:
        return len(self.tasks)

    def stratum(self, stratum: Stratum) -> tuple[Task, ...]:
        """The tasks of one stratum, sorted by task id."""
        return tuple(task for task in self.tasks if task.stratum is stratum)

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """The strata that hold at least one task, rarest first."""
        present = {task.stratum for task in self.tasks}
        return tuple(stratum for stratum in RAREST_FIRST if stratum in present)
