"""`tailwatch serve` among rude clients, on a full disk, without its store, and with a new configuration."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.acceptance.product import TAILWATCH, Daemon, Deployment, free_port
from tests.requirements import require

IDLE = 400
FILES = 256


@pytest.fixture
def deployment(tmp_path):
    """One that needs neither Docker nor vLLM: nothing arrives in it."""
    made = Deployment(folder=tmp_path, port=free_port())
    made.configure(**SETTINGS)
    return made


SETTINGS = {
    "engine": {"kind": "remote", "url": "http://127.0.0.1:9"},
    "sandbox": {"backend": "namespace", "slots": 1},
}


def events(daemon: Daemon, name: str) -> list[dict]:
    lines = (line for line in daemon.said().splitlines() if line.startswith("{"))
    return [line for line in map(json.loads, lines) if line["event"] == name]


def ready(daemon: Daemon) -> bool:
    return daemon.get("/health").status_code == 200


class TestHangup:
    def test_a_changed_file_is_followed_a_wrong_one_is_not_and_neither_ends_the_daemon(self, deployment):
        with deployment.serving() as daemon:
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_until(
                "it has reloaded", lambda: bool(events(daemon, "configuration reloaded")), timeout_s=60
            )
            port = deployment.port
            deployment.configure(
                **SETTINGS,
                policy={"max_age": "1h"},
                schedule={"poll": "2s", "recheck_promoted": "12h"},
                serve={"host": "127.0.0.1", "port": port + 1},
                model="renamed",
            )
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_until(
                "it names what needs a restart", lambda: bool(events(daemon, "restart needed")), timeout_s=60
            )
            changed = events(daemon, "configuration reloaded")[-1]["changed"].split(", ")
            assert {"policy.max_age", "schedule.poll", "schedule.recheck_promoted"} <= set(changed)
            assert events(daemon, "restart needed")[-1]["keys"] == "model, serve.port"
            deployment.configure(**SETTINGS, policy={"alhpa": 1})
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_until(
                "it keeps what it has", lambda: bool(events(daemon, "configuration kept")), timeout_s=60
            )
            assert "Did you mean alpha?" in events(daemon, "configuration kept")[-1]["problem"]
            assert daemon.answers()
            assert daemon.stop() == 0


class TestMetrics:
    def test_the_daemon_publishes_every_metric_of_the_catalogue_and_no_other(self, deployment):
        page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
        catalogue = page.partition("## Catalogue")[2].partition("## Prometheus")[0]
        with deployment.serving() as daemon:
            daemon.wait_until("it is ready", lambda: ready(daemon), timeout_s=60)
            told = re.findall(r"^# TYPE (tailwatch_\w+) ", daemon.get("/metrics").text, re.MULTILINE)
        assert set(told) == set(re.findall(r"`(tailwatch_\w+)`", catalogue))


class TestLostStore:
    def test_the_gate_holds_with_200_and_health_says_what_is_wrong(self, deployment):
        with deployment.serving() as daemon:
            daemon.wait_until("it is ready", lambda: ready(daemon), timeout_s=60)
            for file in deployment.folder.glob("tailwatch.db*"):
                file.unlink()
            answer = daemon.get("/gate/anything")
            assert answer.status_code == 200
            assert answer.json()["data"]["decision"] == "hold"
            assert "was deleted" in answer.json()["data"]["reasons"][0]["text"]
            health = daemon.get("/health")
            assert health.status_code == 503
            assert "was deleted" in health.json()["parts"]["store"]["detail"]
            assert 'tailwatch_store_up{model="lab"} 0.0' in daemon.get("/metrics").text
            assert not deployment.store.exists()


class TestFullDisk:
    def test_health_is_not_ready_until_there_is_room(self, deployment):
        # Without a user namespace, in which the sandbox could not make one of its own.
        apart = ["unshare", "--mount"]
        permitted = subprocess.run([*apart, "true"], capture_output=True, check=False).returncode == 0
        require("A mount namespace", permitted, "Run as root.")
        small = deployment.folder / "small"
        small.mkdir()
        deployment.configure(**SETTINGS, store="sqlite:///small/tailwatch.db", state="small/state")
        # The disk is there for this process and its children alone: they fill it, and free it.
        script = (
            f"mount -t tmpfs -o size=4m tmpfs {small} && ({TAILWATCH} serve & "
            "trap 'kill $!' EXIT; while read -r command; do eval \"$command\"; echo done; done)"
        )
        log = (deployment.folder / "serve.log").open("wb")
        with (
            log,
            subprocess.Popen(
                [*apart, "sh", "-c", script],
                cwd=deployment.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as shell,
        ):
            daemon = Daemon(
                process=shell,
                address=f"http://127.0.0.1:{deployment.port}",
                log=deployment.folder / "serve.log",
            )

            def tell(command: str) -> None:
                shell.stdin.write(command + "\n")
                shell.stdin.flush()
                while (said := shell.stdout.readline()) != "done\n":
                    assert said, daemon.said()

            daemon.wait_until("it answers", daemon.answers, timeout_s=60)
            daemon.wait_until("it is ready", lambda: ready(daemon), timeout_s=60)
            tell(f"dd if=/dev/zero of={small}/ballast bs=64k 2>/dev/null")
            daemon.wait_until("it is not ready", lambda: not ready(daemon), timeout_s=60)
            parts = daemon.get("/health").json()["parts"]
            assert "No space is left" in parts["store"]["detail"]
            assert "No space is left" in parts["state"]["detail"]
            tell(f"rm {small}/ballast")
            daemon.wait_until("it is ready again", lambda: ready(daemon), timeout_s=60)
            shell.stdin.close()


class TestIdleConnections:
    def test_hundreds_of_them_starve_nobody_and_fill_no_log(self, deployment):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
        try:
            serving = deployment.serving()
            daemon = serving.__enter__()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.ExitStack() as closing:
            closing.push(serving.__exit__)
            daemon.wait_until("it is ready", lambda: ready(daemon), timeout_s=60)
            before = len(daemon.said())
            for _ in range(IDLE):
                idle = closing.enter_context(socket.socket())
                idle.settimeout(30)
                idle.connect(("127.0.0.1", deployment.port))
            answered, until = 0, time.monotonic() + 5
            with httpx.Client(trust_env=False, timeout=10) as client:
                while time.monotonic() < until:
                    for path in ("/gate/anything", "/metrics", "/health"):
                        assert client.get(daemon.address + path).status_code == 200
                        answered += 1
            assert answered > 30
            assert len(daemon.said()) - before < 20_000
