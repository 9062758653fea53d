from __future__ import annotations

import signal
from typing import Any

import pytest

from monitor.domain.samples import Limits, Outcome, Program, Trust
from monitor.domain.tasks import TaskKind
from monitor.sandbox import verdict


def program(**changes: Any) -> Program:
    fields = {
        "language": "python",
        "source": "x",
        "test": "t",
        "entry_point": "f",
        "limits": Limits(cpu_s=1.0),
    }
    return Program(**{**fields, **changes})


def report(**changes: Any) -> dict[str, Any]:
    fields = {"verdict": "passed", "detail": "", "ended_by": "", "oom": False, "status": 0}
    return {**fields, "cpu_s": 0.1, "wall_s": 0.2, "peak_bytes": 9, **changes}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Outcome.PASSED),
        ({"status": signal.SIGKILL}, Outcome.PASSED),
        ({"verdict": "failed"}, Outcome.FAILED),
        ({"verdict": "untested"}, Outcome.FAILED),
        ({"verdict": "malformed"}, Outcome.FAILED),
        ({"verdict": "flooded"}, Outcome.FAILED),
        ({"verdict": "rejected"}, Outcome.REJECTED),
        ({"verdict": "task_error"}, Outcome.UNSCORED),
        ({"verdict": "lost", "status": signal.SIGSEGV}, Outcome.CRASHED),
        ({"verdict": "lost", "status": 0}, Outcome.CRASHED),
        ({"verdict": "lost", "status": signal.SIGKILL, "oom": True}, Outcome.OUT_OF_MEMORY),
        ({"verdict": "lost", "status": signal.SIGXCPU}, Outcome.TIMED_OUT),
        ({"verdict": "lost", "status": signal.SIGKILL, "ended_by": "cpu"}, Outcome.TIMED_OUT),
        ({"verdict": "lost", "status": signal.SIGKILL, "ended_by": "idle"}, Outcome.TIMED_OUT),
        ({"verdict": "lost", "status": signal.SIGKILL, "ended_by": "judge_cpu"}, Outcome.TIMED_OUT),
        ({"verdict": "lost", "status": signal.SIGKILL, "ended_by": "memory"}, Outcome.OUT_OF_MEMORY),
        ({"verdict": "lost", "status": signal.SIGKILL, "ended_by": "wall"}, Outcome.UNSCORED),
        ({"verdict": "failed", "detail": "MemoryError"}, Outcome.OUT_OF_MEMORY),
        ({"cpu_s": 1.001}, Outcome.TIMED_OUT),
    ],
)
def test_facts_become_the_outcome_they_mean(changes: dict[str, Any], expected: Outcome) -> None:
    assert verdict.weigh(report(**changes), program()).outcome is expected


def test_what_the_test_did_is_told_apart_from_what_the_program_did() -> None:
    assert verdict.weigh(report(verdict="untested"), program()).untested
    assert not verdict.weigh(report(verdict="failed"), program()).untested
    assert not verdict.weigh(report(verdict="untested", cpu_s=1.001), program()).untested


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"verdict": "finished"}, Outcome.PASSED),
        ({"verdict": "finished", "status": 1 << 8}, Outcome.FAILED),
        ({"verdict": "out_of_memory", "status": 1 << 8}, Outcome.OUT_OF_MEMORY),
        ({"verdict": "out_of_memory", "status": signal.SIGABRT}, Outcome.OUT_OF_MEMORY),
        ({"verdict": "out_of_memory", "status": 0}, Outcome.FAILED),
        ({"verdict": "failed", "status": 0}, Outcome.FAILED),
        ({"verdict": "failed", "status": 1 << 8}, Outcome.FAILED),
        ({"verdict": "failed", "status": 97 << 8}, Outcome.REJECTED),
        ({"verdict": "failed", "status": signal.SIGSEGV}, Outcome.CRASHED),
    ],
)
def test_other_languages_are_judged_by_their_last_words_and_status(
    changes: dict[str, Any], expected: Outcome
) -> None:
    assert verdict.weigh(report(**changes), program(language="ruby")).outcome is expected


def test_a_crash_names_the_signal() -> None:
    execution = verdict.weigh(report(verdict="lost", status=signal.SIGSEGV), program())
    assert execution.detail == "was killed by SIGSEGV before its tests were over"


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert "signal 40" in verdict.weigh(report(verdict="lost", status=40), program()).detail


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Trust.SPLIT),
        ({"in_process": True}, Trust.IN_PROCESS),
        ({"language": "ruby"}, Trust.IN_PROCESS),
        ({"language": "french", "kind": TaskKind.ANSWER}, Trust.SPLIT),
    ],
)
def test_trust_follows_from_where_the_tests_ran(changes: dict[str, Any], expected: Trust) -> None:
    assert verdict.trust_of(program(**changes)) is expected
