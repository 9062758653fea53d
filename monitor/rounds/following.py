"""One evaluation that somebody waits for, whoever does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.domain.evaluation import Evaluation, State
from monitor.rounds.bench import Bench, Progress
from monitor.rounds.worker import recover, work_once

LOOK_S = 2.0
"""How often to look how far another worker is."""


async def see_through(
    bench: Bench,
    wanted: Evaluation,
    *,
    worker: str,
    elsewhere: Callable[[], None] = lambda: None,
    look_s: float = LOOK_S,
) -> Evaluation:
    """Do an evaluation now, also after a failure or before its next attempt is due.

    Where another worker is at it, its work is followed to the end, and gone on with if that worker dies.

    Args:
        bench: what to evaluate with; its watcher is told how far another worker is.
        wanted: the evaluation, queued if it is new.
        worker: who does it.
        elsewhere: called once, when another worker turns out to be at it.
        look_s: how often to look.

    Returns:
        Its record: DECIDED, FAILED, or QUEUED after trouble of this worker's.

    Raises:
        StoreTrouble: the store cannot be asked.
        Exception: as for :func:`monitor.rounds.worker.work_once`.
    """
    store, evaluation_id = bench.store, wanted.key.evaluation_id
    recover(store)
    known = store.evaluation(evaluation_id)
    if known is None:
        store.enqueue(wanted)
    else:
        store.requeue(evaluation_id, state=known.state)
    told = False
    while (record := await work_once(bench, worker=worker, only=evaluation_id)) is None:
        held = store.evaluation(evaluation_id) or wanted
        if held.state in {State.DECIDED, State.FAILED}:
            return held
        if not told:
            elsewhere()
            told = True
        samples = sum(store.tallies(evaluation_id).values())
        bench.watcher(Progress(evaluation=held, samples=samples, expected=None))
        await asyncio.sleep(look_s)
        recover(store)
        store.requeue(evaluation_id, state=State.QUEUED)
    return record
