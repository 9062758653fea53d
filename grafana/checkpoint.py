"""The board of one checkpoint: the verdict, and what it rests on, stratum by stratum."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.frame import board, row, with_checkpoint, with_model
from grafana.links import DIGEST, MONITOR, REPORT
from grafana.outputs import outputs_of_checkpoint
from grafana.palette import DECISIONS, FINDINGS, OUTCOMES, STRATA
from grafana.panels import Ask, bars, lines, listing, number, word
from grafana.queries import of_checkpoint

UNCOMPARED = "Not compared: not judged yet, or the baseline itself"


def checkpoint_board() -> Dashboard:
    """One checkpoint."""
    of = board(
        "tailwatch-checkpoint",
        "Tailwatch / Checkpoint",
        "What the gate answers about one checkpoint, and the evidence it rests on.",
    )
    of = with_checkpoint(with_model(of))
    return _costs(outputs_of_checkpoint(_evidence(_verdict(of))))


def _verdict(of: Dashboard) -> Dashboard:
    of = of.with_row(row("Verdict")).with_panel(
        word(
            "Decision",
            "What the gate answers now.",
            Ask(expr=f"{of_checkpoint('tailwatch_decision')} == 1", legend="{{decision}}"),
            words=DECISIONS,
            span=6,
        )
    )
    for stratum in reversed(STRATA):
        finding = of_checkpoint("tailwatch_finding", f'stratum="{stratum}"')
        of = of.with_panel(
            word(
                stratum.capitalize(),
                f"What the evidence about the {stratum} amounts to.",
                Ask(expr=f"{finding} == 1", legend="{{finding}}", empty="Not compared"),
                words=FINDINGS,
                span=6,
            )
        )
    return of.with_panel(
        listing(
            "Reasons",
            "Why the gate answers so.",
            [Ask(expr=of_checkpoint("tailwatch_decision_reason"))],
            columns=[("reason", "reason"), ("stratum", "stratum")],
            span=12,
        )
    ).with_panel(
        listing(
            "Who it is",
            "Name, revision, role and engine; the digest leads to the monitor's own page about it.",
            [Ask(expr=of_checkpoint("tailwatch_checkpoint_info"))],
            columns=[
                ("name", "name"),
                ("revision", "revision"),
                ("role", "role"),
                ("engine", "engine"),
                ("checkpoint", DIGEST),
                ("instance", MONITOR),
            ],
            span=12,
            links=(REPORT,),
        )
    )


def _evidence(of: Dashboard) -> Dashboard:
    figures = [
        ("baseline", f"{of_checkpoint('tailwatch_pass_ratio')} - {of_checkpoint('tailwatch_delta_ratio')}"),
        ("pass ratio", of_checkpoint("tailwatch_pass_ratio")),
    ]
    labelled = " or ".join(f'label_replace({expr}, "whose", "{name}", "", "")' for name, expr in figures)
    bounds = [
        ("lower bound", of_checkpoint("tailwatch_delta_low_ratio")),
        ("difference", of_checkpoint("tailwatch_delta_ratio")),
        ("upper bound", of_checkpoint("tailwatch_delta_high_ratio")),
        ("margin", f"-{of_checkpoint('tailwatch_margin_ratio')}"),
    ]
    interval = " or ".join(f'label_replace({expr}, "bound", "{name}", "", "")' for name, expr in bounds)
    return (
        of.with_row(row("Evidence"))
        .with_panel(
            bars(
                "Pass probability",
                "By stratum, beside the baseline's on the same tasks.",
                "percentunit",
                Ask(expr=labelled),
                rows="stratum",
                columns="whose",
                span=12,
                words=("baseline", "pass ratio"),
            )
        )
        .with_panel(
            bars(
                "Difference, its interval and the margin",
                "The interval is valid at every look. A lower bound above the margin shows that nothing that "
                "matters was lost; an upper bound below zero that something was.",
                "percentunit",
                Ask(expr=interval, empty=UNCOMPARED),
                rows="stratum",
                columns="bound",
                span=12,
                words=("lower bound", "difference", "upper bound", "margin"),
            )
        )
        .with_panel(
            bars(
                "Outcomes",
                "Share of each outcome by stratum.",
                "none",
                Ask(expr=of_checkpoint("tailwatch_samples")),
                rows="stratum",
                columns="outcome",
                span=12,
                words=OUTCOMES,
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Pass probability over time",
                "It moves when the checkpoint is judged again.",
                "percentunit",
                [Ask(expr=of_checkpoint("tailwatch_pass_ratio"), legend="{{stratum}}")],
                span=12,
                words=STRATA,
            )
        )
    )


def _costs(of: Dashboard) -> Dashboard:
    last = of_checkpoint("tailwatch_last_success_timestamp_seconds")
    return (
        of.with_row(row("Costs"))
        .with_panel(
            number(
                "Judged",
                "When the last evaluation was decided.",
                "dateTimeFromNow",
                Ask(expr=f"{last} * 1000"),
                span=6,
            )
        )
        .with_panel(
            number(
                "Samples",
                "Of the last decided evaluation, all strata.",
                "none",
                Ask(expr=f"sum({of_checkpoint('tailwatch_samples')})"),
                span=6,
            )
        )
        .with_panel(
            number(
                "Wall time",
                "Of the last decided evaluation.",
                "s",
                Ask(expr=f"sum({of_checkpoint('tailwatch_stage_duration_seconds')})"),
                span=6,
            )
        )
        .with_panel(
            number(
                "Tasks left out",
                "Tasks whose reference solution failed in this environment.",
                "none",
                Ask(expr=of_checkpoint("tailwatch_excluded_tasks")),
                span=6,
            )
        )
    )
