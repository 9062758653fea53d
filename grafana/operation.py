"""The rows about the monitor of a model: statistical health and pipeline."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.frame import row
from grafana.palette import AMBER, BLUE, GREEN, RED, STRATA
from grafana.panels import Ask, bars, lines, matrix
from grafana.queries import KEYS, named, of_model

RATE = "$__rate_interval"
TROUBLE = {
    "engine": 'event=~"trouble|aborted"',
    "sandbox": 'event=~"trouble|lost|unscored|judge_restart"',
    "drift": 'event=~"failed|probe_failed"',
}
"""The events that somebody should look after, by what they happen to."""


def health(of: Dashboard) -> Dashboard:
    """Whether the figures can carry a verdict."""
    unscored = "stratum:tailwatch_samples_unscored:ratio"
    shown, margin = of_model("tailwatch_minimum_detectable_delta_ratio"), of_model("tailwatch_margin_ratio")
    return (
        of.with_row(row("Statistical health"))
        .with_panel(
            matrix(
                "What each run could have shown",
                "Smallest drop that the run could have shown, as a share of the margin. Above 100 % it "
                "proves nothing.",
                "percentunit",
                Ask(expr=named(f"{shown} / on ({KEYS}, suite, stratum) {margin}")),
                rows="name",
                columns="stratum",
                span=8,
                steps=((None, GREEN), (1.005, AMBER), (1.5, RED)),
                words=STRATA,
            )
        )
        .with_panel(
            matrix(
                "Samples without a verdict",
                "Share of samples that engine or sandbox lost.",
                "percentunit",
                Ask(expr=named(of_model(unscored))),
                rows="name",
                columns="stratum",
                span=8,
                steps=((None, GREEN), (0.01, AMBER), (0.05, RED)),
                words=STRATA,
            )
        )
        .with_panel(
            bars(
                "Tasks left out",
                "Tasks whose reference solution failed in this environment.",
                "none",
                Ask(expr=named(of_model("tailwatch_excluded_tasks"))),
                rows="name",
                columns="suite",
                span=8,
            )
        )
    )


def pipeline(of: Dashboard) -> Dashboard:
    """Whether evaluations get on."""
    trouble = [
        Ask(
            expr=f"sum by (event) (increase({of_model(f'tailwatch_{kind}_events_total', events)}[{RATE}]))",
            legend=f"{kind}: {{{{event}}}}",
            empty="No monitor is scraped",
        )
        for kind, events in TROUBLE.items()
    ]
    rates = [
        Ask(expr=f"sum(rate({of_model(f'tailwatch_{name}_total')}[{RATE}]))", legend=legend)
        for name, legend in (("generated_tokens", "tokens"), ("programs_executed", "programs"))
    ]
    return (
        of.with_row(row("Pipeline"))
        .with_panel(
            bars(
                "Where the time went",
                "Wall time of the last decided evaluation by stage.",
                "s",
                Ask(expr=named(of_model("tailwatch_stage_duration_seconds"))),
                rows="name",
                columns="stage",
                span=12,
            )
        )
        .with_panel(
            lines(
                "Queue",
                "Evaluations by state.",
                "none",
                [Ask(expr=f"sum by (state) ({of_model('tailwatch_queue_checkpoints')})", legend="{{state}}")],
                span=12,
            )
        )
        .with_panel(
            lines(
                "Generated and executed per second",
                "Tokens of the engine, programs of the sandbox.",
                "cps",
                rates,
                span=8,
            )
        )
        .with_panel(
            lines(
                "Trouble",
                "What went wrong with engine, sandbox and the comparison of outputs. "
                "It never counts against a model.",
                "none",
                trouble,
                span=8,
            )
        )
        .with_panel(
            lines(
                "Age of the last result",
                "Time since the last decided evaluation.",
                "s",
                [
                    Ask(
                        expr=f"time() - max({of_model('tailwatch_last_success_timestamp_seconds')})",
                        legend="age",
                    )
                ],
                span=8,
                steps=((None, BLUE), (172800, RED)),
            )
        )
    )
