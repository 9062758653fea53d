"""The story an operator lives: healthy, a generation that lost its tail, a page, a good candidate, all clear.

Nothing is fake: lab checkpoints, vLLM, the Docker engine, `tailwatch serve`, Prometheus with the shipped
rules, Alertmanager with the shipped routes, and a webhook that listens.
"""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import TAIL
from tests.integration.export.servers import wait_until

TICKETS = {"collapse_indicator": "TailwatchCollapseIndicator", "drift": "TailwatchOutputDrift"}
"""Reasons that open a ticket whatever the gate answers, and the alert that does."""
STARVED = 'min_over_time(max_over_time(up{job="tailwatch"}[4s])[30m:1s]) == 0'
"""True when a busy machine answered no scrape for long enough to be taken for down by the shortened rule."""
EVALUATION_INTERVAL_S = 1.0
"""Of the Prometheus that the fixture starts."""


def first_seen(server, expression):
    """When an expression first had a value, in whole steps of a second."""
    now = float(server.query("vector(time())")[0]["value"][1])
    found = server.get("query_range", query=expression, start=str(now - 1800), end=str(now), step="1")
    return min(float(series["values"][0][0]) for series in found["result"])


@pytest.fixture
def page(judged):
    """Where the first page went, and what it said."""
    delivered = judged.receiver.alerts(TAIL, "firing")
    assert delivered, judged.receiver.deliveries
    return delivered[0]


def test_nothing_fires_while_all_is_well(judged):
    assert judged.firing_before == {}


def test_a_lost_tail_pages_somebody_who_learns_what_lost_what_and_what_to_do(page):
    path, alert = page
    assert path == "tailwatch-page"
    assert (alert["labels"]["name"], alert["labels"]["stratum"]) == ("gen3", "tail")
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"]["runbook_url"].endswith(f"/runbooks/{TAIL}.md")


@pytest.mark.usefixtures("page")
def test_the_alert_fires_within_two_evaluation_intervals_of_the_finding(judged):
    server = judged.prometheus
    found = first_seen(server, 'tailwatch_finding{stratum="tail", finding="regressed"} == 1')
    fired = first_seen(server, f'ALERTS{{alertname="{TAIL}", alertstate="firing"}}')
    # One step more, since both moments are known to a second only.
    assert fired - found <= 2 * EVALUATION_INTERVAL_S + 1


@pytest.mark.usefixtures("page")
def test_a_good_candidate_gives_the_all_clear(judged):
    wait_until("the all-clear", lambda: judged.receiver.alerts(TAIL, "resolved"))


@pytest.mark.usefixtures("page")
def test_nobody_is_told_anything_that_the_page_says_or_that_is_not_so(judged):
    reasons = {
        reason["code"]
        for name in ("gen3", "control1")
        for reason in judged.daemon.get(f"/gate/{name}").json()["data"]["reasons"]
    }
    expected = {TAIL} | {TICKETS[code] for code in reasons & TICKETS.keys()}
    wait_until("every delivery", lambda: judged.receiver.told() >= expected)
    starved = {"TailwatchDown"} if judged.prometheus.query(STARVED) else set()
    assert judged.receiver.told() - starved == expected
