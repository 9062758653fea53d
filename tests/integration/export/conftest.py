from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.store import open_store
from tests.integration.export.night import warn
from tests.integration.export.servers import BEGIN, Exporter, Prometheus, Receiver, prometheus, wait_until
from tests.unit.export import story


@pytest.fixture(scope="session")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """The filled store behind the web application; read only."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'tailwatch.db'}"
    serving = Exporter(lambda: open_store(url))
    story.fill(serving.store, begin=BEGIN)
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture(scope="session")
def scraped(exporter: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped the filled store."""
    with prometheus(tmp_path_factory.mktemp("prometheus"), exporter_port=exporter.port) as server:
        yield server


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that knows every kind of figure there is, after a night in which much happened."""
    url = f"sqlite:///{tmp_path_factory.mktemp('night') / 'tailwatch.db'}"
    serving = Exporter(lambda: open_store(url))
    story.begin_well(serving.store, begin=BEGIN)
    serving.start()
    with prometheus(tmp_path_factory.mktemp("prometheus"), exporter_port=serving.port) as server:
        wait_until("the first scrape", lambda: server.query("tailwatch_store_up"))
        story.fill(serving.store, begin=BEGIN)
        wait_until("the rejection", lambda: server.query('tailwatch_decision{decision="reject"} == 1'))
        warn(serving.store)
        wait_until("the warning", lambda: server.query("tailwatch_slow_decline_evidence"))
        wait_until("its rules", lambda: "TailwatchOutputDrift" in server.firing())
        yield server
    serving.stop()


@pytest.fixture
def own_exporter(tmp_path) -> Iterator[Exporter]:
    """A filled store that the test may change, with room for two candidates."""
    url = f"sqlite:///{tmp_path / 'tailwatch.db'}"
    serving = Exporter(lambda: open_store(url), candidates=2)
    story.fill(serving.store, begin=BEGIN)
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture
def own_prometheus(own_exporter: Exporter, tmp_path) -> Iterator[Prometheus]:
    with prometheus(tmp_path / "prometheus", exporter_port=own_exporter.port) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where an Alertmanager of the test's own delivers."""
    listening = Receiver()
    yield listening
    listening.close()
