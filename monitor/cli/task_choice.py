"""Tasks of a suite by patterns of their ids."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Suite, Task


def matching(suite: Suite, globs: Sequence[str]) -> list[Task]:
    """The tasks whose id matches one of the globs; all where there are none.

    Raises:
        InvalidSuite: no task matches.
    """
    tasks = [task for task in suite if not globs or any(fnmatchcase(task.task_id, glob) for glob in globs)]
    if not tasks:
        raise InvalidSuite(
            f"No task of {suite.name} matches {' or '.join(globs)}.",
            next_step=f"List them: tailwatch suite show {suite.name}.",
        )
    return tasks
