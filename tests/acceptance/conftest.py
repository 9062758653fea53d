"""One baseline and one daemon, shared by every acceptance test: starting vLLM is what takes time."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import pytest

from tests.acceptance.product import CHECKPOINTS, ENGINE_READY_S, TAILWATCH, Daemon, Deployment, free_port
from tests.integration.export.servers import CALM, Prometheus, Receiver, alertmanager, prometheus, wait_until
from tests.requirements import require

BANK_S = 420.0
"""Longest that drawing generation 0's bank may take, beside starting vLLM."""
TAIL = "TailwatchTailRegression"
DECISION_S = 180.0
"""Longest from a checkpoint's arrival to its decision, once the engine is up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A daemon that has decided on a third generation without review, then on a control."""

    deployment: Deployment
    daemon: Daemon
    prometheus: Prometheus
    """Scrapes the daemon and evaluates the shipped rules since before the first candidate arrived."""
    receiver: Receiver
    """Where Alertmanager delivers, by the shipped routes."""
    firing_before: dict[str, dict[str, str]]
    """Alerts that fired before the first candidate arrived."""


@pytest.fixture(scope="session", autouse=True)
def command() -> None:
    """The console script is installed beside the interpreter that runs the tests."""
    assert TAILWATCH.is_file(), f"{TAILWATCH} is not installed: run `make install`"


@pytest.fixture
def deployment(tmp_path) -> Deployment:
    """A fresh deployment: configuration and watched folder, no store, no baseline."""
    fresh = Deployment(folder=tmp_path / "deployment", port=free_port())
    fresh.configure()
    return fresh


def docker_answers() -> bool:
    """Whether a Docker engine can be reached where the environment says."""
    try:
        with contextlib.closing(docker.from_env(timeout=10)) as engine:
            return bool(engine.ping())
    except docker.errors.DockerException:
        return False


@pytest.fixture(scope="session")
def components() -> None:
    """What the whole path runs on."""
    require("A Docker engine", docker_answers(), "Install docker.io and start dockerd, or set DOCKER_HOST.")
    require("vLLM", importlib.util.find_spec("vllm") is not None, "Run `make install`.")


@pytest.fixture(scope="session")
def banked(components, tmp_path_factory) -> Deployment:
    """A deployment whose baseline is generation 0, its bank drawn by `tailwatch baseline build`."""
    fresh = Deployment(folder=tmp_path_factory.mktemp("banked") / "deployment", port=free_port())
    fresh.configure()
    built = fresh.run(
        "baseline", "build", str(CHECKPOINTS / "gen0"), "--json", timeout_s=ENGINE_READY_S + BANK_S
    ).expect(0)
    assert built.document["baseline"]["name"] == "gen0"
    outcomes = dict(fresh.query("SELECT outcome, sum(samples) FROM tallies GROUP BY outcome"))
    assert outcomes.get("passed", 0) > built.document["samples"] / 4, f"this is not gen0's bank: {outcomes}"
    return fresh


@pytest.fixture(scope="session")
def judged(banked, tmp_path_factory) -> Iterator[Judged]:
    """The whole story, once: a calm baseline, a bad candidate and its page, a good candidate."""
    deployment = banked.copy_to(tmp_path_factory.mktemp("judged") / "deployment")
    with contextlib.ExitStack() as running:
        receiver = Receiver()
        running.callback(receiver.close)
        manager_port = running.enter_context(
            alertmanager(tmp_path_factory.mktemp("alertmanager"), receiver=receiver)
        )
        daemon = running.enter_context(deployment.serving())
        server = running.enter_context(
            prometheus(
                tmp_path_factory.mktemp("prometheus"),
                exporter_port=deployment.port,
                alertmanager_port=manager_port,
            )
        )
        server.series('tailwatch_checkpoint_info{role="baseline"}')
        # Prometheus hands out targets every five seconds: until the first one is scraped there is no `up`,
        # which the shortened rules take for news.
        wait_until("scrapes without a gap", lambda: server.query(CALM))
        firing_before = server.firing()
        wait_until("the all-clear of the start", lambda: not receiver.unresolved())
        receiver.deliveries.clear()
        _decide(deployment, daemon, "gen3")
        # The bad candidate stays the newest until somebody has been paged.
        with contextlib.suppress(AssertionError):
            wait_until("a page", lambda: receiver.alerts(TAIL, "firing"))
        _decide(deployment, daemon, "control1")
        yield Judged(
            deployment=deployment,
            daemon=daemon,
            prometheus=server,
            receiver=receiver,
            firing_before=firing_before,
        )


def _decide(deployment: Deployment, daemon: Daemon, name: str) -> None:
    deployment.receive(name)
    daemon.wait_until(
        f"a decision on {name}",
        lambda: daemon.decision_of(name) is not None,
        timeout_s=ENGINE_READY_S + DECISION_S,
    )
