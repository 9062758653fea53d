"""How far an evaluation is, told on a terminal, off it, and by the daemon."""

from __future__ import annotations

import io
import logging
from dataclasses import replace

import pytest
from rich.console import Console

from monitor.cli.progress import EVERY_S, Milestones, logged, shown
from monitor.domain.evaluation import Stage
from monitor.rounds.bench import Progress
from tests.unit.contracts.store_nouns import an_evaluation

from .deployments import deployment, fake_bench, run

SERVED = replace(an_evaluation(), environment={"engine": "vllm 0.32"}, stage_s={Stage.ENGINE: 41.26})


def reports(*samples: int, expected: int | None = 4096):
    """What is told of so many samples; none is what is told of an engine that has become ready."""
    return [
        Progress(evaluation=SERVED, samples=n, expected=expected, pass_ratio=0.615, served=n == 0)
        for n in samples
    ]


def events(milestones: Milestones, progress: list[Progress]) -> list[tuple[str, object]]:
    return [(each.event, each.fields.get("samples")) for report in progress for each in milestones.of(report)]


def test_waves_are_told_now_and_then_and_the_last_one_always():
    now = [0.0]
    milestones = Milestones(clock=lambda: now[0])
    assert events(milestones, reports(0)) == [("engine ready", None)]
    assert events(milestones, reports(128, 256)) == []
    now[0] = EVERY_S
    assert events(milestones, reports(384, 512)) == [("progress", 384)]
    assert events(milestones, reports(4096, 4096)) == [("progress", 4096)]


def test_an_engine_that_was_not_started_is_not_called_ready():
    before = [Progress(evaluation=SERVED, samples=0, expected=None)]
    assert events(Milestones(), before + reports(0)) == [("engine ready", None)]


def test_off_a_terminal_there_are_lines(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr("monitor.cli.progress.EVERY_S", 0.0)
    with shown(Console(file=out, force_terminal=False)) as watch:
        for report in [*reports(0, 1024), *reports(1100, expected=None)]:
            watch(report)
    name = SERVED.checkpoint.name
    assert out.getvalue().splitlines() == [
        f"samples of {name}: engine ready after 41.3 s (vllm 0.32)",
        f"samples of {name}: 1024 of 4096 samples, 61.5% passed",
        f"samples of {name}: 1100 samples, 61.5% passed",
    ]


def test_on_a_terminal_there_is_a_bar_and_no_line():
    out = io.StringIO()
    with shown(Console(file=out, force_terminal=True, width=120)) as watch:
        for report in reports(0, 2048):
            watch(report)
    assert "2048/4096" in out.getvalue()
    assert "61.5% passed" in out.getvalue()
    assert "engine ready" not in out.getvalue()


def test_the_daemon_logs_events_with_the_evaluation_they_are_about(caplog, monkeypatch):
    monkeypatch.setattr("monitor.cli.progress.EVERY_S", 0.0)
    watch = logged()
    with caplog.at_level(logging.INFO, "tailwatch"):
        for report in reports(0, 128):
            watch(report)
    ready, progress = caplog.records
    assert (ready.message, ready.engine, ready.seconds) == ("engine ready", "vllm 0.32", 41.3)
    assert (progress.message, progress.samples, progress.pass_ratio) == ("progress", 128, 0.615)
    assert ready.run == progress.run == SERVED.key.evaluation_id


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return deployment(tmp_path_factory.mktemp("deployment"))


def test_a_build_that_nobody_watches_says_how_far_it_is(config, monkeypatch):
    monkeypatch.setattr("monitor.cli.evaluate.open_bench", fake_bench)
    built = run(config, "baseline", "build", "base")
    ready, *_, last = [line for line in built.stderr.splitlines() if line.startswith("bank of base: ")]
    assert "engine ready after" in ready
    assert "3216 of 3216 samples, " in last
    assert last.endswith("% passed")
