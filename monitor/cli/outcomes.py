"""Outcomes recorded by another harness: bringing them in, and deciding on them without an engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from monitor.atomic_files import write_file
from monitor.cli.app import cli, json_option, terminal
from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Bank, Decision
from monitor.suites.loading import load_suite
from monitor.suites.outcome_logs import (
    LogFormat,
    LoggedOutcomes,
    LogReading,
    StratumOf,
    read_logs,
    strata_from_categories,
    strata_from_file,
    strata_of_suite,
)
from monitor.suites.outcomes import ensure_comparable, outcome_line, read_outcomes
from monitor.verdicts.recorded import decide_recorded
from monitor.verdicts.rules import Rules


def decide_on_files(baseline: Path, candidate: Path, rules: Rules, *, in_order: bool) -> Decision:
    """The decision that two files of outcomes support.

    Args:
        baseline: its outcomes, which are the bank.
        candidate: its outcomes.
        rules: how they are weighed.
        in_order: whether the candidate's lines are a stream as they stand, to be looked at line by line;
            otherwise all are weighed at once.

    Raises:
        InvalidOutcomes: a line is wrong, or the two do not fit together.
    """
    bank = tuple(read_outcomes(baseline))
    recorded = tuple(read_outcomes(candidate))
    ensure_comparable(bank, recorded)
    seeded = all(observation.seed is not None for observation in bank)
    drawn = Bank(checkpoint="", observations=bank, seed_stable=seeded)
    return decide_recorded(drawn, recorded, rules, in_order=in_order)


@cli.group()
def outcomes() -> None:
    """Use outcomes that another harness recorded."""


@outcomes.command("import")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "log_format", type=click.Choice([f.value for f in LogFormat]), required=True)
@click.option("--suite", help="Take strata from this suite's tasks.")
@click.option("--strata", type=click.Path(path_type=Path), help="Take strata from {task_id, stratum} lines.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: standard output]")
@click.option("--metric", default="", help="Metric of lm-eval that is a sample's success.")
@click.option("--filter", "filter_name", default="", help="Filter of lm-eval to read.")
@click.option("--pass-from", type=float, help="Rewards of NeMo from this value on pass.")
@json_option
def import_outcomes(
    logs: tuple[Path, ...],
    log_format: str,
    suite: str | None,
    strata: Path | None,
    out: Path | None,
    metric: str,
    filter_name: str,
    pass_from: float | None,
    as_json: bool,
) -> None:
    """Turn sample LOGS of lm-evaluation-harness or NeMo Evaluator into lines for `tailwatch gate`.

    Without --suite and --strata the log's own category must be head, torso or tail.
    """
    reading = LogReading(
        stratum_of=_strata(suite, strata), metric=metric, filter_name=filter_name, pass_from=pass_from
    )
    speak = terminal(as_json=as_json)
    found = read_logs(logs, LogFormat(log_format), reading)
    for remark in _remarks(found):
        speak.progress.print(remark, highlight=False, markup=False, soft_wrap=True)
    lines = [outcome_line(observation) for observation in found.observations]
    if out is None:
        # Nothing is printed of logs that cannot be read to their end.
        click.echo("".join(f"{line}\n" for line in lines), nl=False)
        return
    _write(out, lines)
    speak.answer(
        {
            "written": str(out),
            "samples": len(lines),
            "prefixed": found.prefixed,
            "copies": [asdict(each) for each in found.copies],
        },
        lambda console: console.print(f"Wrote {len(lines)} samples to {out}.", highlight=False),
    )


def _remarks(found: LoggedOutcomes) -> Iterator[str]:
    if found.prefixed:
        yield "Several benchmarks have tasks of one id, so the benchmark's name stands before every id."
    for each in found.copies:
        yield (
            f"{each.benchmark}: in {each.copied} of {each.repeated} repeated tasks all repeats are copies of "
            "one text, as with one seed for all of them. Each of its tasks counts as one sample."
        )


def _strata(suite: str | None, strata: Path | None) -> StratumOf:
    if suite and strata:
        raise click.UsageError("--suite and --strata exclude each other.")
    if suite:
        return strata_of_suite(load_suite(suite))
    return strata_from_file(strata) if strata else strata_from_categories


def _write(out: Path, lines: Sequence[str]) -> None:
    try:
        write_file(out, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise InvalidOutcomes(
            f"{out} cannot be written: {error.strerror}.",
            next_step="Name a file in a folder you may write to.",
        ) from error
