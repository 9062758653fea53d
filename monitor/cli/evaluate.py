"""`tailwatch evaluate`, `tailwatch baseline build`, `tailwatch compare`: work done now, in this process."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click
from rich.console import Console

from monitor.cli.app import Terminal, asynchronous, cli, config_option, json_option, terminal
from monitor.cli.bank_report import BuiltBank, refusal_of, show_bank
from monitor.cli.progress import shown
from monitor.cli.smoke_test import (
    apart,
    limit_option,
    narrowed,
    result_of,
    show,
    tasks_option,
    throwaway_folder,
)
from monitor.cli.tables import decision_view, findings_table
from monitor.config import load_options
from monitor.discovery.checkpoints import load_checkpoint
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import InvalidCheckpoint, Trouble
from monitor.domain.evaluation import Evaluation, State
from monitor.domain.printable import unescape_name
from monitor.domain.tasks import Suite
from monitor.export.documents import checkpoint_document, decision_document, evaluation_document
from monitor.export.pass_at_k import pass_at_k_document
from monitor.processes import identify
from monitor.rounds.banks import Banks, draw_bank_again
from monitor.rounds.bench import Bench
from monitor.rounds.drifting import unasked
from monitor.rounds.following import see_through
from monitor.rounds.gate import latest_evaluation
from monitor.rounds.watching import adopt, bank, baseline_of, candidate, comparison, find
from monitor.rounds.weighing import drawn_anew, flips_of, outgrown
from monitor.stats.flips import Flip
from monitor.wiring import Deployment, now, open_bench, open_deployment


@cli.command()
@click.argument("checkpoint")
@click.option("--again", is_flag=True, help="Draw it anew though it is decided.")
@tasks_option
@limit_option
@config_option
@json_option
@asynchronous
async def evaluate(
    checkpoint: str,
    again: bool,
    patterns: tuple[str, ...],
    limit: int | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Evaluate CHECKPOINT (a folder, or a name or digest that is known) and show the decision.

    What was drawn of it before is used again, also when the policy has changed since. Exit code 0
    whatever the decision: `tailwatch gate` answers by exit code.
    """
    speak = terminal(as_json=as_json)
    with open_deployment(load_options(config)) as deployment:
        if patterns or limit:
            _check_alone(again=again)
            suite = narrowed(deployment.watch.suite, patterns, limit)
            await _smoke_test(deployment, checkpoint, suite, speak)
            return
        subject = resolve(deployment, checkpoint)
        baseline = _baseline(deployment)
        latest = latest_evaluation(deployment.watch, subject.digest, baseline.digest)
        again = again or (latest is not None and outgrown(deployment.store, latest))
        wanted = candidate(deployment.watch, subject, baseline, now=now(), again=again)
        record = await _decided(deployment, wanted, baseline, speak)
        passing = pass_at_k_document(deployment.store.task_tallies(record.key.evaluation_id))
    decision = record.decision
    assert decision is not None
    speak.answer(
        evaluation_document(record) | {"pass_at_k": passing},
        lambda out: out.print(decision_view(subject.name, decision)),
    )


@cli.group()
def baseline() -> None:
    """Build the baseline that candidates are weighed against."""


