"""How long a scrape takes, and what memory, over a store that has grown for years.

    python -m benchmarks.performance.scrape --folder /tmp/scrape

fills a SQLite store with 1 000 judged checkpoints, 10 000 tasks and 10 million samples (about two
minutes and 1.6 GB, once), serves it with the daemon's own web application in a process of its own, and
scrapes it over HTTP. Prints JSON. The goal: under 200 ms and 50 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx

from benchmarks.performance.grown_store import MODEL, SUITE, Scale, grow
from monitor.domain.evidence import Decision
from monitor.domain.samples import SamplingPlan
from monitor.export.collector import StoreCollector, new_registry
from monitor.export.health import Health
from monitor.export.remembered import remembered
from monitor.rounds.gate import Gate
from monitor.rounds.watching import Watch
from monitor.store import open_store
from monitor.verdicts.policy import Policy
from monitor.web.app import Sources, create_app
from monitor.web.server import listen, serve

OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def main() -> None:
    """Fill the store when it is not there, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, required=True, help="where the store is kept")
    parser.add_argument("--checkpoints", type=int, default=1_000)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    database = arguments.folder / "tailwatch.db"
    if arguments.serve:
        asyncio.run(_serve(database))
        return
    if not database.exists():
        arguments.folder.mkdir(parents=True, exist_ok=True)
        _grow(database, Scale(checkpoints=arguments.checkpoints, tasks=arguments.tasks))
    print(json.dumps(measure(database), indent=2))


def _grow(database: Path, scale: Scale) -> None:
    begun = time.perf_counter()
    # Under another name until it is complete: an interrupted filling is not measured.
    unfinished = database.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    grow(unfinished, scale)
    unfinished.rename(database)
    print(f"filled in {time.perf_counter() - begun:.0f} s", file=sys.stderr)


def measure(database: Path, *, scrapes: int = 50) -> dict[str, object]:
    """Latency over HTTP, CPU time and memory of the server, size of the answer."""
    with _served(database) as (url, process_id), httpx.Client(timeout=60) as client:
        client.get(f"{url}/health/live").raise_for_status()
        idle_bytes = _memory(process_id, "VmRSS")
        results = {}
        for name, accept in (("text", ""), ("openmetrics", OPENMETRICS)):
            before_s = cpu_s(process_id)
            latencies = _latencies(client, url, accept, _changes(database, scrapes))
            cpu_ms = (cpu_s(process_id) - before_s) * 1000 / scrapes
            # What a busy machine adds to the latency is not in it.
            results[name] = latencies | {"server_cpu": round(cpu_ms, 1)}
        peak_bytes = _memory(process_id, "VmHWM")
        body = client.get(f"{url}/metrics").text
    with sqlite3.connect(database) as connection:
        stored = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
            for table in ("checkpoints", "tasks", "samples")
        }
    return {
        "stored": stored | {"bytes": database.stat().st_size},
        "series": sum(not line.startswith("#") for line in body.splitlines()),
        "exposition_bytes": len(body.encode()),
        "scrape_ms": results,
        "idle_mb": round(idle_bytes / 2**20, 1),
        "scraping_costs_mb": round((peak_bytes - idle_bytes) / 2**20, 1),
    }


def _changes(database: Path, times: int) -> Iterator[None]:
    """Change the store so many times, so that nothing that was made before can be given again."""
    for _ in range(times):
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(
                "INSERT INTO counters VALUES (?, 'scrapes', '', 1) "
                "ON CONFLICT (model, name, label) DO UPDATE SET value = value + 1",
                (MODEL,),
            )
        yield


def _latencies(client: httpx.Client, url: str, accept: str, changes: Iterable[None]) -> dict[str, float]:
    taken_ms = []
    for _ in changes:
        begun = time.perf_counter()
        answer = client.get(f"{url}/metrics", headers={"accept": accept})
        taken_ms.append((time.perf_counter() - begun) * 1000)
        assert "tailwatch_store_up" in answer.text
    ranked = sorted(taken_ms)
    return {
        "first": round(taken_ms[0], 1),
        "median": round(statistics.median(ranked), 1),
        "p95": round(ranked[int(0.95 * len(ranked))], 1),
        "worst": round(ranked[-1], 1),
    }


def cpu_s(process_id: int) -> float:
    """CPU time that a process has had, user and system."""
    told = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _memory(process_id: int, field: str) -> int:
    """A figure of /proc/PID/status, in bytes."""
    for line in Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


@contextmanager
def _served(database: Path) -> Iterator[tuple[str, int]]:
    """The address and process id of a server over the store."""
    arguments = [
        sys.executable,
        "-m",
        "benchmarks.performance.scrape",
        "--serve",
        "--folder",
        str(database.parent),
    ]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}", server.pid
        finally:
            server.terminate()


async def _serve(database: Path) -> None:
    opened = open_store(f"sqlite:///{database}")
    store = remembered(opened)
    watch = Watch(model=MODEL, suite=SUITE, plan=SamplingPlan(), baseline="promoted", store=store)
    gate = Gate(watch, Policy(max_age_s=timedelta(days=36500).total_seconds()))

    def answer(reference: str) -> Decision:
        return gate.decision_for(reference, now=datetime.now(UTC))

    collector = StoreCollector(store, model=MODEL, decision_for=answer)
    listener = listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    app = create_app(
        Sources(
            store=store,
            model=MODEL,
            decision_for=answer,
            health=partial(Health, parts=(), last_success_at=None),
            registry=new_registry(collector),
            now=lambda: datetime.now(UTC),
        )
    )
    await serve(app, listener)


if __name__ == "__main__":
    main()
