"""The exporter is away for longer than any rule waits: real exporter, Prometheus, Alertmanager, webhook."""

from datetime import timedelta

import pytest

from monitor.store import open_store
from tests.integration.export.servers import (
    BEGIN,
    CALM,
    Exporter,
    alertmanager,
    prometheus,
    wait_until,
)
from tests.unit.export import story

DOWN, TAIL = "TailwatchDown", "TailwatchTailRegression"
REJECTED = {TAIL, "TailwatchHeadTailDivergence", "TailwatchCandidateRejected"}
OURS = '{__name__=~"(stratum:|checkpoint:)?tailwatch_.+"}'
"""All that is said of checkpoints and of the daemon; recorded rates are those of minutes that have passed."""


@pytest.fixture
def rejecting(tmp_path):
    """A store in which gen3 was rejected, served."""
    url = f"sqlite:///{tmp_path / 'tailwatch.db'}"
    serving = Exporter(lambda: open_store(url))
    story.fill(serving.store, begin=BEGIN)
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture
def watching(rejecting, receiver, tmp_path):
    """A Prometheus and an Alertmanager that have told of gen3, once."""
    with (
        alertmanager(tmp_path / "alertmanager", receiver=receiver) as manager_port,
        prometheus(
            tmp_path / "prometheus", exporter_port=rejecting.port, alertmanager_port=manager_port
        ) as server,
    ):
        wait_until("a page", lambda: receiver.alerts(TAIL, "firing"))
        wait_until("scrapes without a gap", lambda: server.query(CALM))
        wait_until("nothing else", lambda: server.firing().keys() == REJECTED)
        wait_until("the all-clear of the start", lambda: receiver.unresolved() == {TAIL})
        receiver.deliveries.clear()
        yield server


def test_an_outage_is_told_as_such_and_a_regression_is_not_paged_again_after_it(
    rejecting, watching, receiver
):
    rejecting.stop()
    wait_until("the alarm", lambda: receiver.alerts(DOWN, "firing"))
    wait_until("the end of what was held", lambda: watching.firing().keys() == {DOWN})
    assert watching.query(OURS) == []
    assert receiver.told() == {DOWN}

    rejecting.start_again()
    wait_until("the verdict of before", lambda: watching.firing().keys() == REJECTED)
    wait_until("the all-clear", lambda: receiver.alerts(DOWN, "resolved"))
    wait_until("scrapes without a gap", lambda: watching.query(CALM))
    assert receiver.told() == {DOWN}, "gen3 was paged before, and nothing about it is new"


def test_a_regression_that_is_gone_after_an_outage_is_given_the_all_clear(rejecting, watching, receiver):
    rejecting.stop()
    wait_until("the alarm", lambda: receiver.alerts(DOWN, "firing"))
    rejecting.start_again()
    begun = BEGIN + timedelta(hours=2.5)
    story.judge(rejecting.store, story.checkpoint("control2"), story.PROMOTE, begun=begun)
    wait_until("the all-clear of both", lambda: receiver.told() == {DOWN, TAIL} and not receiver.unresolved())
    assert receiver.alerts(TAIL, "firing") == []


def test_a_clock_that_was_set_back_makes_no_alert(tmp_path):
    """Evaluations seem to have been finished in the future."""
    serving = Exporter(lambda: open_store(f"sqlite:///{tmp_path / 'tailwatch.db'}"))
    story.fill(serving.store, begin=BEGIN + timedelta(hours=30))
    serving.start()
    try:
        with prometheus(tmp_path / "prometheus", exporter_port=serving.port) as server:
            wait_until("scrapes without a gap", lambda: server.query(CALM))
            wait_until("the verdict alone", lambda: server.firing().keys() == REJECTED)
    finally:
        serving.stop()
