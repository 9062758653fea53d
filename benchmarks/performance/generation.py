"""How long vLLM takes to start and to switch checkpoints, its samples per second, and its memory.

    python -m benchmarks.performance.generation --threads 1

starts one server with the lab's generation 0, switches to its 8-bit copy and back several times, and draws
samples of the lab suite's kind of prompt in several shapes: samples per request by requests in flight.
Prints JSON. Wall times move with everything else the machine does, which is why the load average and the
server's own CPU seconds stand beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships none

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.samples import SampleRequest, SamplingPlan
from monitor.generation.launch import ServerPlan
from monitor.generation.managed import ManagedEngine
from monitor.generation.served import ServedModel

LAB = Path(__file__).resolve().parents[1] / "lab" / "checkpoints"
SHAPES = ((1, 16), (1, 64), (4, 16), (16, 4), (16, 8), (16, 16), (16, 32), (32, 8), (32, 16))
"""Samples per request, and requests in flight."""
SWITCHES = 6
MAX_SAMPLES = 1024
MAX_REQUESTS = 128
PLAN = SamplingPlan(temperature=1.0, max_tokens=96)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What one shape gave."""

    samples_per_request: int
    in_flight: int
    samples_per_s: float
    tokens_per_s: float
    cpu_ms_per_sample: float
    """Of the server's processes."""
    load: float
    """The machine's load average at the end, which counts what others do too."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--first", type=Path, default=LAB / "gen0")
    parser.add_argument("--second", type=Path, default=LAB / "8bit")
    parser.add_argument("--threads", type=int, default=None, help="OpenMP threads on CPU")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plan = ServerPlan(folder=Path(folder), args=("--max-model-len", "256"), threads=arguments.threads)
        print(json.dumps(asyncio.run(measure(plan, arguments.first, arguments.second)), indent=2))


async def measure(plan: ServerPlan, first: Path, second: Path) -> dict[str, object]:
    """Start, switch, sample."""
    one, two = (Checkpoint(digest=str(path), name=path.name, location=str(path)) for path in (first, second))
    engine = ManagedEngine(plan, concurrency=max(in_flight for _, in_flight in SHAPES))
    try:
        start_s = await _served_in(engine, one)
        start_cpu_s = _server_cpu_s()
        switches_s = [
            await _served_in(engine, checkpoint)
            for checkpoint in itertools.islice(itertools.cycle((two, one)), SWITCHES)
        ]
        switch_cpu_s = (_server_cpu_s() - start_cpu_s) / SWITCHES
        model = await engine.serve(one)
        await _drawn(model, samples=16, in_flight=16, count=64)  # the first requests warm caches up
        shapes = [
            await _drawn(model, samples=samples, in_flight=in_flight, count=_requests(samples))
            for samples, in_flight in SHAPES
        ]
        memory_mb = sum(each.memory_full_info().pss for each in _server()) / 2**20
    finally:
        await engine.close()
    return {
        "start_s": round(start_s, 2),
        "start_cpu_s": round(start_cpu_s, 1),
        "servers_started": engine.starts,
        "switch_median_s": round(statistics.median(switches_s), 3),
        "switch_max_s": round(max(switches_s), 3),
        "switch_cpu_s": round(switch_cpu_s, 2),
        "memory_mb": round(memory_mb),
        "shapes": [asdict(shape) for shape in shapes],
    }


async def _served_in(engine: ManagedEngine, checkpoint: Checkpoint) -> float:
    begin = time.perf_counter()
    await engine.serve(checkpoint)
    return time.perf_counter() - begin


def _server() -> list[psutil.Process]:
    """The server's processes: it is all that this program starts."""
    children: list[psutil.Process] = psutil.Process().children(recursive=True)
    return children


def _server_cpu_s() -> float:
    """User and system seconds of the server's processes, those that have ended included."""
    return sum(sum(each.cpu_times()[:4]) for each in _server())


def _requests(samples: int) -> int:
    return min(MAX_REQUESTS, MAX_SAMPLES // samples)


async def _drawn(model: ServedModel, *, samples: int, in_flight: int, count: int) -> Throughput:
    model.concurrency = in_flight
    begin, begin_cpu_s = time.perf_counter(), _server_cpu_s()
    tokens = [completion.tokens async for completion in model.complete(_prompts(samples, count))]
    seconds = time.perf_counter() - begin
    return Throughput(
        samples_per_request=samples,
        in_flight=in_flight,
        samples_per_s=round(len(tokens) / seconds, 1),
        tokens_per_s=round(sum(tokens) / seconds, 1),
        cpu_ms_per_sample=round(1000 * (_server_cpu_s() - begin_cpu_s) / len(tokens), 1),
        load=os.getloadavg()[0],
    )


def _prompts(samples: int, count: int) -> Iterator[SampleRequest]:
    for number in range(count):
        yield SampleRequest(
            task_id=f"t{number}",
            prompt=f"# return the largest of the first {number} numbers\ndef largest_{number}(numbers):\n",
            first_index=0,
            count=samples,
            seed=1_000_000 + 1000 * number,
            stop=(),
            plan=PLAN,
        )


if __name__ == "__main__":
    main()
