"""`tailwatch serve` as it composes itself, in a process of its own; engine and sandbox are fakes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.config import load_options
from monitor.domain.identity import content_digest
from monitor.rounds.drifting import page_name
from monitor.wiring import reports_folder
from tests.unit.discovery.checkpoint_files import write_checkpoint
from tests.unit.repository.documents import ROOT

from .deployments import deployment, fake_bench, run

PROGRAM = """
from importlib import import_module
from monitor.cli import main
from tests.unit.cli.deployments import fake_bench
import_module("monitor.cli.serve").open_bench = fake_bench
main()
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A deployment with a bank, and a checkpoint that has arrived."""
    made = deployment(tmp_path)
    text = made.read_text(encoding="utf-8").replace("{path: models}", "{path: models, settle_s: 0}")
    made.write_text(f"{text}serve: {{port: 0}}\n", encoding="utf-8")
    monkeypatch.setattr("monitor.cli.evaluate.open_bench", fake_bench)
    assert run(made, "baseline", "build", "base").exit_code == 0
    write_checkpoint(tmp_path / "models" / "arrived")
    return made


@contextmanager
def serving(config: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Yields what asks for everything that the daemon has logged so far."""
    log = config.with_name("serve.log")
    command = [sys.executable, "-c", PROGRAM, "serve", "-c", str(config), "--log-format", "json"]
    with log.open("wb") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as process:
        try:
            yield lambda: [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        finally:
            process.terminate()
            process.wait(timeout=60)
    assert process.returncode == 0, log.read_text("utf-8")


def first(ask: Callable[[], list[Any]]) -> Any:
    """The first of what is asked for until there is one."""
    deadline = time.monotonic() + 60
    while not (found := ask()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found[0]


def test_what_it_is_made_of_is_in_its_answers_and_in_its_log(config):
    with serving(config) as logged, httpx.Client(trust_env=False) as client:
        address = first(lambda: [each["address"] for each in logged() if each["event"] == "serving"])

        def figures(name: str) -> list[str]:
            lines = client.get(f"{address}/metrics").text.splitlines()
            return [line for line in lines if line.startswith(f"{name}{{")]

        first(lambda: figures("tailwatch_last_sample_timestamp_seconds"))
        assert len(figures("tailwatch_baseline_floor")) == 3
        assert len(figures("tailwatch_poll_interval_seconds")) == 1
        base = client.get(f"{address}/checkpoints/{content_digest('base')}")
        assert "<h2>Bank</h2>" in base.text
        page = reports_folder(load_options(config)) / page_name("0" * 32)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("what drifted", encoding="utf-8")
        assert client.get(f"{address}/drift/{'0' * 32}").text == "what drifted"
        foreign = client.get(f"{address}/health/live", headers={"host": "rebinding.example.org"})
        assert foreign.status_code == 421
        first(lambda: [each for each in logged() if each["event"] == "engine ready"])
