"""Scoring existing generations: a file of programs in, one result record per program out."""

from __future__ import annotations

import ast
import asyncio
import json
import symtable
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monitor.calibration import calibrate
from monitor.domain.errors import InvalidInput, SandboxTrouble
from monitor.domain.samples import Calibration, Execution, Limits, Outcome, Program
from monitor.ports import Sandbox
from monitor.sandbox import verdict
from monitor.sandbox.languages import LANGUAGES, PYTHON

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


async def score(
    submissions: Sequence[Submission],
    sandbox: Sandbox,
    *,
    on_done: Callable[[Execution], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Run all programs; result records in the order of the programs.

    A program that could not be run, for whatever reason of ours, is UNSCORED in its record.
    """
    references = {s.reference.digest: s.reference for s in submissions if s.reference is not None}
    found = await asyncio.gather(*(_calibrated(reference, sandbox) for reference in references.values()))
    modes = dict(zip(references, found, strict=True))

    async def one(submission: Submission) -> dict[str, Any]:
        mode = modes[submission.reference.digest] if submission.reference else None
        execution = await _execution(submission, mode, sandbox)
        on_done(execution)
        return as_record(submission.task_id, execution)

    return await asyncio.gather(*(one(submission) for submission in submissions))


async def _calibrated(reference: Program, sandbox: Sandbox) -> Calibration:
    try:
        return await calibrate(reference, sandbox)
    except SandboxTrouble as exc:
        return Calibration(in_process=False, reference=verdict.unscored(str(exc), reference))


async def _execution(submission: Submission, mode: Calibration | None, sandbox: Sandbox) -> Execution:
    program = submission.program
    if mode is not None:
        program = replace(program, in_process=mode.in_process)
        if mode.reference.outcome is not Outcome.PASSED:
            # Tests that fail even the task's own solution say nothing about anybody else's.
            became = f"{mode.reference.outcome.value} {mode.reference.detail}".strip()
            return verdict.unscored(
                f"the canonical_solution of task {submission.task_id} does not pass here: {became}", program
            )
    try:
        return await sandbox.execute(program)
    except SandboxTrouble as exc:
        return verdict.unscored(str(exc), program)


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


def any_unscored(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether something of ours kept a program from being scored: exit code 3."""
    return any(record["outcome"] == Outcome.UNSCORED.value for record in records)


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
        source=prompt + _text(fields, "completion", where),
        test=with_helpers(prompt, test, entry_point) if language == PYTHON else test,
        entry_point=entry_point,
        limits=Limits(cpu_s=_seconds(fields, where)),
    )
    solution = _text(fields, "canonical_solution", where, default="")
    reference = replace(program, source=prompt + solution) if solution and language == PYTHON else None
    return Submission(task_id=_text(fields, "task_id", where), program=program, reference=reference)


def _text(fields: Mapping[str, Any], name: str, where: str, *, default: str | None = None) -> str:
    value = fields.get(name, default)
    if value is None:
        raise InvalidInput(f"{where}: field {name} is missing.", next_step=_FORM)
    if not isinstance(value, str):
        raise InvalidInput(f"{where}: field {name} is not a string.", next_step=_FORM)
    if any("\ud800" <= character <= "\udfff" for character in value):
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


# ------------------------------------------------------------------------- tests that lean on the prompt


_NOT_COMPILED = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What the compiler raises for text that is no program: NUL characters and deep nesting included."""


def with_helpers(prompt: str, test: str, entry_point: str) -> str:
    r"""The test, preceded by what it uses of the prompt: it runs where the program's names are not.

    >>> prompt = "def twice(x): return 2 * x\ndef f(x):"
    >>> print(with_helpers(prompt, "def check(c): assert c(1) == twice(1)", "f"))
    def twice(x):
        return 2 * x
    def check(c): assert c(1) == twice(1)
    """
    helpers = _definitions(prompt)
    try:
        wanted = _free_names(test)
    except _NOT_COMPILED:
        return test
    needed: dict[int, str] = {}
    while wanted:
        name = wanted.pop()
        if name == entry_point or name not in helpers:
            continue
        position, source = helpers[name]
        if position not in needed:
            needed[position] = source
            wanted |= _free_names(source)
    return "\n".join([*(needed[position] for position in sorted(needed)), test])


def _definitions(prompt: str) -> dict[str, tuple[int, str]]:
    """By name, the prompt's statements at the outermost level that bind it, and their place."""
    try:
        # A prompt often ends in the head of the function that is asked for.
        tree = ast.parse(prompt)
    except _NOT_COMPILED:
        try:
            tree = ast.parse(prompt.rstrip() + "\n    pass\n")
        except _NOT_COMPILED:
            return {}
    found = {}
    for position, statement in enumerate(tree.body):
        for name in _bound_by(statement):
            found[name] = (position, ast.unparse(statement))
    return found


def _bound_by(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
            return [statement.name]
        case ast.Import() | ast.ImportFrom():
            return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
        case ast.Assign():
            return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return []


def _free_names(source: str) -> set[str]:
    """Names that the source uses and does not bind itself, built-in ones included."""
    table = symtable.symtable(source, "<test>", "exec")
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    used = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    waiting = list(table.get_children())
    while waiting:
        child = waiting.pop()
        used |= {s.get_name() for s in child.get_symbols() if s.is_global() and s.is_referenced()}
        waiting += child.get_children()
    return used - bound
