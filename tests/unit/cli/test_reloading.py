"""What a running daemon takes over from a changed file, and what it says about the rest."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.cli.reloading import LIVE, Live, changed_keys, reload_when
from monitor.cli.serve import Lookout, answering, judges_of, watch
from monitor.config import Options, load_options
from monitor.domain.tasks import Stratum
from monitor.export.process import Polls
from monitor.rounds.bench import Gauges
from monitor.testing import FakeEngine, FakeSandbox
from monitor.web.answers import LASTS_S
from monitor.web.server import listen
from monitor.wiring import open_deployment
from tests.unit.rounds.conftest import World
from tests.unit.rounds.test_floors import evaluated, failing

CONFIG = """
model: acme
checkpoints: {path: models}
suite: lab
engine: {kind: remote, url: "http://127.0.0.1:9"}
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "models").mkdir()
    written = tmp_path / "tailwatch.yaml"
    written.write_text(CONFIG, encoding="utf-8")
    return written


@pytest.fixture
def deployment(file):
    with open_deployment(load_options(file)) as opened:
        yield opened


class Schedule:
    """Remembers what it was told to keep to."""

    told = None

    def reschedule(self, schedule):
        self.told = schedule


def write(file: Path, more: str) -> None:
    file.write_text(CONFIG + more, encoding="utf-8")


def said(caplog) -> list[tuple[str, str]]:
    return [
        (record.message, getattr(record, "changed", None) or getattr(record, "keys", None) or record.problem)
        for record in caplog.records
        if record.name == "tailwatch"
    ]


def bench(deployment):
    from monitor.rounds.bench import Bench
    from monitor.rounds.tally import Tally
    from monitor.wiring import asking, now

    watched = deployment.watch
    return Bench(
        model="acme",
        suite=watched.suite,
        plan=watched.plan,
        policy=deployment.policy,
        store=deployment.store,
        engine=FakeEngine(lambda *_: 1.0),
        sandbox=FakeSandbox(),
        asking=asking(watched.suite, watched.plan),
        tally=Tally("acme"),
        clock=now,
        wave_samples=8,
        watcher=lambda _: None,
        gauges=Gauges(),
    )


def test_policy_schedule_and_drift_are_followed_and_the_rest_is_named(deployment, file, caplog):
    schedule = Schedule()
    live = Live(deployment, judges_of(deployment), bench(deployment), schedule)
    write(file, "policy: {alpha: 0.01}\nschedule: {poll: 5s}\ndrift: {columns: false}\nserve: {port: 1}\n")
    with caplog.at_level(logging.INFO):
        live.reload(file)
        live.reload(file)
    assert said(caplog) == [
        ("configuration reloaded", "policy.alpha, drift.columns, schedule.poll"),
        ("restart needed", "serve.port"),
        # What waits for a restart is told each time, what was taken over is not.
        ("configuration reloaded", "nothing"),
        ("restart needed", "serve.port"),
    ]
    assert live.bench.policy.alpha == 0.01
    assert live.bench.gauges.meter is not None
    assert schedule.told.poll == 5.0
    assert live.options.serve.port == deployment.options.serve.port


@pytest.mark.parametrize(
    "wrong", ["policy: {alpah: 1}\n", "policy: [\n", "drift: {probes: [rare-code-nll], snippets: nowhere}\n"]
)
def test_a_file_that_is_wrong_changes_nothing(deployment, file, caplog, wrong):
    live = Live(deployment, judges_of(deployment), bench(deployment), Schedule())
    before = live.bench
    write(file, f"schedule: {{poll: 5s}}\n{wrong}")
    live.reload(file)
    assert [event for event, _ in said(caplog)] == ["configuration kept"]
    assert live.bench is before
    assert live.options == deployment.options


async def told(address: str) -> tuple[str, float, bool]:
    """What the gate answers for a candidate, whether the tail is a floor, and whether a page says so."""
    async with httpx.AsyncClient(trust_env=False, base_url=address) as client:
        decision = (await client.get("/gate/equal")).json()["data"]["decision"]
        metrics, page = (await client.get("/metrics")).text, (await client.get("/")).text
    (floor,) = [
        sample.value
        for family in parse_text(metrics)
        for sample in family.samples
        if sample.name == "tailwatch_baseline_floor" and sample.labels["stratum"] == "tail"
    ]
    return decision, floor, "Baseline, tail" in page


async def test_gate_metrics_and_pages_answer_by_the_policy_that_was_read_last(deployment, file):
    world = World(deployment.store)
    world.clock.time = datetime.now(UTC)
    world.engine = failing(Stratum.TAIL)
    await world.with_baseline()
    await evaluated(world, "equal")
    served = replace(deployment, watch=world.watch, policy=world.policy)
    judges = judges_of(served)
    live = Live(served, judges, world.bench(), Schedule())
    async with answering(served, listen("127.0.0.1", 0), judges=judges) as address:
        assert await told(address) == ("hold", 1.0, True)
        write(file, "policy: {margin: {tail: 0.2, torso: 0.2, head: 0.2}, advisory: [tail]}\n")
        await asyncio.to_thread(live.reload, file)
        await asyncio.sleep(LASTS_S)
        assert await told(address) == ("promote", 0.0, False)


async def test_whatever_goes_wrong_the_next_signal_is_heeded(deployment, file, caplog):
    class Broken(Live):
        reloads = 0

        def reload(self, config):
            self.reloads += 1
            if self.reloads == 1:
                raise RuntimeError("a bug")

    asked = asyncio.Event()
    live = Broken(deployment, judges_of(deployment), bench(deployment), Schedule())
    reloading = asyncio.create_task(reload_when(asked, live, file))
    async with asyncio.timeout(20):
        for times in (1, 2):
            asked.set()
            while live.reloads < times:
                await asyncio.sleep(0.01)
    assert not reloading.done()
    assert "a bug" in caplog.text
    reloading.cancel()
    await asyncio.gather(reloading, return_exceptions=True)


async def test_the_folder_is_looked_at_by_the_new_schedule(deployment, file):
    class Counting(Lookout):
        looks = 0

        def look(self):
            self.looks += 1

    lookout = Counting(deployment, Polls("acme"))
    watching = asyncio.create_task(watch(lookout, 3600.0))
    async with asyncio.timeout(20):
        while lookout.looks < 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        write(file, "schedule: {poll: 0.05s}\n")
        await asyncio.to_thread(lookout.reschedule, load_options(file).schedule)
        while lookout.looks < 3:
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


def test_every_live_section_is_one_of_the_file_and_keys_are_named_whole(file):
    assert set(LIVE) < set(Options.model_fields)
    before = load_options(file)
    write(file, "policy: {margin: {tail: 0.2}}\nbaseline: first\n")
    assert list(changed_keys(before, load_options(file))) == ["baseline", "policy.margin"]
