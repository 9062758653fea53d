"""What the daemon answers and does before and beside its evaluations."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest
from apscheduler.schedulers import base
from apscheduler.triggers import interval

from monitor.cli.serve import Lookout, answering, in_daemon_thread, watch
from monitor.config import load_options
from monitor.domain.errors import EngineStalled, EngineTrouble, InvalidConfig, SandboxTrouble, StoreTrouble
from monitor.export.process import Polls
from monitor.rounds.clock_steps import ClockSteps
from monitor.web.server import listen
from monitor.wiring import open_deployment

CONFIG = """
model: acme
checkpoints: {path: models}
suite: lab
engine: {kind: remote, url: "http://127.0.0.1:9"}
"""


@pytest.fixture
def deployment(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "tailwatch.yaml").write_text(CONFIG, encoding="utf-8")
    with open_deployment(load_options(tmp_path / "tailwatch.yaml")) as opened:
        yield opened


async def health(deployment) -> httpx.Response:
    async with (
        answering(deployment, listen("127.0.0.1", 0)) as address,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        return await client.get(f"{address}/health")


class TestHealth:
    async def test_every_part_that_an_evaluation_needs_is_told(self, deployment):
        answer = await health(deployment)
        assert answer.status_code == 200
        assert set(answer.json()["parts"]) == {"store", "state", "checkpoints", "engine", "sandbox"}

    @pytest.mark.parametrize(
        ("part", "error"),
        [
            ("engine", EngineTrouble("It died.", next_step="Read its log.")),
            ("engine", EngineStalled("It hangs.", next_step="Look at its device.")),
            ("sandbox", SandboxTrouble("Docker is gone.", next_step="Start it.")),
        ],
    )
    async def test_what_broke_the_last_evaluation_stands_in_the_way_of_the_next(
        self, deployment, part, error
    ):
        deployment.condition.broke(error)
        answer = await health(deployment)
        assert answer.status_code == 503
        assert answer.json()["parts"][part] == {"ok": False, "detail": str(error)}
        deployment.condition.worked()
        assert (await health(deployment)).status_code == 200

    async def test_a_watched_folder_that_vanished_is_no_health(self, deployment, tmp_path):
        (tmp_path / "models").rmdir()
        assert (await health(deployment)).status_code == 503


class TestWatching:
    async def test_a_folder_that_never_was_ends_the_daemon(self, deployment, tmp_path):
        (tmp_path / "models").rmdir()
        with pytest.raises(InvalidConfig, match="cannot be read"):
            await watch(Lookout(deployment, Polls("acme")), 0.01)

    async def test_trouble_of_one_look_is_told_and_the_next_one_looks_again(self, deployment, caplog):
        class Flaky(Lookout):
            looks = 0

            def look(self) -> None:
                self.looks += 1
                if self.looks < 3:
                    raise StoreTrouble("The store is locked.", next_step="Wait.")

        lookout = Flaky(deployment, Polls("acme"))
        with caplog.at_level(logging.ERROR):
            watching = asyncio.create_task(watch(lookout, 0.01))
            async with asyncio.timeout(20):
                while lookout.looks < 4:
                    await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        told = [record.problem for record in caplog.records if record.name == "tailwatch"]
        assert told == ["The store is locked. Wait."] * 2

    async def test_looks_go_on_when_the_clock_is_set_back(self, deployment, monkeypatch):
        class Counting(Lookout):
            looks = 0

            def look(self) -> bool:
                self.looks += 1
                return False

        lookout = Counting(deployment, Polls("acme"))
        monkeypatch.setattr(Clock, "set_by_s", 0.0)
        monkeypatch.setattr(base, "datetime", Clock)
        monkeypatch.setattr(interval, "datetime", Clock)
        steps = partial(ClockSteps, wall=lambda: Clock.now(UTC).timestamp())
        monkeypatch.setattr("monitor.cli.serve.ClockSteps", steps)
        watching = asyncio.create_task(watch(lookout, 0.2))
        async with asyncio.timeout(60):
            while lookout.looks < 3:
                await asyncio.sleep(0.01)
            monkeypatch.setattr(Clock, "set_by_s", -86400.0)
            before = lookout.looks
            while lookout.looks < before + 4:
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    async def test_what_cannot_be_read_at_one_look_is_read_on_at_once(self, deployment):
        class Reading(Lookout):
            looks = 0

            def look(self) -> bool:
                self.looks += 1
                return self.looks < 5

        lookout = Reading(deployment, Polls("acme"))
        await lookout.tick()
        assert lookout.looks == 5

    async def test_a_look_that_never_returns_does_not_keep_the_daemon_from_ending(self):
        before, never = set(threading.enumerate()), threading.Event()
        look = asyncio.create_task(in_daemon_thread(never.wait))
        await asyncio.sleep(0.05)
        (looking,) = set(threading.enumerate()) - before
        look.cancel()
        try:
            with pytest.raises(asyncio.CancelledError):
                await look
            # Python waits for all others at its end.
            assert looking.is_alive()
            assert looking.daemon
        finally:
            never.set()


class Clock(datetime):
    """What the scheduler takes for the clock; it can be set."""

    set_by_s = 0.0

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(seconds=cls.set_by_s)
