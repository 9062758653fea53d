"""Every sample of lab checkpoints at the bank's seeds, drawn by the product's engine on a real vLLM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from benchmarks.collapse.generations import COMMITTED
from benchmarks.lab.judging import judge
from benchmarks.lab.proofs import program
from monitor.discovery.checkpoints import load_checkpoint
from monitor.domain.samples import (
    Completion,
    Execution,
    FinishReason,
    Outcome,
    Sample,
    SampleRequest,
    SamplingPlan,
)
from monitor.domain.tasks import Suite
from monitor.generation.launch import ServerPlan
from monitor.generation.managed import ManagedEngine
from monitor.ports import Engine
from monitor.rounds.waves import SAMPLES_PER_REQUEST
from monitor.wiring import asking

ENGINE = ("--max-model-len", "256", "--dtype", "float32", "--enforce-eager")
CONCURRENCY = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One drawing of a checkpoint."""

    name: str
    turn: str
    """Tells drawings of one checkpoint apart."""
    together: int = 1
    """Samples of a task in one request: many as for a bank, one as for a candidate."""


def vllm_engine(folder: Path) -> Engine:
    """The product's engine, as the demo sets it."""
    return ManagedEngine(ServerPlan(folder=folder, args=ENGINE), concurrency=CONCURRENCY)


class Scratch:
    """Completions in a folder, each kept as it came: none is drawn twice.

    Args:
        folder: where.
        suite: whose tasks are drawn.
        plan: how deep, and how they are sampled.
        engine: makes the engine, given a folder of its own.
    """

    def __init__(
        self,
        folder: Path,
        suite: Suite,
        plan: SamplingPlan,
        engine: Callable[[Path], Engine] = vllm_engine,
    ) -> None:
        self._folder = folder
        self._suite = suite
        self._plan = plan
        self._make_engine = engine
        folder.mkdir(parents=True, exist_ok=True)

    async def draw(self, wanted: Sequence[Wanted], say: Callable[[str], None]) -> None:
        """Draw what is missing; the engine is not started for nothing."""
        missing = [each for each in wanted if any(self._requests(each))]
        if not missing:
            return
        engine = self._make_engine(self._folder / "engine")
        try:
            for each in missing:
                await self._draw(engine, each)
                say(f"{each.name}, {each.turn}: drawn")
        finally:
            await engine.close()

    async def _draw(self, engine: Engine, wanted: Wanted) -> None:
        model = await engine.serve(load_checkpoint(COMMITTED / wanted.name))
        if not model.identity.seed_stable:
            raise SystemExit("The engine does not repeat a text for a repeated seed: nothing is coupled.")
        requests, kept = list(self._requests(wanted)), self._completions(wanted)
        with self._file(wanted).open("w", encoding="utf-8") as file:
            for completion in kept:
                _write(file, completion)
            async for completion in model.complete(requests):
                _write(file, completion)

    def samples(self, wanted: Wanted) -> list[Sample]:
        """What was drawn, scored by running it; equal programs once."""
        completions = sorted(self._completions(wanted), key=lambda each: (each.task_id, each.index))
        passed = judge([self._program(each) for each in completions])
        return [
            Sample(
                task_id=each.task_id,
                stratum=self._suite[each.task_id].stratum,
                index=each.index,
                wave=0,
                completion=each,
                program_digest="",
                execution=Execution(outcome=Outcome.PASSED if good else Outcome.FAILED),
            )
            for each, good in zip(completions, passed, strict=True)
        ]

    def _program(self, completion: Completion) -> str:
        task = self._suite[completion.task_id]
        return program(task.prompt, completion.text, task.test, task.entry_point)

    def _requests(self, wanted: Wanted) -> Iterator[SampleRequest]:
        """Requests for what is missing, pass by pass through the tasks."""
        request, depth = asking(self._suite, self._plan).request, self._plan.samples_per_task
        drawn = {(each.task_id, each.index) for each in self._completions(wanted)}
        for first in range(0, depth, wanted.together):
            indices = range(first, min(first + wanted.together, depth))
            for task in self._suite:
                if any((task.task_id, index) not in drawn for index in indices):
                    yield request(task, first, len(indices))

    def _completions(self, wanted: Wanted) -> list[Completion]:
        """What is kept; a line that was cut off when a run ended is drawn again."""
        if not self._file(wanted).is_file():
            return []
        found = {}
        for line in self._file(wanted).read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                fields = json.loads(line)
                reason = FinishReason(fields.pop("finish_reason"))
                completion = Completion(**fields, finish_reason=reason)
                found[completion.task_id, completion.index] = completion
        return list(found.values())

    def _file(self, wanted: Wanted) -> Path:
        return self._folder / f"{wanted.name}.{wanted.turn}.jsonl"


def _write(file: TextIO, completion: Completion) -> None:
    file.write(json.dumps(asdict(completion)) + "\n")
    file.flush()


def bank_of(name: str) -> Wanted:
    """The drawing of a baseline."""
    return Wanted(name=name, turn="bank", together=SAMPLES_PER_REQUEST)


def candidate_of(name: str) -> Wanted:
    """The drawing of a candidate, which may be the baseline once more."""
    return Wanted(name=name, turn="candidate")
