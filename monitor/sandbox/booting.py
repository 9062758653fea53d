"""Sends a started supervisor its own source and settings, and hears what it has become."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from monitor.sandbox import bundle
from monitor.sandbox.links import Link, LinkLost

_READY_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What a supervisor says of itself once it can take jobs."""

    python: str
    """Version of the interpreter that runs supervisor and programs."""
    filtered: bool
    """Whether programs run under our filter of system calls; it exists for some processors only."""
    counted: bool
    """Whether the kernel counts the CPU time of processes that nobody waits for; else it is estimated."""


async def boot(link: Link, settings: dict[str, Any], entry: str, *arguments: Any) -> Ready:
    """Make the process behind a link a supervisor; the link is ended when that fails.

    Raises:
        LinkLost: it did not become one; carries its last words.
    """
    try:
        async with asyncio.timeout(_READY_TIMEOUT_S):
            await link.send(bundle.boot_message(entry, *arguments), settings)
            said = await link.receive()
        return Ready(
            python=str(said["python"]),
            filtered=bool(said["seccomp"]),
            counted=said["accounting"] != "sampled",
        )
    except TimeoutError as exc:
        await link.end()
        raise LinkLost(f"it was not ready after {_READY_TIMEOUT_S} s") from exc
    except KeyError as exc:
        await link.end()
        raise LinkLost(f"it did not say {exc}") from exc
    except BaseException:
        await link.end()
        raise
