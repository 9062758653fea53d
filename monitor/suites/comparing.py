"""What changed between two versions of a suite."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.domain.tasks import Stratum, Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A task that counts for another stratum than before."""

    task_id: str
    before: Stratum
    after: Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteDifference:
    """From one suite to another; task ids sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """In both, but something that can change an outcome differs: stored samples do not carry over."""
    moved: tuple[Move, ...]
    """In both, in another stratum."""
    same_digest: bool
    """Whether evaluations of the one are evaluations of the other."""


def compare_suites(before: Suite, after: Suite) -> SuiteDifference:
    """The difference between two suites, task by task."""
    shared = [task for task in after if task.task_id in before]
    return SuiteDifference(
        added=tuple(task.task_id for task in after if task.task_id not in before),
        removed=tuple(task.task_id for task in before if task.task_id not in after),
        changed=tuple(task.task_id for task in shared if task.digest != before[task.task_id].digest),
        moved=tuple(
            Move(task_id=task.task_id, before=before[task.task_id].stratum, after=task.stratum)
            for task in shared
            if task.stratum is not before[task.task_id].stratum
        ),
        same_digest=before.digest == after.digest,
    )
