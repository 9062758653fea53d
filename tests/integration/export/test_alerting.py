"""From a stored verdict to a page: real exporter, Prometheus, Alertmanager and a webhook that listens."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from monitor.store import open_store
from tests.integration.export.servers import (
    BEGIN,
    CALM,
    DEPLOY,
    Exporter,
    alertmanager,
    prometheus,
    wait_until,
)
from tests.requirements import require
from tests.unit.export import story

TAIL = "TailwatchTailRegression"


@pytest.fixture
def manager_port(receiver, tmp_path):
    with alertmanager(tmp_path / "alertmanager", receiver=receiver) as port:
        yield port


@pytest.fixture
def healthy(tmp_path):
    """A baseline and a good candidate, served."""
    url = f"sqlite:///{tmp_path / 'tailwatch.db'}"
    serving = Exporter(lambda: open_store(url))
    story.begin_well(serving.store, begin=BEGIN)
    serving.start()
    yield serving
    serving.stop()


def test_a_lost_tail_pages_once_and_a_good_candidate_resolves_it(healthy, receiver, manager_port, tmp_path):
    with prometheus(
        tmp_path / "prometheus", exporter_port=healthy.port, alertmanager_port=manager_port
    ) as server:
        wait_until(
            "the watched candidate", lambda: server.query("checkpoint:tailwatch_checkpoint_info:watched")
        )
        # Until it hands out its first target Prometheus rightly takes the exporter for down.
        wait_until("scrapes without a gap", lambda: server.query(CALM))
        wait_until("quiet", lambda: server.firing() == {} and not receiver.unresolved())
        receiver.deliveries.clear()

        story.judge(healthy.store, story.GEN3, story.REJECT, begun=BEGIN + timedelta(hours=2), tail_ratio=0.4)
        path, alert = wait_until("the page", lambda: receiver.alerts(TAIL, "firing"))[0]
        assert path == "tailwatch-page"
        expected = {
            "severity": "critical",
            "model": story.MODEL,
            "checkpoint": story.GEN3.short_digest,
            "name": "gen3",
            "role": "candidate",
            "stratum": "tail",
            "suite": "core",
        }
        assert alert["labels"] | expected == alert["labels"]
        assert alert["annotations"]["runbook_url"].endswith(f"/runbooks/{TAIL}.md")
        assert "gen3" in alert["annotations"]["summary"]
        assert httpx.get(f"{healthy.url}/gate/gen3").json()["data"]["verdict"] == "fail"

        story.judge(
            healthy.store, story.checkpoint("control2"), story.PROMOTE, begun=BEGIN + timedelta(hours=2.5)
        )
        wait_until("the all-clear", lambda: receiver.alerts(TAIL, "resolved"))
        assert httpx.get(f"{healthy.url}/gate/control2").json()["data"]["verdict"] == "pass"

    assert receiver.told() == {TAIL}, "the page inhibits what it says already"


def alert(alertname, **labels):
    labels = {"alertname": alertname, "job": "tailwatch", "instance": "a:9817", "model": "m"} | labels
    return {"labels": labels, "startsAt": datetime.now(UTC).isoformat(), "annotations": {}}


def test_what_follows_from_a_cause_is_silenced_by_it(manager_port):
    alerts = [
        alert("TailwatchDown", severity="critical", model=""),
        alert("TailwatchEvaluationStale", severity="warning"),
        alert("TailwatchEvaluationStale", severity="warning", instance="b:9817"),
        alert("TailwatchBaselineMissing", severity="warning", instance="c:9817"),
        alert("TailwatchUndecidedUnderpowered", severity="warning", instance="c:9817"),
        alert("TailwatchEngineTrouble", severity="warning", instance="c:9817"),
        alert("TailwatchUndecidedUnderpowered", severity="warning", instance="c:9817", model="other"),
        alert("TailwatchTailRegression", severity="critical", instance="d:9817", checkpoint="aa"),
        alert("TailwatchSlowDecline", severity="warning", instance="d:9817", checkpoint="aa"),
        alert("TailwatchSlowDecline", severity="warning", instance="e:9817", checkpoint="bb"),
    ]
    api = f"http://127.0.0.1:{manager_port}/api/v2/alerts"
    httpx.post(api, json=alerts).raise_for_status()

    def states():
        told = httpx.get(api).json()
        return {
            (each["labels"]["alertname"], each["labels"]["instance"], each["labels"].get("model", "")): each[
                "status"
            ]["state"]
            for each in told
        }

    expected = {
        ("TailwatchDown", "a:9817", ""): "active",
        ("TailwatchEvaluationStale", "a:9817", "m"): "suppressed",
        ("TailwatchEvaluationStale", "b:9817", "m"): "active",
        ("TailwatchBaselineMissing", "c:9817", "m"): "active",
        ("TailwatchUndecidedUnderpowered", "c:9817", "m"): "suppressed",
        ("TailwatchEngineTrouble", "c:9817", "m"): "active",
        ("TailwatchUndecidedUnderpowered", "c:9817", "other"): "active",
        ("TailwatchTailRegression", "d:9817", "m"): "active",
        ("TailwatchSlowDecline", "d:9817", "m"): "suppressed",
        ("TailwatchSlowDecline", "e:9817", "m"): "active",
    }
    wait_until("the inhibitions", lambda: states() == expected)


@pytest.mark.parametrize(
    ("severity", "receiver_name"),
    [
        ("critical", "tailwatch-page"),
        ("warning", "tailwatch-ticket"),
        ("info", "tailwatch-digest"),
        ("unheard-of", "tailwatch-digest"),
    ],
)
def test_the_severity_of_an_alert_decides_who_hears_of_it(severity, receiver_name):
    require("amtool", shutil.which("amtool") is not None, "apt-get install prometheus-alertmanager")
    arguments = ["amtool", "config", "routes", "test", f"--config.file={DEPLOY / 'alertmanager.yml'}"]
    routed = subprocess.run(
        [*arguments, f"severity={severity}", "alertname=TailwatchTailRegression"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert routed.stdout.strip() == receiver_name
