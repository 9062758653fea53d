"""From the facts a supervisor reports to the outcome of a program."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

from monitor.domain.samples import Execution, Outcome, Program, Trust
from monitor.domain.tasks import TaskKind
from monitor.programs.languages import PYTHON
from monitor.sandbox.inside import wording

_LIMITS = {
    "cpu": (Outcome.TIMED_OUT, "used more than {cpu_s:g} s of CPU"),
    "idle": (Outcome.TIMED_OUT, "neither ended nor computed"),
    "judge_cpu": (Outcome.TIMED_OUT, "its tests did not end on what it returned"),
    "memory": (Outcome.OUT_OF_MEMORY, "used more than {memory_bytes} bytes of memory"),
    "wall": (Outcome.UNSCORED, "the machine was too busy to run it"),
}
_VERDICTS = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "untested": Outcome.FAILED,
    "malformed": Outcome.FAILED,
    "flooded": Outcome.FAILED,
    "rejected": Outcome.REJECTED,
    "task_error": Outcome.UNSCORED,
}
_NOT_COMPILED_STATUS = 97


def trust_of(program: Program) -> Trust:
    """Whether the tests of a program run where it cannot reach them."""
    if program.kind is TaskKind.ANSWER or (program.language == PYTHON and not program.in_process):
        return Trust.SPLIT
    return Trust.IN_PROCESS


def weigh(report: Mapping[str, Any], program: Program) -> Execution:
    """The execution that a report describes."""
    outcome, detail = _outcome(report, program)
    return Execution(
        outcome=outcome,
        cpu_s=round(float(report["cpu_s"]), 6),
        wall_s=round(float(report["wall_s"]), 6),
        peak_bytes=int(report["peak_bytes"]),
        detail=detail,
        trust=trust_of(program),
        untested=outcome is Outcome.FAILED and report["verdict"] == "untested",
    )


def unscored(detail: str, program: Program) -> Execution:
    """Our trouble, as an execution."""
    return Execution(outcome=Outcome.UNSCORED, detail=wording.printable(detail), trust=trust_of(program))


def _outcome(report: Mapping[str, Any], program: Program) -> tuple[Outcome, str]:
    return _by_limit(report, program) or _by_verdict(report, program)


def _by_limit(report: Mapping[str, Any], program: Program) -> tuple[Outcome, str] | None:
    """What a limit decided, or None when none was reached."""
    reached = report["ended_by"]
    if report["oom"] and report["verdict"] != "passed":
        reached = "memory"
    elif not reached and (
        report["cpu_s"] > program.limits.cpu_s or _signal(report["status"]) == signal.SIGXCPU
    ):
        # Also what ended just before we looked: the limit decides, not when we happened to look.
        reached = "cpu"
    if not reached:
        return None
    outcome, text = _LIMITS[reached]
    return outcome, text.format(cpu_s=program.limits.cpu_s, memory_bytes=program.limits.memory_bytes)


def _by_verdict(report: Mapping[str, Any], program: Program) -> tuple[Outcome, str]:
    verdict, detail, status = report["verdict"], str(report["detail"]), int(report["status"])
    if verdict == "finished":
        return (Outcome.PASSED, "") if status == 0 else _command_failed(status, detail)
    if verdict == "out_of_memory":
        # What its interpreter said is no more than text: it counts with the end it is said to have led to.
        return (Outcome.OUT_OF_MEMORY if status else Outcome.FAILED), detail
    if verdict == "lost":
        return _ended(status)
    if verdict == "failed" and program.language != PYTHON and program.kind is TaskKind.PROGRAM:
        return _command_failed(status, detail)
    if verdict == "failed" and detail.startswith("MemoryError"):
        return Outcome.OUT_OF_MEMORY, detail
    return _VERDICTS[verdict], detail


def _command_failed(status: int, detail: str) -> tuple[Outcome, str]:
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _NOT_COMPILED_STATUS:
        return Outcome.REJECTED, detail
    if os.WIFSIGNALED(status):
        return _ended(status)
    return Outcome.FAILED, detail or f"exited with status {os.waitstatus_to_exitcode(status)}"


def _signal(status: int) -> int:
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _ended(status: int) -> tuple[Outcome, str]:
    when = "before its tests were over"
    number = _signal(status)
    if not number:
        return Outcome.CRASHED, f"exited with status {os.waitstatus_to_exitcode(status)} {when}"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return Outcome.CRASHED, f"was killed by {name} {when}"
