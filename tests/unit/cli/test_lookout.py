"""What the daemon publishes about its own looks for checkpoints."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from monitor.cli.doctor import checkpoints_found
from monitor.cli.logs import JsonLines
from monitor.cli.serve import Lookout
from monitor.config import load_options
from monitor.export.process import Polls
from monitor.wiring import open_deployment
from tests.unit.discovery.checkpoint_files import write_checkpoint

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"


@pytest.fixture
def folder(tmp_path):
    watched = tmp_path / "checkpoints"
    watched.mkdir()
    return watched


@pytest.fixture
def polls():
    return Polls("acme")


@pytest.fixture
def lookout(folder, polls, tmp_path):
    content = {
        "model": "acme",
        "checkpoints": {"source": "folder", "path": str(folder), "settle_s": 0},
        "suite": "lab",
        "store": f"sqlite:///{tmp_path / 'tailwatch.db'}",
    }
    (tmp_path / "tailwatch.yaml").write_text(yaml.safe_dump(content))
    with open_deployment(load_options(tmp_path / "tailwatch.yaml")) as deployment:
        yield Lookout(deployment, polls)


def figures(polls):
    registry = CollectorRegistry()
    registry.register(polls)
    return tuple(
        registry.get_sample_value(name, {"model": "acme"})
        for name in ("tailwatch_poll_up", "tailwatch_unusable_checkpoints")
    )


async def test_a_folder_that_is_no_checkpoint_is_counted_until_it_is_gone(lookout, polls, folder):
    half = folder / "half"
    half.mkdir()
    (half / "config.json").write_text("{}")
    await lookout.tick()
    await lookout.tick()
    assert figures(polls) == (1, 1)
    (half / "config.json").unlink()
    half.rmdir()
    await lookout.tick()
    assert figures(polls) == (1, 0)


async def test_a_look_that_breaks_off_is_told_until_one_goes_through(lookout, polls, folder):
    folder.rmdir()
    await lookout.tick()
    assert figures(polls) == (0, None)
    folder.mkdir()
    await lookout.tick()
    assert figures(polls) == (1, 0)


async def test_a_run_folder_is_named_by_the_daemon_and_by_doctor(lookout, polls, folder, tmp_path, caplog):
    write_checkpoint(folder / "run-1" / "checkpoint-100")
    with caplog.at_level(logging.WARNING):
        await lookout.tick()
    (told,) = [each.problem for each in caplog.records if each.msg == "checkpoint run-1"]
    assert "a folder below it that may be: checkpoint-100" in told
    assert figures(polls) == (1, 1)
    assert told in checkpoints_found(load_options(tmp_path / "tailwatch.yaml"))


@pytest.mark.parametrize("alert", ["TailwatchCheckpointUnusable", "TailwatchPollFailing"])
async def test_a_runbook_finds_in_the_journal_what_the_daemon_said(alert, lookout, folder, caplog):
    write_checkpoint(folder / "run-1" / "checkpoint-100")
    with caplog.at_level(logging.WARNING):
        await lookout.tick()
        shutil.rmtree(folder)
        await lookout.tick()
    shown = re.search(r"journalctl .*\| grep (['\"])(.+?)\1 ", (RUNBOOKS / f"{alert}.md").read_text())
    # The journal is no terminal: what the daemon says there is JSON.
    said = [JsonLines().format(record) for record in caplog.records]
    assert len([line for line in said if re.search(shown[2], line)]) == 1
