"""The rows about what a checkpoint writes, beside whether it is right."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.frame import row
from grafana.palette import AMBER, GREEN, RED, STRATA
from grafana.panels import Ask, bars, listing, matrix
from grafana.queries import named, of_checkpoint, of_model

INDICATOR = "tailwatch_collapse_indicator"
WARNED = ((None, GREEN), (1, AMBER), (2, RED))


def outputs_of_model(of: Dashboard) -> Dashboard:
    """Signs of collapse, drifted columns and flipped tasks over a model's checkpoints."""
    return (
        of.with_row(row("What the outputs look like"))
        .with_panel(
            matrix(
                "Signs of collapse",
                "Number of strata in which a sign differs from the baseline by more than chance.",
                "none",
                Ask(expr=f"sum by (name, arrival, indicator) ({named(of_model(f'{INDICATOR}_warning'))})"),
                rows="name",
                columns="indicator",
                span=12,
                steps=WARNED,
            )
        )
        .with_panel(
            matrix(
                "Columns that drifted",
                "Descriptors of the outputs that are distributed otherwise than the baseline's.",
                "none",
                Ask(expr=f"sum by (name, arrival, stratum) ({named(of_model('tailwatch_drift_detected'))})"),
                rows="name",
                columns="stratum",
                span=6,
                steps=WARNED,
                words=STRATA,
            )
        )
        .with_panel(
            bars(
                "Tasks lost and gained",
                "Tasks whose pass probability moved, each by its own evidence.",
                "none",
                Ask(expr=named(of_model("tailwatch_flips"))),
                rows="name",
                columns="direction",
                span=6,
                words=("lost", "gained"),
            )
        )
    )


def outputs_of_checkpoint(of: Dashboard) -> Dashboard:
    """Each sign of collapse against its noise floor, and each column that drifted."""
    of = of.with_row(row("What the outputs look like"))
    for stratum in ("tail", "torso", "head"):
        of = of.with_panel(
            listing(
                f"Signs of collapse, {stratum}",
                "Difference to the baseline, beside what chance alone reaches and whether it is a warning. "
                "Each sign has its own unit.",
                [
                    Ask(expr=f"max by (indicator) ({expr})", empty="Not compared with the baseline")
                    for expr in _against_noise(f'stratum="{stratum}"')
                ],
                columns=[
                    ("indicator", "sign"),
                    ("Value #A", "difference"),
                    ("Value #B", "noise floor"),
                    ("Value #C", "warning"),
                ],
                span=8,
            )
        )
    detected = of_checkpoint("tailwatch_drift_detected")
    return of.with_panel(
        listing(
            "Columns that drifted",
            "Their scores; with the methods ks and fisher_exact these are p-values.",
            [
                Ask(
                    expr=f"{of_checkpoint('tailwatch_drift_score')} and ({detected} == 1)",
                    empty="No column drifted",
                )
            ],
            columns=[("signal", "column"), ("stratum", "stratum"), ("method", "method"), ("Value", "score")],
            span=24,
        )
    )


def _against_noise(matcher: str) -> tuple[str, str, str]:
    value, baseline, floor, warning = (
        of_checkpoint(f"{INDICATOR}{part}", matcher) for part in ("", "_baseline", "_noise_floor", "_warning")
    )
    return f"{value} - {baseline}", floor, warning
