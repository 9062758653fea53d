"""Real servers on free loopback ports: the exporter as the daemon runs it, Prometheus, Alertmanager."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

from monitor.export.collector import StoreCollector, new_registry
from monitor.export.health import Health, store_health
from monitor.ports import Store
from monitor.web.app import Sources, create_app
from monitor.web.server import listen, serve
from tests.requirements import require
from tests.unit.export import story

DEPLOY = Path(__file__).parents[3] / "deploy" / "prometheus"
PATIENCE_S = 60.0
"""How long a server may take on a busy machine; what is waited for normally takes a second or two."""

CALM = 'min_over_time(up{job="tailwatch"}[10s]) == 1 and count_over_time(up{job="tailwatch"}[10s]) >= 9'
"""True once ten seconds have passed in which no scrape failed."""

BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
"""When the story began: recent enough for nothing in it to be stale."""

Answer = TypeVar("Answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: str, attempt: Callable[[], Answer | None]) -> Answer:
    """The first answer that is neither None nor empty; fails saying what was waited for."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = attempt()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


class Exporter:
    """The web application over a store, served by uvicorn as the daemon serves it; can be restarted."""

    def __init__(self, open_it: Callable[[], Store], *, candidates: int = 10) -> None:
        self._open = open_it
        self._candidates = candidates
        self.port = free_port()
        self.store = open_it()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        listener = listen("127.0.0.1", self.port)
        self._thread = threading.Thread(target=self._run, args=(listener,), daemon=True)
        self._thread.start()
        wait_until("the exporter", lambda: answers(f"{self.url}/health/live"))

    def stop(self) -> None:
        """Does nothing where it was stopped before."""
        if self._thread is None:
            return
        assert self._loop is not None
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE_S)
        self._thread = None
        self.store.close()

    def restart(self) -> None:
        """Away for a moment only."""
        self.stop()
        self.start_again()

    def start_again(self) -> None:
        """After a stop; a new process would do the same: open the store and listen on the same port."""
        self.store = self._open()
        self.start()

    def _run(self, listener: socket.socket) -> None:
        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.create_task(serve(self._app(), listener))
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

        asyncio.run(run())

    def _app(self) -> Any:
        decision_for = partial(story.recorded_decision, self.store)
        collector = StoreCollector(
            self.store,
            model=story.MODEL,
            decision_for=decision_for,
            suite_names=story.SUITE_NAMES,
            candidates=self._candidates,
        )
        return create_app(
            Sources(
                store=self.store,
                model=story.MODEL,
                decision_for=decision_for,
                health=self._health,
                registry=new_registry(collector),
                now=lambda: datetime.now(UTC),
            )
        )

    def _health(self) -> Health:
        part, last = store_health(self.store, story.MODEL)
        return Health(parts=(part,), last_success_at=last)


@contextlib.contextmanager
def process(arguments: list[str], ready_url: str, log: Path) -> Iterator[None]:
    """A server that is ready, ended on leaving; its log is shown when it does not come up."""
    with log.open("wb") as written:
        running = subprocess.Popen(arguments, stdout=written, stderr=subprocess.STDOUT)
    try:
        try:
            wait_until(ready_url, lambda: running.poll() is not None or answers(ready_url))
            assert running.poll() is None, f"{arguments[0]} ended: {log.read_text()[-2000:]}"
        except AssertionError as exc:
            raise AssertionError(f"{exc}\n{log.read_text()[-2000:]}") from exc
        yield
    finally:
        running.terminate()
        running.wait(PATIENCE_S)


