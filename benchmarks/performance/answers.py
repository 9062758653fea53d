"""How many answers a second the daemon gives, and what one costs, over a store with 2 000 evaluations.

    python -m benchmarks.performance.answers --folder /tmp/answers

fills a SQLite store once (seconds), serves it as `tailwatch serve` does in a process of its own, and asks
over eight connections that stay open, some seconds per path and round. Prints JSON: per path the medians
over the rounds. The goal, on two cores that do nothing else: the gate 1 000 answers a second, `/metrics`,
`/` and `/health` 200. `server_cpu_ms` hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.performance.grown_store import MODEL, SUITE, Scale, grow
from benchmarks.performance.scrape import cpu_s
from monitor.cli.serve import answering
from monitor.config import CheckpointOptions, EngineOptions, Options
from monitor.domain.samples import SamplingPlan
from monitor.rounds.watching import Watch
from monitor.store import open_store
from monitor.verdicts.policy import Policy
from monitor.web.server import listen
from monitor.wiring import Deployment

EVALUATIONS = 2_000
CONNECTIONS = 8
PATHS = {"gate": "/gate/step-01900", "metrics": "/metrics", "overview": "/", "health": "/health"}


def main() -> None:
    """Fill the store when it is not there, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, required=True, help="where the store is kept")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="per path and round")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(_serve(arguments.folder.absolute()))
        return
    database = arguments.folder / "tailwatch.db"
    if not database.exists():
        (arguments.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        unfinished = database.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        grow(unfinished, Scale(checkpoints=EVALUATIONS, tasks=30))
        unfinished.rename(database)
    print(json.dumps(measure(arguments.folder, arguments.rounds, arguments.seconds), indent=2))


def measure(folder: Path, rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Answers per second, their latency and what they cost the server, by path."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in PATHS}
    with _served(folder) as (port, process_id):
        for _ in range(rounds):
            # Interleaved, so that whatever else the machine does meets all paths alike.
            for name, path in PATHS.items():
                before_s = cpu_s(process_id)
                latencies_s = asyncio.run(_ask(port, path, seconds))
                spent_s = cpu_s(process_id) - before_s
                measured[name].append(
                    {
                        "per_second": len(latencies_s) / seconds,
                        "median_ms": 1000 * statistics.median(latencies_s),
                        "server_cpu_ms": 1000 * spent_s / len(latencies_s),
                    }
                )
    return {
        name: {figure: round(statistics.median(each[figure] for each in found), 2) for figure in found[0]}
        for name, found in measured.items()
    }


async def _ask(port: int, path: str, seconds: float) -> list[float]:
    """Latencies in seconds of all answers that came in the time."""
    found = await asyncio.gather(*(_asked(port, path, seconds) for _ in range(CONNECTIONS)))
    return [latency for each in found for latency in each]


async def _asked(port: int, path: str, seconds: float) -> list[float]:
    """Ask over one connection, the next time when the answer is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\n\r\n".encode()
    latencies = []
    until = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length:")
        )
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - begun)
    writer.close()
    return latencies


@contextmanager
def _served(folder: Path) -> Iterator[tuple[int, int]]:
    """Port and process id of a server over the store."""
    arguments = [sys.executable, "-m", "benchmarks.performance.answers", "--serve", "--folder", str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline()), server.pid
        finally:
            server.terminate()


async def _serve(folder: Path) -> None:
    store = open_store(f"sqlite:///{folder}/tailwatch.db")
    options = Options(
        model=MODEL,
        checkpoints=CheckpointOptions(path=folder / "checkpoints"),
        suite=SUITE.name,
        engine=EngineOptions(kind="remote", url="http://127.0.0.1:9"),
        state=folder / "state",
    )
    watch = Watch(model=MODEL, suite=SUITE, plan=SamplingPlan(), baseline="promoted", store=store)
    policy = Policy(max_age_s=timedelta(days=36500).total_seconds())
    deployment = Deployment(options=options, watch=watch, policy=policy, store=store)
    listener = listen("127.0.0.1", 0)
    async with answering(deployment, listener):
        print(listener.getsockname()[1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
