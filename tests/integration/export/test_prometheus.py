"""A real Prometheus scrapes a real uvicorn over a real SQLite store."""

import subprocess
from datetime import timedelta

import httpx
import pytest

from tests.integration.export.servers import BEGIN, DEPLOY, wait_until
from tests.unit.export import story

GEN3 = f'checkpoint="{story.GEN3.short_digest}"'
GEN0 = f'checkpoint="{story.GEN0.short_digest}"'


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("tailwatch_store_up", 1),
        (f'tailwatch_pass_ratio{{{GEN3},stratum="tail",suite="core"}}', 0.4),
        (f'tailwatch_pass_ratio{{{GEN0},stratum="tail"}}', 0.6),
        (f'tailwatch_delta_ratio{{{GEN3},stratum="tail"}}', -0.2),
        (f'tailwatch_delta_low_ratio{{{GEN3},stratum="tail"}}', -0.24),
        (f'tailwatch_margin_ratio{{{GEN3},stratum="tail"}}', 0.1),
        (f'tailwatch_samples{{{GEN3},stratum="tail",outcome="failed"}}', 24),
        (f'tailwatch_finding{{{GEN3},stratum="tail",finding="regressed"}}', 1),
        (f'tailwatch_decision{{{GEN3},decision="reject"}}', 1),
        (f'tailwatch_decision_reason{{{GEN3},reason="stratum_regressed",stratum="tail"}}', 1),
        (f'tailwatch_stage_duration_seconds{{{GEN3},stage="generation"}}', 11.5),
        ('tailwatch_queue_checkpoints{state="decided"}', 3),
        ("tailwatch_generated_tokens_total", 3267),
        ('tailwatch_sandbox_events_total{event="unscored"}', 3),
        (
            f"tailwatch_last_success_timestamp_seconds{{{GEN3}}}",
            (BEGIN + timedelta(hours=2, seconds=15)).timestamp(),
        ),
    ],
)
def test_a_series_arrives_in_prometheus_with_its_value(scraped, series, expected):
    wait_until("the first scrape", lambda: scraped.query("tailwatch_store_up"))
    assert scraped.value(series) == pytest.approx(expected)


def test_prometheus_takes_the_whole_exposition_without_complaint(scraped):
    target = wait_until(
        "the target",
        lambda: [each for each in scraped.get("targets")["activeTargets"] if each["health"] == "up"],
    )[0]
    assert target["lastError"] == ""
    assert target["labels"]["job"] == "tailwatch"


def test_promtool_finds_nothing_to_say_about_the_exposition(exporter):
    body = httpx.get(f"{exporter.url}/metrics").content
    checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
    assert checked.returncode == 0, (checked.stdout + checked.stderr).decode()
    assert checked.stderr == b""


@pytest.mark.parametrize(
    "arguments",
    [
        ["promtool", "check", "config", str(DEPLOY / "prometheus.yml")],
        ["promtool", "test", "rules", *sorted(str(path) for path in (DEPLOY / "tests").glob("*.yml"))],
        ["amtool", "check-config", str(DEPLOY / "alertmanager.yml")],
    ],
    ids=lambda arguments: " ".join(arguments[:3]),
)
def test_what_is_shipped_passes_the_tools_of_prometheus(arguments):
    checked = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rejected_candidate_is_what_fires(scraped):
    expected = {"TailwatchTailRegression", "TailwatchHeadTailDivergence", "TailwatchCandidateRejected"}
    # Prometheus hands out targets every five seconds: until the first one it takes the exporter for down.
    wait_until("these alerts and no other", lambda: scraped.firing().keys() == expected)
    assert scraped.firing()["TailwatchTailRegression"]["name"] == "gen3"


def test_every_recording_rule_is_evaluated_without_error(scraped):
    wait_until("an evaluation", lambda: scraped.query("checkpoint:tailwatch_checkpoint_info:watched"))
    rules = [rule for group in scraped.get("rules")["groups"] for rule in group["rules"]]
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
    recorded = [rule["name"] for rule in rules if rule["type"] == "recording"]
    assert len(recorded) == 6
    wait_until("every recorded series", lambda: all(scraped.query(name) for name in recorded))


def test_a_candidate_that_is_no_longer_published_vanishes_by_itself(own_exporter, own_prometheus):
    names = "tailwatch_checkpoint_info{role='candidate'}"
    wait_until("the first scrape", lambda: own_prometheus.query(names))
    for number in range(2):
        begun = BEGIN + timedelta(hours=3 + number)
        story.judge(own_exporter.store, story.checkpoint(f"next{number}"), story.PROMOTE, begun=begun)

    def shown():
        return {each["metric"]["name"] for each in own_prometheus.query(names)}

    wait_until("the old candidates to go", lambda: shown() == {"next0", "next1"})
    assert own_prometheus.query(f"tailwatch_delta_ratio{{{GEN3}}}") == []
    wait_until("their alerts to end", lambda: "TailwatchTailRegression" not in own_prometheus.firing())


def test_counters_survive_a_restart_as_counters(own_exporter, own_prometheus):
    tokens = "tailwatch_generated_tokens_total"
    wait_until("the first scrape", lambda: own_prometheus.value(tokens))
    own_exporter.restart()
    own_exporter.store.count(story.MODEL, "generated_tokens", by=33)
    wait_until("the next scrape", lambda: own_prometheus.value(tokens) == 3300)
    assert own_prometheus.value(f"resets({tokens}[5m])") == 0
