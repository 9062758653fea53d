"""What the demo does: a folder is watched, checkpoints arrive in it, each is decided."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from monitor.cli.demo.folder import SETTLE_S
from monitor.discovery.checkpoints import load_checkpoint
from monitor.domain.errors import InvalidInput, MonitorError
from monitor.domain.evaluation import Evaluation, State
from monitor.domain.evidence import Decision
from monitor.ports import CheckpointSource
from monitor.processes import identify
from monitor.rounds.bench import Bench
from monitor.rounds.drifting import loading
from monitor.rounds.watching import Watch, adopt, bank, poll
from monitor.rounds.weighing import counterpart
from monitor.rounds.worker import work_once
from monitor.verdicts.average import Average, average_change, shares_of

SHELVES = tuple(
    Path(__file__).resolve().parents[depth] / folder
    for depth, folder in ((2, "share/checkpoints"), (3, "benchmarks/lab/checkpoints"))
)
"""Where the lab's checkpoints are: in the installed package, or in a checkout."""

BASELINE = "gen0"
ARRIVALS = ("control1", "8bit", "gen1", "control2", "gen2", "gen3")
"""Checkpoints in the order in which they arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One checkpoint's way from settled to decided."""

    name: str
    evaluation: Evaluation
    seconds: float
    """From being settled in the watched folder to its decision."""
    average: Average
    """What a gate would see that looks at the average of the same samples."""

    @property
    def decision(self) -> Decision:
        """What was decided."""
        assert self.evaluation.decision is not None
        return self.evaluation.decision


def checkpoints_folder() -> Path:
    """The folder of the lab's checkpoints.

    Raises:
        InvalidInput: this installation has none.
    """
    for shelf in SHELVES:
        if all((shelf / name / "config.json").is_file() for name in (BASELINE, *ARRIVALS)):
            return shelf
    raise InvalidInput(
        "The demo's checkpoints are not installed.", next_step="Run it from a checkout, after `make lab`."
    )


async def build_bank(bench: Bench, watch: Watch, source: Path) -> Evaluation:
    """Adopt the baseline and draw its bank; meanwhile Evidently is imported, for the first candidate."""
    checkpoint = load_checkpoint(source)
    adopt(watch, checkpoint, now=bench.clock())
    watch.store.enqueue(bank(watch, checkpoint, now=bench.clock()))
    async with loading(bench.gauges):
        return _done(await work_once(bench, worker=identify()), BASELINE)


async def receive(bench: Bench, watch: Watch, source: CheckpointSource, origin: Path, to: Path) -> Arrival:
    """Let one checkpoint arrive in the watched folder and follow it to its decision."""
    shutil.copytree(origin, to / origin.name)
    queued: Sequence[Evaluation] = ()
    while not queued:
        await asyncio.sleep(SETTLE_S)
        queued = poll(watch, source, bench.clock()).queued
    started = monotonic()
    evaluation = _done(
        await work_once(bench, worker=identify(), only=queued[0].key.evaluation_id), origin.name
    )
    seconds = monotonic() - started
    return Arrival(
        name=origin.name, evaluation=evaluation, seconds=seconds, average=_average(watch, evaluation)
    )


def _average(watch: Watch, evaluation: Evaluation) -> Average:
    samples = watch.store.observations(evaluation.key.evaluation_id)
    return average_change(counterpart(watch.store, evaluation).bank, samples, shares_of(watch.suite))


def _done(evaluation: Evaluation | None, name: str) -> Evaluation:
    if evaluation is None or evaluation.state is not State.DECIDED:
        trouble = evaluation.trouble if evaluation else "another process works on it."
        raise MonitorError(
            f"The demo could not evaluate {name}: {trouble}", next_step="Run `tailwatch doctor`."
        )
    return evaluation
