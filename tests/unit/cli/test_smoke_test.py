"""A smoke test runs a few tasks and leaves the deployment as it was."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.cli.smoke_test import narrowed
from monitor.domain.errors import InvalidSuite, Trouble
from monitor.suites.loading import load_suite
from monitor.testing import FakeSandbox
from tests.unit.discovery.checkpoint_files import write_checkpoint

from .deployments import answer, deployment, fake_bench, run


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("monitor.cli.evaluate.open_bench", fake_bench)
    return deployment(tmp_path)


def content(config: Path) -> dict[str, list[tuple]]:
    """Every row of the deployment's store."""
    with closing(sqlite3.connect(config.with_name("tailwatch.db"))) as store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: store.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


@pytest.mark.parametrize("command", [("evaluate",), ("baseline", "build")])
def test_a_smoke_test_stores_nothing_and_decides_nothing(config, command):
    before = content(config)
    found = answer(config, *command, "base", "--tasks", "core/*", "--limit", "5")
    assert found["smoke_test"] is True
    assert len(found["tasks"]) == 5
    assert found["samples"] == 10
    assert set(found["strata"]) == {"tail", "torso", "head"}
    assert "decision" not in found
    assert content(config) == before
    told = run(config, *command, "base", "--limit", "2")
    assert "Nothing was stored and nothing was decided" in told.stdout
    assert content(config) == before


def test_a_folder_that_is_smoke_tested_is_not_remembered(config):
    folder = write_checkpoint(config.parent / "arrived")
    before = content(config)
    assert answer(config, "evaluate", str(folder), "--limit", "2")["checkpoint"]["name"] == "arrived"
    assert content(config) == before


def test_a_smoke_test_that_fails_does_not_claim_that_something_was_stored(config, monkeypatch):
    @asynccontextmanager
    async def without_a_sandbox(deployment, **rest):
        async with fake_bench(deployment, **rest) as bench:
            yield replace(bench, sandbox=FakeSandbox(life=0))

    monkeypatch.setattr("monitor.cli.evaluate.open_bench", without_a_sandbox)
    before = content(config)
    failed = run(config, "evaluate", "base", "--limit", "2")
    assert isinstance(failed.exception, Trouble)
    assert "Nothing was stored" in failed.exception.next_step
    assert content(config) == before


def test_what_was_smoke_tested_cannot_be_promoted(config):
    answer(config, "baseline", "build", "base")
    assert answer(config, "evaluate", "equal", "--limit", "30")["smoke_test"]
    gate = run(config, "gate", "equal")
    assert gate.exit_code == 2
    assert run(config, "promote", "equal").exit_code != 0


@pytest.mark.parametrize("command", [("evaluate",), ("baseline", "build")])
def test_a_smoke_test_has_nothing_to_repeat(config, command):
    refused = run(config, *command, "base", "--limit", "2", "--again")
    assert "--again has nothing to repeat" in refused.stderr
    assert refused.exit_code != 0


def test_samples_of_a_task_can_be_chosen(config):
    found = answer(config, "baseline", "build", "base", "--samples", "4", "--limit", "3")
    assert found["samples"] == 12


def test_a_pattern_without_a_task_is_an_error(config):
    failed = run(config, "evaluate", "base", "--tasks", "nothing/*")
    assert isinstance(failed.exception, InvalidSuite)
    assert "nothing/*" in failed.exception.message


def test_the_strata_take_turns_and_the_digest_is_its_own():
    core = load_suite("core")
    few = narrowed(core, (), 4)
    assert sorted(task.stratum.value for task in few) == ["head", "tail", "tail", "torso"]
    assert few.digest not in {core.digest, narrowed(core, (), 5).digest}
    assert few.digest == narrowed(core, (), 4).digest
