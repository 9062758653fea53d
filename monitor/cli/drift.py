"""`tailwatch drift`: what two checkpoints wrote, side by side, from the store alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.cli.app import cli, config_option, json_option, terminal
from monitor.config import load_options
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.drift import DriftReading, Indicator, Trend
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Evaluation
from monitor.domain.evidence import DriftSignal
from monitor.domain.tasks import Stratum
from monitor.drift.pages import Pages
from monitor.export.documents import checkpoint_document, drift_document
from monitor.export.snapshot import last_decided
from monitor.rounds.drifting import compare_outputs, deepest
from monitor.rounds.watching import Watch, find
from monitor.wiring import gauges, open_deployment


@cli.command()
@click.argument("a")
@click.argument("b")
@click.option("--stratum", type=click.Choice([stratum.value for stratum in Stratum]), help="Only this one.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write Evidently's page about all columns to this file.",
)
@config_option
@json_option
def drift(a: str, b: str, stratum: str | None, html: Path | None, config: Path | None, as_json: bool) -> None:
    """Compare the outputs of checkpoint B with those of A: signs of collapse, and columns that drifted.

    Works on the samples that are stored of both, and draws none.
    """
    options = load_options(config)
    only = None if stratum is None else Stratum(stratum)
    if html is not None and not options.drift.columns:
        raise InvalidInput(
            "--html shows columns, and drift.columns is off in the configuration.",
            next_step="Set drift.columns to true, or leave --html out.",
        )
    with open_deployment(options) as deployment:
        watch = deployment.watch
        first, second = _known(watch, a), _known(watch, b)
        newest = last_decided(deployment.store.evaluations(watch.model, checkpoint=second.digest))
        kept = None if newest is None else deployment.store.drift(newest.key.evaluation_id)
        reading = compare_outputs(
            deployment.store,
            gauges(options, watch, pages=None if html is None else Pages(folder=html.parent, stratum=only)),
            bank_id=_samples_of(watch, first).key.evaluation_id,
            evaluation_id=_samples_of(watch, second).key.evaluation_id,
            report=html.name if html is not None else "",
        )
    # Trends are those of B's last evaluation, whichever baseline that was against.
    reading = replace(reading, trends=() if kept is None else kept.trends)
    if only is not None:
        reading = _only(reading, only)
    if html is not None and not reading.report:
        why = " ".join(reading.problems) or "No column has enough values on both sides."
        raise InvalidInput(
            f"{html} was not written. {why}", next_step="Leave --html out to see the figures that there are."
        )
    document = {"a": checkpoint_document(first), "b": checkpoint_document(second), **drift_document(reading)}

    def render(out: Console) -> None:
        out.print(f"{second.name} against {first.name}", highlight=False)
        out.print(reading_view(reading))
        if reading.report:
            out.print(f"All columns: {html}", highlight=False, soft_wrap=True)

    terminal(as_json=as_json).answer(document, render)


def reading_view(reading: DriftReading) -> RenderableType:
    """Indicators, columns that drifted, and what could not be measured."""
    detected = [signal for signal in reading.signals if signal.detected]
    parts: list[RenderableType] = [_indicators(reading.indicators)]
    if reading.trends:
        parts += [Text(), _trends(reading.trends)]
    if detected:
        parts += [Text(), _signals(detected)]
    elif reading.signals:
        parts.append(Text(f"None of {len(reading.signals)} columns drifted."))
    parts += [Text(problem, style="yellow") for problem in reading.remarks]
    return Group(*parts)


def _indicators(indicators: tuple[Indicator, ...]) -> Table:
    table = _table("indicator", "stratum", "baseline", "value", "p", "noise floor", "")
    for each in indicators:
        table.add_row(
            each.name,
            each.stratum.value if each.stratum else "",
            f"{each.baseline:.4g}",
            f"{each.value:.4g}",
            f"{each.p_value:.2g}",
            f"{each.noise_floor:.2g}",
            Text("warns", style="bold red") if each.warns else "",
        )
    return table


def _trends(trends: tuple[Trend, ...]) -> Table:
    table = _table("trend over checkpoints", "stratum", "slope", "p", "checkpoints", "")
    for each in trends:
        table.add_row(
            each.name,
            each.stratum.value if each.stratum else "",
            f"{each.slope:.2g}",
            f"{each.p_value:.2g}",
            str(each.points),
            Text("warns", style="bold red") if each.warns else "",
        )
    return table


def _signals(signals: list[DriftSignal]) -> Table:
    table = _table("drifted column", "stratum", "method", "score", "threshold")
    for each in signals:
        table.add_row(
            each.signal,
            each.stratum.value if each.stratum else "",
            each.method,
            f"{each.score:.2g}",
            f"{each.threshold:.2g}",
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading)
    return table


def _known(watch: Watch, reference: str) -> Checkpoint:
    found = find(watch, reference)
    if found is None:
        raise InvalidInput(
            f"No checkpoint {reference!r} is known for model {watch.model}.",
            next_step="Name one that `tailwatch status` lists.",
        )
    return found


def _samples_of(watch: Watch, checkpoint: Checkpoint) -> Evaluation:
    found = deepest(watch, checkpoint.digest)
    if found is None:
        raise InvalidInput(
            f"No samples of {checkpoint.name} are stored under the present suite and sampling plan.",
            next_step="Draw some with `tailwatch evaluate CHECKPOINT` or `tailwatch baseline build`.",
        )
    return found


def _only(reading: DriftReading, stratum: Stratum) -> DriftReading:
    return replace(
        reading,
        signals=tuple(each for each in reading.signals if each.stratum is stratum),
        indicators=tuple(each for each in reading.indicators if each.stratum is stratum),
        trends=tuple(each for each in reading.trends if each.stratum is stratum),
        unmeasured=tuple(each for each in reading.unmeasured if each.stratum in {stratum, None}),
    )
