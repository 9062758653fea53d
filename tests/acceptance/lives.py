"""Evaluates again and again, each time in a process of its own that somebody may kill.

``python -m tests.acceptance.lives CONFIG``: for each line on standard input, a JSON object with ``store``,
``purpose`` and ``checkpoint`` (a folder), it forks a process that does that evaluation with the product's own
parts, prints its id, and then how it ended (as waitpid(2) tells it). Forking saves what imports take, so that
there is time for many lives.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio  # noqa: F401 - loaded before the first fork, as are the next ones
import scipy.optimize
import scipy.stats  # noqa: F401

from monitor.config import load_options
from monitor.discovery.checkpoints import load_checkpoint
from monitor.domain.evaluation import State
from monitor.generation import remote  # noqa: F401 - likewise
from monitor.processes import identify
from monitor.rounds.following import see_through
from monitor.rounds.watching import adopt, bank, baseline_of, candidate
from monitor.wiring import now, open_bench, open_deployment


async def live(config: Path, *, store: str, purpose: str, checkpoint: str) -> None:
    """Do one evaluation to its end, going on with what an earlier life stored."""
    options = load_options(config).model_copy(update={"store": store})
    with open_deployment(options) as deployment:
        subject = load_checkpoint(Path(checkpoint))
        watch = deployment.watch
        if purpose == "bank":
            adopt(watch, subject, now=now())
            wanted = bank(watch, subject, now=now())
        else:
            baseline = baseline_of(watch)
            assert baseline is not None
            watch.store.remember(watch.model, subject, now=now())
            wanted = candidate(watch, subject, baseline, now=now())
        async with open_bench(deployment) as bench:
            record = await see_through(bench, wanted, worker=identify(), look_s=0.05)
        assert record.state is State.DECIDED, record.trouble


def main(config: Path) -> None:
    gc.freeze()
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                asyncio.run(live(config, **order))
                status = 0
            finally:
                sys.stdout.flush()
                os._exit(status)
        print(child, flush=True)  # noqa: T201 - it is a program
        print(os.waitpid(child, 0)[1], flush=True)  # noqa: T201 - likewise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
