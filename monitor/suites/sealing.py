"""Which tasks of a suite are sealed."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.domain.identity import content_digest
from monitor.domain.tasks import Seal, Stratum, Task
from monitor.suites.format import SuiteFile


def seal_of(header: SuiteFile, tasks: Sequence[Task]) -> Seal | None:
    """The seal that a header asks for: the stated share of each stratum, the same tasks every time.

    Which ones follows from the suite's seed and the tasks' digests: nobody picks them, and adding a task
    moves at most one of a stratum in or out.
    """
    if header.sealed is None:
        return None
    sealed: list[str] = []
    for stratum in Stratum:
        members = [task for task in tasks if task.stratum is stratum]
        members.sort(key=lambda task: content_digest("seal", str(header.seed), task.digest))
        sealed += [task.task_id for task in members[: round(header.sealed.share * len(members))]]
    return Seal(task_ids=frozenset(sealed), every=header.sealed.every)
