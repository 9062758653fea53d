"""Scoring existing generations: a file of programs in, one result record per program out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monitor.calibration import calibrate
from monitor.domain.errors import InvalidInput, SandboxTrouble
from monitor.domain.samples import Calibration, Execution, Limits, Outcome, Program
from monitor.ports import Sandbox
from monitor.programs.checks import as_check, with_helpers
from monitor.programs.languages import PYTHON
from monitor.sandbox import verdict
from monitor.sandbox.languages import LANGUAGES

_MAX_CHARACTERS = 4 * 2**20
"""Of one line: far more than any program, and few enough for every message on the way."""
_FORM = "Each line is one JSON object with task_id, completion, test and entry_point; see docs/sandbox.md."


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One line of a file of programs."""

    task_id: str
    program: Program
    reference: Program | None
    """The task's own solution, when the line carries one: it decides how the tests are run."""


def read_programs(path: Path) -> tuple[Submission, ...]:
    """All programs of a JSON Lines file, in order.

    Raises:
        InvalidInput: it cannot be read, or a line is malformed; names file and line.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(f"{path} cannot be read: {exc}.", next_step=_FORM) from exc
    submissions = tuple(
        _submission(line, f"{path}, line {number}")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    )
    if not submissions:
        raise InvalidInput(f"{path} holds no programs.", next_step=_FORM)
    return submissions


class Scorer:
    """Runs submissions; what the reference of a task becomes is found once, when it is first asked for."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._calibrations: dict[str, asyncio.Task[Calibration]] = {}

    async def score(self, submission: Submission) -> dict[str, Any]:
        """The result record of one submission.

        A program that could not be run, for whatever reason of ours, is UNSCORED in it.
        """
        return as_record(submission.task_id, await self._execution(submission))

    async def _execution(self, submission: Submission) -> Execution:
        program, reference = submission.program, submission.reference
        try:
            if reference is None:
                execution = await self._sandbox.execute(program)
                # A test that was never seen to pass: that it cannot run is no fault of the program.
                return verdict.unscored(execution.detail, program) if execution.untested else execution
            mode = await self._calibrated(reference)
            program = replace(program, in_process=mode.in_process)
            if mode.reference.outcome is not Outcome.PASSED:
                # Tests that fail even the task's own solution say nothing about anybody else's.
                became = f"{mode.reference.outcome.value} {mode.reference.detail}".strip()
                return verdict.unscored(
                    f"the canonical_solution of task {submission.task_id} does not pass here: {became}",
                    program,
                )
            return await self._sandbox.execute(program)
        except SandboxTrouble as exc:
            return verdict.unscored(str(exc), program)

    async def _calibrated(self, reference: Program) -> Calibration:
        found = self._calibrations.get(reference.digest)
        if found is None:
            found = asyncio.ensure_future(calibrate(reference, self._sandbox))
            self._calibrations[reference.digest] = found
        return await asyncio.shield(found)


def as_record(task_id: str, execution: Execution) -> dict[str, Any]:
    """A result as it is written, one JSON object per line."""
    return {
        "task_id": task_id,
        "outcome": execution.outcome.value,
        "detail": execution.detail,
        "cpu_s": execution.cpu_s,
        "wall_s": execution.wall_s,
        "peak_bytes": execution.peak_bytes,
        "trust": execution.trust.value,
    }


def _submission(line: str, where: str) -> Submission:
    if len(line) > _MAX_CHARACTERS:
        raise InvalidInput(f"{where}: longer than {_MAX_CHARACTERS} characters.", next_step=_FORM)
    try:
        fields = json.loads(line)
    except ValueError as exc:
        raise InvalidInput(f"{where}: not JSON ({exc}).", next_step=_FORM) from exc
    except RecursionError as exc:
        raise InvalidInput(f"{where}: JSON that is nested too deeply.", next_step=_FORM) from exc
    if not isinstance(fields, dict):
        raise InvalidInput(f"{where}: not a JSON object.", next_step=_FORM)
    language = _text(fields, "language", where, default=PYTHON).lower()
    if language != PYTHON and language not in LANGUAGES:
        known = ", ".join((PYTHON, *LANGUAGES))
        raise InvalidInput(f"{where}: unknown language {language!r}.", next_step=f"Known are {known}.")
    prompt = _text(fields, "prompt", where, default="")
    entry_point = _text(fields, "entry_point", where, default=None if language == PYTHON else "")
    test = _text(fields, "test", where)
    program = Program(
        language=language,
        source=prompt + _text(fields, "completion", where, written_by_model=True),
        test=_python_test(prompt, test, entry_point, where) if language == PYTHON else test,
        entry_point=entry_point,
        limits=Limits(cpu_s=_seconds(fields, where)),
    )
    solution = _text(fields, "canonical_solution", where, default="")
    reference = replace(program, source=prompt + solution) if solution else None
    return Submission(task_id=_text(fields, "task_id", where), program=program, reference=reference)


def _python_test(prompt: str, test: str, entry_point: str, where: str) -> str:
    try:
        return as_check(with_helpers(prompt, test, entry_point), entry_point)
    except ValueError as exc:
        raise InvalidInput(f"{where}: field test cannot decide anything: {exc}.", next_step=_FORM) from exc


def _text(
    fields: Mapping[str, Any],
    name: str,
    where: str,
    *,
    default: str | None = None,
    written_by_model: bool = False,
) -> str:
    value = fields.get(name, default)
    if value is None:
        raise InvalidInput(f"{where}: field {name} is missing.", next_step=_FORM)
    if not isinstance(value, str):
        raise InvalidInput(f"{where}: field {name} is not a string.", next_step=_FORM)
    # A model may write half a pair: then its program does not compile, and no other is concerned.
    if not written_by_model and any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidInput(
            f"{where}: field {name} holds half a surrogate pair, which is no character.", next_step=_FORM
        )
    return value


def _seconds(fields: Mapping[str, Any], where: str) -> float:
    value = fields.get("time_limit_s", Limits().cpu_s)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3600:
        raise InvalidInput(
            f"{where}: time_limit_s is not a number of CPU seconds above 0 and up to 3600.", next_step=_FORM
        )
    return float(value)