class Prometheus:
    """A running Prometheus, asked over its API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str, **params: str) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=params, timeout=20)
        assert answer.status_code == 200, f"{params}: {answer.text}"
        return answer.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant query's vector."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The only value of a query; None when it is empty."""
        found = self.query(expression)
        assert len(found) <= 1, f"{expression} is not unique: {found}"
        return float(found[0]["value"][1]) if found else None

    def series(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of a query, as soon as there are any."""
        found = wait_until(expression, lambda: self.query(expression))
        return [(each["metric"], float(each["value"][1])) for each in found]

    def firing(self) -> dict[str, dict[str, str]]:
        """Labels of the alerts that fire, by name."""
        return {
            alert["labels"]["alertname"]: alert["labels"]
            for alert in self.get("alerts")["alerts"]
            if alert["state"] == "firing"
        }


@contextlib.contextmanager
def prometheus(
    folder: Path, *, exporter_port: int, alertmanager_port: int | None = None
) -> Iterator[Prometheus]:
    """Debian's Prometheus with the shipped rules, scraping and evaluating once a second.

    The shipped durations (``for``, ``keep_firing_for``) are shortened in the same proportion.
    """
    require("Prometheus", shutil.which("prometheus") is not None, "apt-get install prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{exporter_port}"]}]
    managers = config["alerting"]["alertmanagers"]
    managers[0]["static_configs"] = [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]
    if alertmanager_port is None:
        del config["alerting"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "rules").mkdir()
    for rules in (DEPLOY / "rules").glob("*.yml"):
        (folder / "rules" / rules.name).write_text(yaml.safe_dump(faster(yaml.safe_load(rules.read_text()))))
    port = free_port()
    arguments = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
    ]
    with process(arguments, f"http://127.0.0.1:{port}/-/ready", folder / "prometheus.log"):
        yield Prometheus(port)


def faster(rules: dict[str, Any]) -> dict[str, Any]:
    """Rules whose waiting times are seconds instead of minutes."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            for waiting in ("for", "keep_firing_for"):
                if waiting in rule:
                    rule[waiting] = rule[waiting].replace("m", "s")
    return rules


class Receiver:
    """A webhook receiver that remembers what Alertmanager delivered."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[str, dict[str, Any]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                receiver.deliveries.append((self.path.strip("/"), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Nothing: deliveries are kept."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self) -> set[str]:
        """Names of all alerts that were delivered."""
        return {alert["labels"]["alertname"] for _, body in self.deliveries for alert in body["alerts"]}

    def unresolved(self) -> set[str]:
        """Names of the alerts that were delivered as firing last."""
        last = {alert["fingerprint"]: alert for _, body in list(self.deliveries) for alert in body["alerts"]}
        return {each["labels"]["alertname"] for each in last.values() if each["status"] == "firing"}

    def alerts(self, alertname: str, status: str) -> list[tuple[str, dict[str, Any]]]:
        """What was delivered about an alert, with the receiver it went to."""
        return [
            (path, alert)
            for path, body in self.deliveries
            for alert in body["alerts"]
            if alert["labels"]["alertname"] == alertname and alert["status"] == status
        ]


@contextlib.contextmanager
def alertmanager(folder: Path, *, receiver: Receiver) -> Iterator[int]:
    """Debian's Alertmanager with the shipped routes; every receiver is a path of the webhook receiver."""
    require(
        "Alertmanager",
        shutil.which("prometheus-alertmanager") is not None,
        "apt-get install prometheus-alertmanager",
    )
    folder.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((DEPLOY / "alertmanager.yml").read_text())
    config["receivers"] = [
        {
            "name": each["name"],
            "webhook_configs": [{"url": f"http://127.0.0.1:{receiver.port}/{each['name']}"}],
        }
        for each in config["receivers"]
    ]
    for route in (config["route"], *config["route"]["routes"]):
        # As shipped, only shorter: what pages does not wait, so it can silence what would follow it.
        pages = route["receiver"] == "tailwatch-page"
        route.update(group_wait="1s" if pages else "8s", group_interval="1s" if pages else "8s")
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    arguments = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with process(arguments, f"http://127.0.0.1:{port}/-/ready", folder / "alertmanager.log"):
        yield port
