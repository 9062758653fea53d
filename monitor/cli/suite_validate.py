"""`tailwatch suite validate`: whether a suite's tasks are sound and their tests bite."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from monitor.cli.app import ERROR, asynchronous, json_option, terminal
from monitor.cli.sandbox import backend_option, sandbox_for
from monitor.cli.task_choice import matching
from monitor.domain.tasks import Suite, Task
from monitor.ports import Sandbox
from monitor.suites.limits import LimitChange, set_limits
from monitor.suites.loading import load_suite
from monitor.suites.mutation.equivalents import read_equivalents, refuse_unknown_tasks
from monitor.suites.mutation.killing import LEAST_OVERALL_SCORE, LEAST_SCORE, MutationScore
from monitor.suites.mutation.mutant import FEW_MUTANTS
from monitor.suites.mutation.record import write_record
from monitor.suites.proving import Proof, Stage, prove
from monitor.suites.shelves import find_suite

FLAWED = 1
"""Exit code of the answer that something is wrong with the suite."""


@click.command()
@click.argument("name")
@click.option("--mutants", is_flag=True, help="Also run mutants of the reference solutions.")
@click.option("--record", is_flag=True, help="Keep the mutants' scores in the suite's folder.")
@click.option(
    "--task", "globs", multiple=True, metavar="GLOB", help="Only tasks whose id matches; repeatable."
)
@click.option("--set-limits", "limits", is_flag=True, help="Write time limits from the references' CPU time.")
@backend_option
@click.option("--workers", type=click.IntRange(1), help="Programs at once.  [default: one per core]")
@json_option
@asynchronous
async def validate(
    name: str,
    mutants: bool,
    record: bool,
    globs: tuple[str, ...],
    limits: bool,
    backend: str,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run every reference solution of NAME, and solutions that must not pass.

    Exit code 0 when all tasks are sound, 1 when one is not, 3 when not everything could be run.
    """
    if record and not mutants:
        raise click.UsageError("--record keeps the scores of --mutants: give both.")
    started_s = time.monotonic()
    folder = find_suite(name)
    loaded = load_suite(folder)
    tasks = matching(loaded, globs)
    equivalents = read_equivalents(folder) if mutants else None
    refuse_unknown_tasks(equivalents or {}, [task.task_id for task in loaded])
    speak = terminal(as_json=as_json)
    sandbox = await sandbox_for(backend, slots=workers)
    try:
        proof = await _prove(tasks, equivalents, sandbox, speak.progress)
    finally:
        await sandbox.close()
    sound = {each.task_id: each.reference_cpu_s for each in proof.validations if not each.flaws}
    changes = set_limits(folder, sound) if limits else []
    loaded = load_suite(folder) if changes else loaded
    if record:
        write_record(folder, loaded, proof.scores)
    wall_s = round(time.monotonic() - started_s, 1)
    speak.answer(_document(loaded, proof, changes, wall_s), lambda out: _print(out, proof, changes, wall_s))
    sys.exit({True: 0, False: FLAWED, None: ERROR}[proof.holds])


async def _prove(
    tasks: Sequence[Task],
    equivalents: Mapping[str, frozenset[str]] | None,
    sandbox: Sandbox,
    progress: Console,
) -> Proof:
    with Progress(console=progress, disable=not progress.is_terminal, transient=True) as bar:
        stages = [Stage.REFERENCES] if equivalents is None else list(Stage)
        lines = {stage: bar.add_task(stage.value, total=len(tasks)) for stage in stages}
        return await prove(
            tasks, sandbox, equivalents=equivalents, on_done=lambda stage: bar.advance(lines[stage])
        )


def _document(suite: Suite, proof: Proof, changes: list[LimitChange], wall_s: float) -> dict[str, Any]:
    return {
        "suite": suite.name,
        "digest": suite.digest,
        "tasks": len(proof.validations),
        "sound": len(proof.validations) - len(proof.flawed),
        "flawed": [asdict(each) for each in proof.flawed],
        "mutation": _mutation_document(proof) if proof.scores else None,
        "limits": [asdict(each) for each in changes],
        "wall_s": wall_s,
    }


def _mutation_document(proof: Proof) -> dict[str, Any]:
    return {
        "mutants": sum(each.mutants for each in proof.scores),
        "killed": sum(each.killed for each in proof.scores),
        "equivalent": sum(each.equivalent for each in proof.scores),
        "not_run": sum(each.not_run for each in proof.scores),
        "score": proof.overall_score,
        "least_score": LEAST_SCORE,
        "least_overall_score": LEAST_OVERALL_SCORE,
        "below": [each.task_id for each in proof.toothless],
        "few": _few(proof),
        "tasks": [{**asdict(each), "score": each.score} for each in proof.scores],
    }


def _few(proof: Proof) -> list[str]:
    """Tasks with so few mutants, or none at all, that their scores say little."""
    return [each.task_id for each in proof.scores if each.mutants < FEW_MUTANTS]


def _print(out: Console, proof: Proof, changes: list[LimitChange], wall_s: float) -> None:
    for result in proof.flawed:
        flaws = ", ".join(flaw.value for flaw in result.flaws)
        _say(out, f"{result.task_id}: {flaws}: {result.detail}")
    for score in proof.scores:
        if score.survivors:
            _print_survivors(out, score)
    for change in changes:
        _say(out, f"{change.task_id}: time limit {change.before_s:g} s, now {change.after_s:g} s")
    flawed = len(proof.flawed)
    _say(out, f"{len(proof.validations) - flawed} of {len(proof.validations)} tasks are sound.")
    if proof.scores:
        _print_scores(out, proof)
    _say(out, f"{wall_s:g} s.")


def _print_scores(out: Console, proof: Proof) -> None:
    killed, mutants = sum(s.killed for s in proof.scores), sum(s.mutants for s in proof.scores)
    if proof.overall_score is not None:
        least = f", at least {LEAST_OVERALL_SCORE:g} is asked for"
        _say(out, f"{killed} of {mutants} mutants killed, {proof.overall_score:.3f}{least}.")
    few = _few(proof)
    if few:
        _say(out, f"Fewer than {FEW_MUTANTS} mutants, so their scores say little: {', '.join(few)}.")
    _say(out, f"{len(proof.toothless)} tasks are below {LEAST_SCORE:g}.")


def _print_survivors(out: Console, score: MutationScore) -> None:
    verdict = "" if score.suffices else ", too few"
    _say(out, f"{score.task_id}: {score.killed} of {score.mutants} mutants killed{verdict}; survivors:")
    for survivor in score.survivors:
        _say(out, f"  {survivor.change}")


def _say(out: Console, line: str) -> None:
    out.print(line, highlight=False, markup=False, soft_wrap=True)
