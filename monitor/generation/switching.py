"""Loading another checkpoint's weights into a running server, and proving that they compute.

Three facts are established, in this order, and a restart follows when one of them is not:

1. The server's proof works at all: it held for the checkpoint that the server was started with.
2. After the switch every matrix, read out through its own multiplication, equals the new files.
3. The canaries answer otherwise than before, or, where this server has been started with or switched
   to the same digest before, exactly as they did then.

The canaries alone would prove little: a half-switched model also answers otherwise than the one before,
and on the way back all its stale parts are right again, so that even a round trip looks perfect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.generation.client import LOADING, VllmClient
from monitor.generation.refusals import Refused

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the comparison with the files gave."""

    holds: bool
    problem: str = ""
    """Why it does not hold; empty when it does."""


async def load_weights(client: VllmClient, folder: Path) -> None:
    """Put a checkpoint's weights in place of the present ones, and forget what they computed.

    Raises:
        Refused: the server cannot; what it holds now is undefined.
        EngineTrouble: it ended or does not answer.
    """
    await _call_workers(client, "reload_weights", {"weights_path": str(folder)})
    await client.post("/reset_prefix_cache")


async def prove_weights(client: VllmClient, folder: Path, names: Sequence[str]) -> Proof:
    """Compare all that computes in the server's workers with the files of a checkpoint.

    Args:
        client: of the server.
        folder: the checkpoint's folder.
        names: its files of weights that the server loads.

    Raises:
        EngineTrouble: the server ended or does not answer.
    """
    try:
        files = [str(folder / name) for name in names]
        reports = await _call_workers(client, "tailwatch_prove_weights", {"files": files})
    except Refused as refusal:
        return Proof(holds=False, problem=f"the proof could not run: {refusal.detail}")
    return judge_reports(reports)


def judge_reports(reports: Sequence[Any]) -> Proof:
    """Whether every worker found everything equal.

    >>> judge_reports([{"proved": ["a"], "differing": [], "unproved": ["b"]}]).problem
    'nothing to compare b with'
    """
    if not reports:
        return Proof(holds=False, problem="no worker answered")
    for report in reports:
        if not isinstance(report, dict):
            return Proof(holds=False, problem="a worker answered nonsense")
        if report.get("differing"):
            return Proof(holds=False, problem=f"stale: {_names(report['differing'])}")
        if report.get("unproved"):
            return Proof(holds=False, problem=f"nothing to compare {_names(report['unproved'])} with")
        if not report.get("proved"):
            return Proof(holds=False, problem="a worker compared nothing")
    return Proof(holds=True)


async def _call_workers(client: VllmClient, method: str, kwargs: Mapping[str, Any]) -> list[Any]:
    answer = await client.post(LOADING, {"method": method, "kwargs": kwargs}, once=True)
    return list((answer or {}).get("results", []))


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
