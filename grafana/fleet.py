"""The first board: all models at a glance, and whether their monitors live."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.frame import board, row
from grafana.links import DIGEST, MONITOR, REPORT, RUNBOOK, to_board
from grafana.palette import AMBER, BLUE, GREEN, RED, STRATA
from grafana.panels import Ask, bars, lines, listing, number
from grafana.queries import KEYS, WATCHED, series


def fleet_board() -> Dashboard:
    """All models."""
    info = series(WATCHED)
    verdict = f"({series('tailwatch_decision')} == 1) * on ({KEYS}) group_left (name, role) {info}"
    delta = (
        f"{series('tailwatch_delta_ratio')} * on ({KEYS}) group_left (name) max by ({KEYS}, name) ({info})"
    )
    age = f"time() - max by (model) ({series('tailwatch_last_success_timestamp_seconds')})"
    waiting = series("tailwatch_queue_checkpoints", 'state=~"queued|running"')
    tokens = series("tailwatch_generated_tokens_total")
    firing = 'ALERTS{job=~"$job", alertname=~"Tailwatch.+", alertstate="firing"}'
    return (
        board("tailwatch-fleet", "Tailwatch / Fleet", "Every watched model: its verdicts, and its monitor.")
        .with_row(row("Verdicts"))
        .with_panel(
            listing(
                "Newest candidates and promoted checkpoints",
                "The gate's answer about each model's newest judged candidate and promoted checkpoint.",
                [Ask(expr=verdict)],
                columns=[
                    ("model", "model"),
                    ("name", "checkpoint"),
                    ("role", "role"),
                    ("decision", "decision"),
                    ("checkpoint", DIGEST),
                    ("instance", MONITOR),
                ],
                span=14,
                links=(to_board(), REPORT),
            )
        )
        .with_panel(
            listing(
                "Alerts that fire",
                "Tailwatch's alerts in Prometheus now; each leads to its runbook.",
                [Ask(expr=firing, empty="No alert fires")],
                columns=[
                    ("alertname", "alert"),
                    ("severity", "severity"),
                    ("model", "model"),
                    ("name", "checkpoint"),
                ],
                span=10,
                links=(RUNBOOK,),
            )
        )
        .with_panel(
            bars(
                "Difference to the baseline",
                "Pass probability minus the baseline's by stratum, of newest candidates and promoted "
                "checkpoints. Negative is worse.",
                "percentunit",
                Ask(expr=delta),
                rows="name",
                columns="stratum",
                span=24,
                words=STRATA,
            )
        )
        .with_row(row("Monitors"))
        .with_panel(
            number(
                "Monitors that answer",
                "Share of Tailwatch daemons that Prometheus reaches.",
                "percentunit",
                Ask(expr=f"avg({series('up')})", empty="No monitor is scraped"),
                span=6,
                steps=((None, RED), (1, GREEN)),
            )
        )
        .with_panel(
            number(
                "Stores that can be read",
                "Share of daemons that could read their store at the last scrape.",
                "percentunit",
                Ask(expr=f"avg({series('tailwatch_store_up')})", empty="No monitor is scraped"),
                span=6,
                steps=((None, RED), (1, GREEN)),
            )
        )
        .with_panel(
            number(
                "Evaluations that wait or run",
                "Over all models.",
                "none",
                Ask(expr=f"sum({waiting})", empty="No monitor is scraped"),
                span=6,
            )
        )
        .with_panel(
            number(
                "Oldest last result",
                "Time since the last decided evaluation, of the model that waits longest.",
                "s",
                Ask(expr=f"max({age})"),
                span=6,
                steps=((None, GREEN), (172800, AMBER), (604800, RED)),
            )
        )
        .with_panel(
            lines(
                "Tokens generated per second",
                "By model.",
                "cps",
                [
                    Ask(
                        expr=f"sum by (model) (rate({tokens}[$__rate_interval]))",
                        legend="{{model}}",
                    )
                ],
                span=12,
            )
        )
        .with_panel(
            lines(
                "Age of the last result",
                "Time since the last decided evaluation, by model.",
                "s",
                [Ask(expr=age, legend="{{model}}")],
                span=12,
                steps=((None, BLUE), (172800, RED)),
            )
        )
    )
