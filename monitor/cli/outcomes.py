"""Outcomes recorded by another harness: bringing them in, and deciding on them without an engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO

import click

from monitor.cli.app import cli, json_option, terminal
from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Bank, Decision, Observation
from monitor.suites.loading import load_suite
from monitor.suites.outcome_logs import (
    LogFormat,
    LogReading,
    StratumOf,
    read_log,
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
    written = 0
    with nullcontext(sys.stdout) if out is None else _writing(out) as target:
        for observation in _all(logs, LogFormat(log_format), reading):
            target.write(outcome_line(observation) + "\n")
            written += 1
    if out is not None:
        terminal(as_json=as_json).answer(
            {"written": str(out), "samples": written},
            lambda console: console.print(f"Wrote {written} samples to {out}.", highlight=False),
        )


def _strata(suite: str | None, strata: Path | None) -> StratumOf:
    if suite and strata:
        raise click.UsageError("--suite and --strata exclude each other.")
    if suite:
        return strata_of_suite(load_suite(suite))
    return strata_from_file(strata) if strata else strata_from_categories


def _writing(out: Path) -> TextIO:
    try:
        return out.open("w", encoding="utf-8")
    except OSError as error:
        raise InvalidOutcomes(
            f"{out} cannot be written: {error.strerror}.",
            next_step="Name a file in a folder you may write to.",
        ) from error


def _all(logs: tuple[Path, ...], log_format: LogFormat, reading: LogReading) -> Iterator[Observation]:
    for log in logs:
        yield from read_log(log, log_format, reading)
