"""A real Prometheus that scrapes a deployment, and what it then knows."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from tests.acceptance.product import free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraper:
    """Prometheus, running."""

    address: str

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Series of an instant query, each with its labels and value."""
        response = httpx.get(f"{self.address}/api/v1/query", params={"query": expression}, timeout=10)
        response.raise_for_status()
        result = response.json()["data"]["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def wait_for(self, expression: str, *, timeout_s: float = 30.0) -> list[tuple[dict[str, str], float]]:
        """The series of a query as soon as there are any."""
        deadline = time.monotonic() + timeout_s
        while not (series := self.query(expression)):
            assert time.monotonic() < deadline, f"Prometheus has no series for {expression}"
            time.sleep(0.5)
        return series


@contextlib.contextmanager
def scraping(folder: Path, port: int) -> Iterator[Scraper]:
    """Prometheus scraping a port of this machine every second, until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yml"
    jobs = [{"job_name": "tailwatch", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]
    config.write_text(
        yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}), encoding="utf-8"
    )
    own_port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{own_port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        scraper = Scraper(address=f"http://127.0.0.1:{own_port}")
        _wait_until_ready(scraper, process)
        yield scraper
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(scraper: Scraper, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{scraper.address}/-/ready", timeout=5).status_code == 200:
                return
        assert process.poll() is None, "prometheus ended at once; see prometheus.log"
        assert time.monotonic() < deadline, "prometheus does not become ready"
        time.sleep(0.2)
