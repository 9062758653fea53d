"""What is said when no Docker engine answers."""

import pytest

from monitor.domain.errors import SandboxTrouble
from monitor.sandbox.docker_sandbox import connect


def test_a_proxy_that_stands_before_the_engine_is_named(monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(SandboxTrouble, match="add the host of DOCKER_HOST to NO_PROXY"):
        connect()


def test_an_engine_that_is_not_there_is_to_be_started(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(SandboxTrouble, match="Start the Docker engine"):
        connect()
