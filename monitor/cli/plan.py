"""`tailwatch plan`: what an evaluation will cost on this bank, before any sample is drawn."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from monitor.cli.app import cli, config_option, json_option, terminal
from monitor.config import load_options, load_policy
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Stage
from monitor.rounds.watching import bank, baseline_of
from monitor.rounds.weighing import stored_bank
from monitor.verdicts.plan import StratumPlan
from monitor.verdicts.plan import plan as plan_strata
from monitor.wiring import now, open_deployment


@cli.command()
@click.option(
    "--policy", type=click.Path(path_type=Path, dir_okay=False), help="Plan for this file's policy."
)
@click.option(
    "--correlation",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Expected correlation with the baseline at equal seeds: about .95 for a quantised copy.",
)
@config_option
@json_option
def plan(policy: Path | None, correlation: float, config: Path | None, as_json: bool) -> None:
    """Tell how many samples an evaluation against the present baseline will take, and how long."""
    with open_deployment(load_options(config)) as deployment:
        baseline = baseline_of(deployment.watch)
        if baseline is None:
            raise InvalidInput(
                "There is no baseline to plan on.",
                next_step="Build one with `tailwatch baseline build CHECKPOINT`.",
            )
        record = stored_bank(deployment.store, bank(deployment.watch, baseline, now=now()).key)
        rules = load_policy(policy) if policy else deployment.policy
        strata = plan_strata(record.bank, rules, correlation=correlation)
        drawn_s = record.record.stage_s.get(Stage.GENERATION, 0.0) + record.record.stage_s.get(
            Stage.SANDBOX, 0.0
        )
    sample_s = drawn_s / len(record.bank.observations)
    document = {
        "baseline": baseline.digest,
        "seconds_per_sample": sample_s,
        "strata": [{**asdict(each), "stratum": each.stratum.value} for each in strata],
    }
    terminal(as_json=as_json).answer(document, lambda out: _render(out, strata, sample_s))


def _render(out: Console, strata: tuple[StratumPlan, ...], sample_s: float) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("stratum", "margin", "tasks", "unchanged", "dropped", "most", "bank"):
        table.add_column(heading, justify="left" if heading in {"stratum", "bank"} else "right")
    for each in strata:
        table.add_row(
            each.stratum.value,
            f"{100 * each.margin:.0f}",
            str(each.tasks),
            str(each.unchanged_samples),
            str(each.dropped_samples),
            str(each.most_samples),
            "deep enough" if each.feasible else f"needs {each.required_depth} samples per task",
        )
    out.print(table)
    unchanged, dropped = (
        sum(samples) * sample_s
        for samples in zip(*((each.unchanged_samples, each.dropped_samples) for each in strata), strict=True)
    )
    out.print(
        f"About {unchanged:.0f} s for an unchanged checkpoint and {dropped:.0f} s for one that dropped by "
        "the margin everywhere, at the rate at which the bank was drawn.",
        highlight=False,
    )
