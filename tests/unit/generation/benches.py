"""Engines over the stub of vLLM, for tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.samples import SampleRequest, SamplingPlan, Style
from monitor.generation import leash
from monitor.generation.distribution import Vllm
from monitor.generation.launch import ServerPlan
from monitor.generation.managed import ManagedEngine
from tests.unit.generation import stub_vllm
from tests.unit.generation.tiny_checkpoints import checkpoint_in, tiny_checkpoint

CPU_VLLM = Vllm(version="0.32.0", on_cpu=True)


def stub_command(plan: ServerPlan, vllm: Vllm, *, weights: Path, port: int) -> list[str]:
    """The stub in the place of vLLM's server."""
    python = [sys.executable, "-I", "-S"]
    server = [*python, stub_vllm.__file__, "--model", str(weights), "--port", str(port)]
    return [*python, leash.__file__, "2", *server, *plan.args]


def stub_engine(
    folder: Path,
    *words: str,
    ready_s: float = 20.0,
    confirm: Callable[[Checkpoint], None] = lambda _: None,
    **others: Any,
) -> ManagedEngine:
    """A managed engine whose servers are stubs that misbehave by these words."""
    args = tuple(part for word in words for part in ("--stub", word))
    plan = ServerPlan(folder=folder, args=args, ready_s=ready_s, **others)
    return ManagedEngine(plan, concurrency=8, vllm=CPU_VLLM, command=stub_command, confirm=confirm)


def unloadable_checkpoint(folder: Path) -> Checkpoint:
    """One that looks complete and that the stub cannot load."""
    tiny_checkpoint(folder, seed=99)
    (folder / "unloadable").touch()
    return checkpoint_in(folder)


def request(
    task_id: str = "t1",
    *,
    prompt: str = "def f(x):\n    return",
    count: int = 4,
    seed: int = 1000,
    first_index: int = 0,
    style: Style = Style.COMPLETION,
    temperature: float = 0.8,
) -> SampleRequest:
    """A request for some samples."""
    return SampleRequest(
        task_id=task_id,
        prompt=prompt,
        first_index=first_index,
        count=count,
        seed=seed,
        stop=("\n\n",),
        plan=SamplingPlan(temperature=temperature, max_tokens=24, style=style),
    )


def processes_with(text: str) -> list[int]:
    """Living processes whose command line holds the text."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and text.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found
