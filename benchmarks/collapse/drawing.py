"""Real samples and measurements of lab checkpoints: drawn by the product, kept in a scratch folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships none
import yaml

from benchmarks.collapse.generations import checkpoint_folder
from monitor.atomic_files import write_file
from monitor.config import load_options
from monitor.discovery.checkpoints import load_checkpoint
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.drift import Measurement, Reading
from monitor.domain.evaluation import State
from monitor.domain.samples import Sample
from monitor.drift.nll import NllProbe
from monitor.ports import CompletionModel, Probe
from monitor.processes import identify
from monitor.rounds.bench import Bench, Gauges
from monitor.rounds.watching import bank
from monitor.rounds.worker import recover, work_once
from monitor.wiring import Deployment, gauges, now, open_bench, open_deployment

BLOCK = "block"
"""Measurements of one index of generation 0's pool, as if it had been drawn as index 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How much of one checkpoint is drawn."""

    name: str
    depth: int
    """Samples per task."""
    repeats: int = 1
    """How often each probe measures it."""
    blocks: int = 0
    """Of how many single indices the probes that read samples measure each alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What something took."""

    wall_s: float
    cpu_s: float
    """Of this process and what it started, the engine above all; containers are not among them."""


class Scratch:
    """A deployment in a folder: what is in it is not drawn again.

    Args:
        folder: holds the store, trained checkpoints and measurements.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "measurements").mkdir(parents=True, exist_ok=True)

    @contextmanager
    def opened(self) -> Iterator[Deployment]:
        """The deployment, with the demo's settings."""
        config = self.folder / "tailwatch.yaml"
        config.write_text(yaml.safe_dump(_CONFIGURATION, sort_keys=False), encoding="utf-8")
        (self.folder / "arrivals").mkdir(exist_ok=True)
        with open_deployment(load_options(config)) as deployment:
            yield deployment

    async def draw(self, wanted: Sequence[Wanted], say: Callable[[str], None]) -> None:
        """Draw and measure what is missing."""
        with self.opened() as deployment:
            missing = [each for each in wanted if not self._complete(deployment, each)]
            if not missing:
                return
            async with open_bench(deployment) as bench:
                for each in missing:
                    checkpoint = load_checkpoint(checkpoint_folder(each.name, self.folder))
                    # The probes are run apart from the samples, more than once and with their costs.
                    if not self._drawn(deployment, each):
                        await self._draw(deployment, replace(bench, gauges=Gauges()), checkpoint, each, say)
                    model = await bench.engine.serve(checkpoint)
                    samples = self.samples(deployment, each.name)
                    for probe in bench.gauges.probes:
                        await self._measure(probe, model, samples, each, say)

    def samples(self, deployment: Deployment, name: str) -> tuple[Sample, ...]:
        """What was drawn of a checkpoint; empty when nothing was."""
        checkpoint = load_checkpoint(checkpoint_folder(name, self.folder))
        wanted = bank(deployment.watch, checkpoint, now=now())
        return deployment.store.samples(wanted.key.evaluation_id)

    def measurement(self, name: str, probe: str, turn: str) -> tuple[Measurement, Cost]:
        """What a probe measured, and what that cost."""
        fields = json.loads(self._file(name, probe, turn).read_text(encoding="utf-8"))
        cost = Cost(**fields.pop("cost"))
        readings = tuple(Reading(**reading) for reading in fields.pop("readings"))
        return Measurement(**fields, readings=readings), cost

    def drawing_cost(self, name: str) -> Cost | None:
        """What drawing a checkpoint and running its programs took; None when it took more than one run."""
        path = self._drawing_file(name)
        return Cost(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def _drawn(self, deployment: Deployment, wanted: Wanted) -> bool:
        # Tasks whose reference fails here are left out, and there may be one or two.
        full = wanted.depth * len(deployment.watch.suite)
        samples = self.samples(deployment, wanted.name)
        return sum(sample.index < wanted.depth for sample in samples) > 0.99 * full

    def _complete(self, deployment: Deployment, wanted: Wanted) -> bool:
        return self._drawn(deployment, wanted) and all(
            self._file(wanted.name, probe.name, turn).is_file()
            for probe in gauges(deployment.options, deployment.watch).probes
            for turn in _turns(wanted, probe)
        )

    async def _draw(
        self,
        deployment: Deployment,
        bench: Bench,
        checkpoint: Checkpoint,
        wanted: Wanted,
        say: Callable[[str], None],
    ) -> None:
        deployment.store.remember(bench.model, checkpoint, now=now())
        queued = bank(deployment.watch, checkpoint, now=now())
        recover(bench.store)
        known = bench.store.evaluation(queued.key.evaluation_id)
        bench.store.save(replace(known or queued, state=State.QUEUED, trouble=""))
        deeper = replace(bench, plan=replace(bench.plan, samples_per_task=wanted.depth))
        before = _spent()
        record = await work_once(deeper, worker=identify(), only=queued.key.evaluation_id)
        cost = _since(before)
        if record is None or record.state is not State.DECIDED:
            raise SystemExit(f"{wanted.name} could not be drawn: {record.trouble if record else 'leased'}")
        if known is None:
            write_file(self._drawing_file(wanted.name), json.dumps(asdict(cost)))
        say(f"{wanted.name}: {wanted.depth} samples per task, {cost.wall_s:.0f} s, {cost.cpu_s:.0f} CPU s")

    async def _measure(
        self,
        probe: Probe,
        model: CompletionModel,
        samples: Sequence[Sample],
        wanted: Wanted,
        say: Callable[[str], None],
    ) -> None:
        for turn in _turns(wanted, probe):
            path = self._file(wanted.name, probe.name, turn)
            if not path.is_file():
                before = _spent()
                found = await probe.measure(model, _of_turn(samples, turn))
                cost = _since(before)
                write_file(path, json.dumps({**asdict(found), "cost": asdict(cost)}))
                say(f"{wanted.name}: {probe.name} {turn}, {cost.wall_s:.1f} s, {cost.cpu_s:.1f} CPU s")

    def _drawing_file(self, name: str) -> Path:
        return self.folder / "measurements" / f"{name}.draw.json"

    def _file(self, name: str, probe: str, turn: str) -> Path:
        return self.folder / "measurements" / f"{name}.{probe}.{turn}.json"


def _turns(wanted: Wanted, probe: Probe) -> list[str]:
    """All samples as often as is wanted, then single indices; only for what reads samples at all."""
    blocks = 0 if isinstance(probe, NllProbe) else wanted.blocks
    return [str(number) for number in range(wanted.repeats)] + [
        f"{BLOCK}{number}" for number in range(blocks)
    ]


def _of_turn(samples: Sequence[Sample], turn: str) -> Sequence[Sample]:
    if not turn.startswith(BLOCK):
        return samples
    index = int(turn.removeprefix(BLOCK))
    return [replace(sample, index=0) for sample in samples if sample.index == index]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    wall: float
    cpu: float


def _spent() -> _Reading:
    process = psutil.Process()
    everyone = [process, *process.children(recursive=True)]
    cpu = 0.0
    for each in everyone:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        cpu += times.user + times.system
    return _Reading(wall=time.monotonic(), cpu=cpu)


def _since(before: _Reading) -> Cost:
    after = _spent()
    return Cost(wall_s=after.wall - before.wall, cpu_s=after.cpu - before.cpu)


_CONFIGURATION = {
    "model": "lab",
    "checkpoints": {"source": "folder", "path": "arrivals"},
    "engine": {
        "kind": "managed",
        "args": ["--max-model-len", "256", "--dtype", "float32", "--enforce-eager"],
        "concurrency": 128,
    },
    "suite": "lab",
    "sampling": {"samples_per_task": 16, "temperature": 1.0, "max_tokens": 128},
    "drift": {"probes": ["rare-code-nll", "rubber-stamp"], "report": False},
    "store": "sqlite:///tailwatch.db",
}
