"""Small suites on disk and in memory, for tests."""

from __future__ import annotations

from pathlib import Path

from monitor.domain.samples import Completion, FinishReason
from monitor.domain.tasks import Provenance, Stratum, Task, TaskKind

HEADER = """\
name: small
version: 1.0.0
licence: Apache-2.0
seed: 7
description: A suite for tests.
rarity:
  method: training-frequency
  head_at_least: 0.1
  torso_at_least: 0.01
contamination_canary: canary-8d1f
"""


def task_text(task_id: str, frequency: float = 0.2) -> str:
    """A task file."""
    return f"""\
task_id: {task_id}
prompt: |
  def double(x):
canonical_solution: |2
      return 2 * x
test: |
  def check(candidate):
      assert candidate(4) == 8
entry_point: double
language: python
kind: program
time_limit_s: 2.0
topic: arithmetic
frequency: {frequency}
stop: ["\\ndef "]
provenance:
  author: A. Tester
  created: 2026-01-31
  licence: Apache-2.0
  source: original
  written_by: human
"""


def write_suite_folder(folder: Path, tasks: dict[str, str], header: str = HEADER) -> Path:
    """A suite of task files by file stem."""
    (folder / "tasks").mkdir(parents=True)
    (folder / "suite.yaml").write_text(header, encoding="utf-8")
    for stem, text in tasks.items():
        (folder / "tasks" / f"{stem}.yaml").write_text(text, encoding="utf-8")
    return folder


def a_task(
    *,
    prompt: str = "def double(x):\n",
    entry_point: str = "double",
    language: str = "python",
    kind: TaskKind = TaskKind.PROGRAM,
    stop: tuple[str, ...] = (),
) -> Task:
    """A task for assembly."""
    return Task(
        task_id="t/1",
        prompt=prompt,
        canonical_solution="    return 2 * x\n",
        test="def check(candidate):\n    assert candidate(4) == 8\n",
        entry_point=entry_point,
        language=language,
        kind=kind,
        time_limit_s=3.0,
        topic="arithmetic",
        rarity=1.0,
        stratum=Stratum.HEAD,
        provenance=Provenance(
            author="A. Tester", created="2026-01-31", licence="MIT", source="original", written_by="human"
        ),
        digest="d" * 64,
        stop=stop,
    )


def a_completion(
    text: str, finish_reason: FinishReason = FinishReason.STOP, *, detail: str = ""
) -> Completion:
    """A completion of :func:`a_task`."""
    return Completion(
        task_id="t/1", index=0, seed=5, text=text, finish_reason=finish_reason, tokens=9, detail=detail
    )
