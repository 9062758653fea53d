"""The board of one model: which checkpoint lost which kind of task, and how sure that is."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.frame import board, link_to, row, with_model
from grafana.links import CHOSEN_MODEL, DIGEST, MONITOR, REPORT, to_board
from grafana.operation import health, pipeline
from grafana.outputs import outputs_of_model
from grafana.palette import AMBER, BLUE, DECISIONS, GREEN, OUTCOMES, RED, STRATA
from grafana.panels import Ask, bars, lines, listing, matrix, number, word
from grafana.queries import named, newest, newest_over_time, of_model, watched


def model_board() -> Dashboard:
    """One model."""
    of = board(
        "tailwatch-model",
        "Tailwatch / Model",
        "Which checkpoint lost which kind of task, how sure that is, and whether the monitor is healthy.",
    )
    of = with_model(of).link(link_to("Catalogue of metrics", "https://tailwatch.example/metrics.md"))
    return pipeline(health(outputs_of_model(_warnings(_evidence(_verdict(of))))))


def _verdict(of: Dashboard) -> Dashboard:
    decision = newest(f"{of_model('tailwatch_decision')} == 1")
    tail = 'stratum="tail"'
    return (
        of.with_row(row("Verdict on the newest judged checkpoint"))
        .with_panel(
            word(
                "Decision",
                "What the gate answers about the newest judged checkpoint.",
                Ask(expr=decision, legend="{{decision}}"),
                words=DECISIONS,
                span=6,
            )
        )
        .with_panel(
            number(
                "Tail against the baseline",
                "Pass probability on rare tasks minus the baseline's. Negative is worse.",
                "percentunit",
                Ask(expr=newest(of_model("tailwatch_delta_ratio", tail))),
                span=6,
                steps=((None, RED), (-0.05, AMBER), (0, GREEN)),
            )
        )
        .with_panel(
            number(
                "Head against the baseline",
                "The same for common tasks: what an average mostly shows.",
                "percentunit",
                Ask(expr=newest(of_model("tailwatch_delta_ratio", 'stratum="head"'))),
                span=6,
                steps=((None, RED), (-0.05, AMBER), (0, GREEN)),
            )
        )
        .with_panel(
            number(
                "The run could have shown",
                "Smallest drop of the tail that the newest run could have shown.",
                "percentunit",
                Ask(expr=newest(of_model("tailwatch_minimum_detectable_delta_ratio", tail))),
                span=6,
            )
        )
        .with_panel(
            listing(
                "Reasons",
                "Why the gate answers so, for the newest judged candidate and the promoted checkpoint.",
                [Ask(expr=watched(of_model("tailwatch_decision_reason")))],
                columns=[
                    ("name", "checkpoint"),
                    ("role", "role"),
                    ("reason", "reason"),
                    ("stratum", "stratum"),
                    ("checkpoint", DIGEST),
                    ("instance", MONITOR),
                ],
                span=12,
                links=(to_board(CHOSEN_MODEL), REPORT),
            )
        )
        .with_panel(
            lines(
                "Difference of the tail with its interval",
                "Of the newest judged checkpoint at each time. The interval is valid at every look; a lower "
                "bound above the margin means: shown not to be worse.",
                "percentunit",
                [
                    Ask(expr=newest_over_time(of_model("tailwatch_delta_ratio", tail)), legend="tail"),
                    Ask(
                        expr=newest_over_time(of_model("tailwatch_delta_low_ratio", tail)),
                        legend="lower bound",
                    ),
                    Ask(
                        expr=newest_over_time(of_model("tailwatch_delta_high_ratio", tail)),
                        legend="upper bound",
                    ),
                    Ask(
                        expr=f"-({newest_over_time(of_model('tailwatch_margin_ratio', tail))})",
                        legend="margin",
                    ),
                ],
                span=12,
                words=("tail", "lower bound", "upper bound", "margin"),
            )
        )
    )


def _evidence(of: Dashboard) -> Dashboard:
    return (
        of.with_row(row("Checkpoint by checkpoint"))
        .with_panel(
            bars(
                "Tail against head",
                "Pass probability by stratum, of baseline, promoted checkpoint and last candidates.",
                "percentunit",
                Ask(expr=named(of_model("tailwatch_pass_ratio"))),
                rows="name",
                columns="stratum",
                span=12,
                words=STRATA,
            )
        )
        .with_panel(
            matrix(
                "Stratum by checkpoint",
                "Difference to the baseline. Red lost, green kept or gained.",
                "percentunit",
                Ask(expr=named(of_model("tailwatch_delta_ratio"))),
                rows="name",
                columns="stratum",
                span=12,
                steps=((None, RED), (-0.05, AMBER), (-0.01, GREEN)),
                words=STRATA,
            )
        )
        .with_panel(
            bars(
                "Outcomes of tail samples",
                "Share of each outcome. Unscored samples are trouble of ours and count for nothing.",
                "none",
                Ask(expr=named(of_model("tailwatch_samples", 'stratum="tail"'))),
                rows="name",
                columns="outcome",
                span=12,
                words=OUTCOMES,
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Tail and head over time",
                "Pass probability of the newest judged checkpoint at each time.",
                "percentunit",
                [
                    Ask(
                        expr=newest_over_time(of_model("tailwatch_pass_ratio", f'stratum="{stratum}"')),
                        legend=stratum,
                    )
                    for stratum in ("head", "tail")
                ],
                span=12,
                words=("head", "tail"),
            )
        )
    )


def _warnings(of: Dashboard) -> Dashboard:
    early = 'reason=~"drift|collapse_indicator|slow_decline"'
    return (
        of.with_row(row("Early warnings"))
        .with_panel(
            lines(
                "Evidence of a slow decline",
                "Base-10 logarithm. At 3 a false alarm is due once in a thousand checkpoints at most.",
                "none",
                [
                    Ask(
                        expr=newest_over_time(of_model("tailwatch_slow_decline_evidence")),
                        legend="evidence",
                        empty="No sign of a decline",
                    )
                ],
                span=12,
                steps=((None, BLUE), (3, RED)),
            )
        )
        .with_panel(
            listing(
                "Drift, collapse and decline",
                "Checkpoints whose outputs moved or show collapse. A warning can hold, never reject.",
                [Ask(expr=named(of_model("tailwatch_decision_reason", early)), empty="No warning")],
                columns=[
                    ("name", "checkpoint"),
                    ("reason", "warning"),
                    ("stratum", "stratum"),
                    ("checkpoint", DIGEST),
                    ("instance", MONITOR),
                ],
                span=12,
                links=(to_board(CHOSEN_MODEL), REPORT),
            )
        )
    )
