"""Content digests of tasks and suites: what changes an outcome changes the digest.

Topic, provenance, licence, description and shares of traffic are not part of the experiment: mending
them keeps every stored sample valid. Rarity decides which stratum a sample counts
for, so it is part of the suite's digest, but not of the task's, whose samples stay what they are when
a suite is ranked anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.domain.identity import content_digest
from monitor.domain.tasks import Task
from monitor.suites.format import SuiteFile, TaskFile


def task_digest(task: TaskFile) -> str:
    """sha256 over everything of a task that can change an outcome, hexadecimal."""
    return content_digest(
        "task",
        task.task_id,
        task.kind,
        task.language,
        task.prompt,
        task.canonical_solution,
        task.test,
        task.entry_point,
        repr(float(task.time_limit_s)),
        str(len(task.stop)),
        *task.stop,
    )


def suite_digest(header: SuiteFile, tasks: Iterable[Task]) -> str:
    """sha256 over header and tasks, in the order of their ids, hexadecimal."""
    parts = ["suite", header.name, header.version, str(header.seed), header.rarity.model_dump_json()]
    if header.sealed is not None:
        parts += ["sealed", header.sealed.model_dump_json()]
    for task in sorted(tasks, key=lambda each: each.task_id):
        parts += [task.task_id, task.digest, repr(task.rarity), task.stratum.value]
    return content_digest(*parts)
