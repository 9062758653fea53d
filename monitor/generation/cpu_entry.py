"""Starts vLLM's API server on a CPU in half the time: ``python -m monitor.generation.cpu_entry ARGS…``.

Importing vLLM costs about 15 CPU seconds, and a CPU server does it in three processes: the API server,
the engine, and, the first time an architecture is served, one that only looks at the model's class. The
engine is spawned and not forked because thread binding needs it; the class is looked at elsewhere because
that could initialise CUDA. With one OpenMP thread, no binding and no CUDA neither reason holds: here the
API server imports everything once, looks itself, and forks. Where a vLLM has other insides than those
known here, its own way is taken.

Runs in the server's process.
"""

from __future__ import annotations

import importlib
import os
import runpy
from typing import Any

_SERVER = "vllm.entrypoints.openai.api_server"
_ENGINE = ("vllm.v1.engine.core", "vllm.v1.worker.cpu_worker", "vllm.model_executor.model_loader")


def main() -> None:
    """Import once, then be vLLM's server."""
    for name in _ENGINE:
        _imported(name)
    fork_engine(getattr(_imported("vllm.platforms.cpu"), "CpuPlatform", None))
    look_here(_imported("vllm.model_executor.models.registry"))
    runpy.run_module(_SERVER, run_name="__main__", alter_sys=True)


def fork_engine(platform: Any) -> None:
    """Take back the platform's choice of the spawn method, each time it makes it."""
    if not hasattr(platform, "check_and_update_config"):
        return
    settle = platform.check_and_update_config

    def settle_and_fork(vllm_config: Any) -> None:
        settle(vllm_config)
        os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "fork"

    platform.check_and_update_config = staticmethod(settle_and_fork)


def look_here(registry: Any) -> None:
    """Look at model classes in this process."""
    if hasattr(registry, "_run_in_subprocess"):
        registry._run_in_subprocess = lambda look: look()  # noqa: SLF001 - see above


def _imported(name: str) -> Any:
    """The module, or None where this vLLM has no such one."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


if __name__ == "__main__":
    main()