@baseline.command()
@click.argument("checkpoint")
@click.option(
    "--samples", type=click.IntRange(2), help="Samples per task.  [default: sampling.samples_per_task]"
)
@click.option("--again", is_flag=True, help="Draw the whole bank again, as after a repair of the engine.")
@tasks_option
@limit_option
@config_option
@json_option
@asynchronous
async def build(
    checkpoint: str,
    samples: int | None,
    again: bool,
    patterns: tuple[str, ...],
    limit: int | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Draw CHECKPOINT's bank of samples and make it the baseline.

    Shows what the bank passes in each stratum. Where a critical stratum passes nothing it is not made the
    baseline: exit code 3, with the likely reasons.
    """
    speak = terminal(as_json=as_json)
    options = load_options(config)
    if samples is not None:
        sampling = options.sampling.model_copy(update={"samples_per_task": samples})
        options = options.model_copy(update={"sampling": sampling})
    with open_deployment(options) as deployment:
        if patterns or limit:
            _check_alone(again=again)
            suite = narrowed(deployment.watch.suite, patterns, limit)
            await _smoke_test(deployment, checkpoint, suite, speak, samples=samples)
            return
        subject = resolve(deployment, checkpoint)
        with shown(speak.progress) as watcher:
            async with open_bench(deployment, watcher=watcher) as bench:
                if again:
                    draw_bank_again(deployment.watch, subject, now=now())
                record = await _ready_bank(bench, deployment, subject, speak, deeper=samples is not None)
        refusal = refusal_of(deployment, subject, record)
        if refusal is None:
            adopt(deployment.watch, subject, now=now())
        health = Banks(deployment.watch, deployment.policy).of(subject)
        tasks = len(deployment.watch.suite) - len(record.excluded_tasks)
    show_bank(speak, BuiltBank(record=record, tasks=tasks, health=health, refusal=refusal))


@cli.command()
@click.argument("a")
@click.argument("b")
@config_option
@json_option
@asynchronous
async def compare(a: str, b: str, config: Path | None, as_json: bool) -> None:
    """Weigh checkpoint B against checkpoint A, whatever the baseline is.

    Draws what is not stored yet: the bank of A, and as many samples of B as the evidence needs.
    """
    speak = terminal(as_json=as_json)
    with open_deployment(load_options(config)) as deployment:
        first, second = resolve(deployment, a), resolve(deployment, b)
        if first.digest == second.digest:
            raise InvalidCheckpoint(
                f"{a} and {b} are the same checkpoint, {first.short_digest}.",
                next_step="Name two different ones.",
            )
        wanted = comparison(deployment.watch, second, first, now=now())
        record = await _decided(deployment, wanted, first, speak)
        changed = flips_of(deployment.store, record)
        drawn = {"a": bank(deployment.watch, first, now=now()), "b": record}
        passing = {
            side: pass_at_k_document(deployment.store.task_tallies(each.key.evaluation_id))
            for side, each in drawn.items()
        }
    decision = record.decision
    assert decision is not None

    def render(out: Console) -> None:
        out.print(f"{second.name} against {first.name}", highlight=False)
        out.print(findings_table(decision.findings))
        for flip in changed:
            out.print(_flip_line(flip), highlight=False)

    document = {
        "a": checkpoint_document(first),
        "b": checkpoint_document(second),
        **decision_document(decision),
        "flips": [asdict(flip) for flip in changed],
        "pass_at_k": passing,
    }
    speak.answer(document, render)


def resolve(deployment: Deployment, reference: str) -> Checkpoint:
    """The checkpoint that a folder, a name or a digest means; a folder is read now.

    Raises:
        InvalidCheckpoint: nothing of that name, or a folder that holds no checkpoint.
    """
    if Path(reference).exists() or "/" in reference:
        checkpoint = load_checkpoint(Path(reference), hashes=deployment.hashes)
        deployment.store.remember(deployment.watch.model, checkpoint, now=now())
        return checkpoint
    known = find(deployment.watch, reference)
    if known is not None:
        return known
    for name in (reference, unescape_name(reference)):
        arrived = deployment.options.checkpoints.path / name
        if arrived.is_dir():
            return resolve(deployment, str(arrived))
    raise InvalidCheckpoint(
        f"There is no checkpoint {reference!r}: no such folder, and none of that name or digest is known.",
        next_step="Give the folder that holds it, or one that `tailwatch status` lists.",
    )


def _check_alone(*, again: bool) -> None:
    if again:
        raise click.UsageError("--tasks and --limit store nothing, so that --again has nothing to repeat.")


async def _smoke_test(
    deployment: Deployment, reference: str, suite: Suite, speak: Terminal, *, samples: int | None = None
) -> None:
    """Draw some tasks of a checkpoint with a store that is thrown away, and show what came of it."""
    with throwaway_folder() as folder:
        trial = apart(deployment, Path(folder), suite, samples=samples)
        try:
            # Names are looked up where they are known; a folder's content is remembered in the trial's store.
            subject = resolve(replace(deployment, store=trial.store), reference)
            with shown(speak.progress) as watcher:
                async with open_bench(trial, watcher=watcher) as bench:
                    record = await _work(bench, bank(trial.watch, subject, now=now()), speak, kept=False)
            found = result_of(trial, subject, record)
        finally:
            trial.store.close()
    show(speak, found)


def _baseline(deployment: Deployment) -> Checkpoint:
    found = baseline_of(deployment.watch)
    if found is None:
        raise InvalidCheckpoint(
            f"Model {deployment.watch.model} has no baseline yet.",
            next_step="Build one with `tailwatch baseline build CHECKPOINT`.",
        )
    return found


async def _decided(
    deployment: Deployment, wanted: Evaluation, against: Checkpoint, speak: Terminal
) -> Evaluation:
    known = deployment.store.evaluation(wanted.key.evaluation_id)
    if (
        known is not None
        and known.state is State.DECIDED
        and known.policy == deployment.policy.digest
        and not drawn_anew(deployment.store, known)
    ):
        return known
    with shown(speak.progress) as watcher:
        async with open_bench(deployment, watcher=watcher) as bench:
            await _ready_bank(bench, deployment, against, speak, deeper=False)
            return await _work(bench, wanted, speak)


async def _ready_bank(
    bench: Bench, deployment: Deployment, checkpoint: Checkpoint, speak: Terminal, *, deeper: bool
) -> Evaluation:
    wanted = bank(deployment.watch, checkpoint, now=now())
    known = deployment.store.evaluation(wanted.key.evaluation_id)
    # A probe that failed, or was not wanted, when the bank was drawn is asked now: the samples are kept.
    lacking = unasked(bench.store, bench.gauges, wanted.key.evaluation_id)
    if known is not None and known.state is State.DECIDED and not (deeper or lacking):
        return known
    return await _work(bench, wanted, speak)


async def _work(bench: Bench, wanted: Evaluation, speak: Terminal, *, kept: bool = True) -> Evaluation:
    """Do one evaluation now, or wait for the process that is doing it; kept is what outlives the command."""
    name = wanted.checkpoint.name
    record = await see_through(
        bench,
        wanted,
        worker=identify(),
        elsewhere=lambda: speak.progress.print(f"Another process is evaluating {name}: waiting for it."),
    )
    if record.state is not State.DECIDED:
        raise Trouble(
            f"The evaluation of {wanted.checkpoint.name} failed: {record.trouble}",
            next_step="What was drawn is stored; the same command goes on from there."
            if kept
            else "Nothing was stored; the same command begins anew.",
        )
    return record


def _flip_line(flip: Flip) -> str:
    verb = "lost" if flip.lost else "gained"
    before, after = f"{flip.bank_ratio:.0%}", f"{flip.ratio:.0%}"
    return f"{verb} {flip.task_id}: {before} to {after} (p = {flip.p_value:.2g})"
