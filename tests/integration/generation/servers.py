"""Real vLLM servers for tests; starting one costs half a minute, so tests share them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from monitor.domain.errors import InvalidConfig
from monitor.generation.distribution import installed_vllm
from monitor.generation.launch import ServerPlan
from monitor.generation.managed import ManagedEngine
from tests.requirements import require

CONTEXT = 256


def require_vllm() -> None:
    """Skip the test, or fail it where everything has to be there, without vLLM."""
    try:
        installed_vllm()
    except InvalidConfig as error:
        require("vLLM", False, error.next_step)


@asynccontextmanager
async def running_engine(folder: Path, *args: str, concurrency: int = 16) -> AsyncIterator[ManagedEngine]:
    """An engine for tiny checkpoints, whose server starts with the first that is served.

    Args:
        folder: for its logs and records.
        args: more arguments for vLLM.
        concurrency: most requests in flight.
    """
    require_vllm()
    plan = ServerPlan(folder=folder, args=("--max-model-len", str(CONTEXT), *args), ready_s=400, threads=1)
    engine = ManagedEngine(plan, concurrency=concurrency)
    try:
        yield engine
    finally:
        await engine.close()
