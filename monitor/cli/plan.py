"""`tailwatch plan`: what an evaluation will cost on this bank, before any sample is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.cli.app import cli, config_option, json_option, terminal
from monitor.config import load_options, load_policy
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Stage
from monitor.domain.tasks import Stratum
from monitor.ports import Store
from monitor.rounds.watching import bank, baseline_of
from monitor.rounds.weighing import Counterpart, stored_bank
from monitor.verdicts.plan import StratumPlan
from monitor.verdicts.plan import plan as plan_strata
from monitor.verdicts.rules import Rules, rules_for
from monitor.wiring import now, open_deployment

_GREEDY = (
    "At temperature 0 every task is asked once, and the answers are compared by an exact test (McNemar): "
    "nothing stops earlier, and nothing is confirmed."
)
_RATE = click.FloatRange(0, 0.5, min_open=True, max_open=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pace:
    """How fast the bank was drawn."""

    sample_s: float
    """Seconds per sample, sandbox included."""
    tokens_per_s: float | None
    """While generating; None when that took no time."""


@cli.command()
@click.option(
    "--policy", type=click.Path(path_type=Path, dir_okay=False), help="Plan for this file's policy."
)
@click.option("--delta", type=_RATE, help="Plan for this margin in every stratum.")
@click.option("--alpha", type=_RATE, help="Plan for this rate of false alarms.")
@click.option("--beta", type=_RATE, help="Plan for this share of missed drops.")
@click.option(
    "--correlation",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Expected correlation with the baseline at equal seeds: about .95 for a quantised copy.",
)
@config_option
@json_option
def plan(
    policy: Path | None,
    delta: float | None,
    alpha: float | None,
    beta: float | None,
    correlation: float,
    config: Path | None,
    as_json: bool,
) -> None:
    """Tell how many samples an evaluation against the present baseline will take, and how long."""
    with open_deployment(load_options(config)) as deployment:
        baseline = baseline_of(deployment.watch)
        if baseline is None:
            raise InvalidInput(
                "There is no baseline to plan on.",
                next_step="Build one with `tailwatch baseline build CHECKPOINT`.",
            )
        asked = load_policy(policy) if policy else deployment.policy
        margin = asked.margin if delta is None else dict.fromkeys(Stratum, delta)
        rules = rules_for(
            replace(asked, margin=margin, alpha=alpha or asked.alpha, beta=beta or asked.beta),
            greedy=deployment.watch.plan.greedy,
        )
        drawn = stored_bank(deployment.store, bank(deployment.watch, baseline, now=now()).key)
        pace = _pace(deployment.store, drawn)
    strata = plan_strata(drawn.bank, rules, correlation=correlation)
    document = {"baseline": baseline.digest, **_document(strata, rules, pace)}
    terminal(as_json=as_json).answer(document, lambda out: _render(out, strata, rules, pace))


def _pace(store: Store, drawn: Counterpart) -> _Pace:
    samples, stage_s = store.samples(drawn.record.key.evaluation_id), drawn.record.stage_s
    generation_s = stage_s.get(Stage.GENERATION, 0.0)
    tokens = sum(sample.completion.tokens for sample in samples)
    return _Pace(
        sample_s=(generation_s + stage_s.get(Stage.SANDBOX, 0.0)) / len(samples),
        tokens_per_s=tokens / generation_s if generation_s else None,
    )


def _seconds(strata: tuple[StratumPlan, ...], pace: _Pace) -> Mapping[str, float]:
    """Of an unchanged checkpoint, and of one that dropped by the margin everywhere.

    Of a stratum whose bank cannot decide it nothing is drawn; few tasks at temperature 0 are asked all the
    same.
    """
    drawn = [each for each in strata if each.feasible or each.required_tasks is not None]
    unchanged = sum(each.unchanged_samples for each in drawn)
    dropped = sum(each.dropped_samples + each.confirming_samples for each in drawn)
    return {"unchanged": unchanged * pace.sample_s, "dropped": dropped * pace.sample_s}


def _document(strata: tuple[StratumPlan, ...], rules: Rules, pace: _Pace) -> dict[str, Any]:
    seconds = _seconds(strata, pace)
    return {
        "test": "mcnemar" if rules.greedy else "sequential",
        "alpha": rules.policy.alpha,
        "beta": rules.policy.beta,
        "seconds_per_sample": pace.sample_s,
        "tokens_per_second": pace.tokens_per_s,
        "seconds": dict(seconds),
        "minutes": {name: each / 60 for name, each in seconds.items()},
        "strata": [{**asdict(each), "stratum": each.stratum.value} for each in strata],
    }


def _render(out: Console, strata: tuple[StratumPlan, ...], rules: Rules, pace: _Pace) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    headings = ("stratum", "margin", "tasks", "unchanged", "dropped", "confirming", "most", "bank")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in {"stratum", "bank"} else "right")
    for each in strata:
        table.add_row(
            each.stratum.value,
            _margin_cell(each),
            str(each.tasks),
            str(each.unchanged_samples),
            str(each.dropped_samples),
            str(each.confirming_samples),
            str(each.most_samples),
            _bank_cell(each),
        )
    out.print(table)
    for each in strata:
        if each.problem:
            out.print(Text(f"{each.stratum.value}: {each.problem}"))
    if rules.greedy:
        out.print(_GREEDY, highlight=False)
    seconds = _seconds(strata, pace)
    if not seconds["unchanged"]:
        out.print("No sample is drawn on this bank, and no engine started: every candidate is held.")
        return
    rate = "" if pace.tokens_per_s is None else f", {pace.tokens_per_s:.0f} tokens/s"
    out.print(
        f"About {_time(seconds['unchanged'])} for an unchanged checkpoint and {_time(seconds['dropped'])} "
        "for one that dropped by the margin everywhere, confirmation included, at the rate at which the "
        f"bank was drawn ({pace.sample_s:.2g} s per sample{rate}).",
        highlight=False,
    )


def _margin_cell(each: StratumPlan) -> str:
    tested = f"{100 * each.margin:.2g}"
    return tested if each.margin == each.stated_margin else f"{tested} of {100 * each.stated_margin:g}"


def _bank_cell(each: StratumPlan) -> str:
    if each.feasible:
        return "deep enough" if each.required_tasks is None else "large enough"
    if each.required_tasks is not None:
        return f"needs {each.required_tasks} tasks"
    if each.required_depth is None:
        return "passes nothing"
    return f"needs {each.required_depth} samples per task"


def _time(seconds: float) -> str:
    """Minutes beside seconds, from one minute on.

    >>> _time(42.0), _time(150.0)
    ('42 s', '2.5 min (150 s)')
    """
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.1f} min ({seconds:.0f} s)"
