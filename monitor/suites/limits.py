"""Time limits from what the reference solutions need."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.atomic_files import replace_files
from monitor.suites.loading import read_suite_files
from monitor.suites.writing import task_text

_FACTOR = 10
"""A slower but right program, or a slower machine, must not time out."""

_LEAST_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """A task whose limit was written anew."""

    task_id: str
    before_s: float
    after_s: float


def limit_for(reference_cpu_s: float) -> float:
    """The CPU seconds that a task should allow, whole ones.

    >>> limit_for(0.02), limit_for(0.11)
    (1.0, 2.0)
    """
    return max(_LEAST_S, float(math.ceil(_FACTOR * reference_cpu_s)))


def set_limits(folder: Path, reference_cpu_s: Mapping[str, float]) -> list[LimitChange]:
    """Write ``time_limit_s`` into the files of the tasks whose limit is another; returns those.

    Args:
        folder: of the suite.
        reference_cpu_s: CPU seconds of the reference solutions, by task id; other tasks are left alone.

    Raises:
        InvalidSuite: the suite's files are wrong.
    """
    changes, changed = [], {}
    files = read_suite_files(folder)
    for path, task in files.tasks.items():
        if task.task_id not in reference_cpu_s:
            continue
        limit_s = limit_for(reference_cpu_s[task.task_id])
        if limit_s != task.time_limit_s:
            changed[path] = task_text(task.model_copy(update={"time_limit_s": limit_s}), files.header)
            changes.append(LimitChange(task_id=task.task_id, before_s=task.time_limit_s, after_s=limit_s))
    replace_files(changed)
    return changes
