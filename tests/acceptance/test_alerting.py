"""The story an operator lives: healthy, a generation that lost its tail, a page, a good candidate, all clear.

Nothing is fake: lab checkpoints, vLLM, the Docker engine, `tailwatch serve`, Prometheus with the shipped
rules, Alertmanager with the shipped routes, and a webhook that listens.
"""

from __future__ import annotations

import shutil

import pytest

from tests.acceptance.conftest import DECISION_S
from tests.acceptance.product import ENGINE_READY_S
from tests.integration.export.servers import Receiver, alertmanager, prometheus
from tests.requirements import require

TAIL = "TailwatchTailRegression"
PATIENCE_S = ENGINE_READY_S + DECISION_S
EVALUATION_INTERVAL_S = 1.0
"""Of the Prometheus that the fixture starts."""


@pytest.fixture
def receiver():
    listening = Receiver()
    yield listening
    listening.close()


def first_seen(server, expression):
    """When an expression first had a value, in whole steps of a second."""
    now = float(server.query("vector(time())")[0]["value"][1])
    found = server.get("query_range", query=expression, start=str(now - 1800), end=str(now), step="1")
    return min(float(series["values"][0][0]) for series in found["result"])


def test_a_lost_tail_pages_somebody_and_a_good_candidate_gives_the_all_clear(banked, receiver, tmp_path):
    require("amtool", shutil.which("amtool") is not None, "apt-get install prometheus-alertmanager")
    deployment = banked.copy_to(tmp_path / "deployment")
    with (
        alertmanager(tmp_path / "alertmanager", receiver=receiver) as manager_port,
        deployment.serving() as daemon,
        prometheus(
            tmp_path / "prometheus", exporter_port=deployment.port, alertmanager_port=manager_port
        ) as server,
    ):
        daemon.wait_until(
            "the baseline is published",
            lambda: bool(server.query('tailwatch_checkpoint_info{role="baseline"}')),
            timeout_s=60,
        )
        assert server.firing() == {}

        deployment.receive("gen3")
        daemon.wait_until("the page", lambda: bool(receiver.alerts(TAIL, "firing")), timeout_s=PATIENCE_S)
        path, page = receiver.alerts(TAIL, "firing")[0]
        assert path == "tailwatch-page"
        assert (page["labels"]["name"], page["labels"]["stratum"]) == ("gen3", "tail")
        assert page["labels"]["severity"] == "critical"
        assert page["annotations"]["runbook_url"].endswith(f"/runbooks/{TAIL}.md")
        deployment.run("gate", "gen3").expect(1)

        found = first_seen(server, 'tailwatch_finding{stratum="tail", finding="regressed"} == 1')
        fired = first_seen(server, f'ALERTS{{alertname="{TAIL}", alertstate="firing"}}')
        # One step more, since both moments are known to a second only.
        assert fired - found <= 2 * EVALUATION_INTERVAL_S + 1

        deployment.receive("control1")
        daemon.wait_until(
            "the all-clear", lambda: bool(receiver.alerts(TAIL, "resolved")), timeout_s=DECISION_S
        )
        deployment.run("gate", "control1").expect(0)
