"""Drawing one wave: generate, run, store, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from time import monotonic

from monitor.domain.errors import SandboxTrouble, Trouble
from monitor.domain.evaluation import Evaluation, Stage
from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Program, Sample
from monitor.ports import CompletionModel
from monitor.rounds.bench import Bench
from monitor.rounds.waves import Pick, adjacent

BATCH = 64
"""Samples stored in one transaction: what a crash can cost beyond those in flight."""


async def draw(
    bench: Bench, evaluation: Evaluation, model: CompletionModel, picks: Sequence[Pick], *, wave: int
) -> dict[Stage, float]:
    """Draw, run and store the picked samples; programs run while others are being generated.

    Returns:
        Wall seconds of generation, and of the sandbox after the last completion came.

    Raises:
        EngineTrouble, SandboxTrouble, StoreTrouble: what was finished until then is stored.
    """
    recorder = _Recorder(bench, evaluation, wave)
    requests = [
        bench.asking.request(bench.suite[run[0].task_id], run[0].index, len(run)) for run in adjacent(picks)
    ]
    started = monotonic()
    scoring: list[asyncio.Task[None]] = []
    trouble: Trouble | None = None
    try:
        async with aclosing(model.complete(requests)) as completions:
            async for completion in completions:
                scoring.append(asyncio.create_task(recorder.score(completion)))  # noqa: PERF401 - as they come
    except Trouble as error:
        trouble = error
    generated = monotonic()
    results = await asyncio.gather(*scoring, return_exceptions=True)
    await recorder.flush()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    if trouble is not None:
        raise trouble
    return {Stage.GENERATION: generated - started, Stage.SANDBOX: monotonic() - generated}


class _Recorder:
    """Turns completions into stored samples, a batch at a time."""

    def __init__(self, bench: Bench, evaluation: Evaluation, wave: int) -> None:
        self._bench = bench
        self._evaluation_id = evaluation.key.evaluation_id
        self._wave = wave
        self._batch: list[Sample] = []
        self._storing = asyncio.Lock()

    async def score(self, completion: Completion) -> None:
        """Run one completion's program; stores the batch it fills."""
        task = self._bench.suite[completion.task_id]
        digest = ""
        if completion.finish_reason is FinishReason.ABORT:
            execution = Execution(outcome=Outcome.UNSCORED, detail=completion.detail)
        else:
            assembled = self._bench.asking.assemble(task, completion)
            if isinstance(assembled, Program):
                digest = assembled.digest
                execution = await self._bench.sandbox.execute(assembled)
            else:
                execution = assembled
        self._batch.append(
            Sample(
                task_id=task.task_id,
                stratum=task.stratum,
                index=completion.index,
                wave=self._wave,
                completion=completion,
                program_digest=digest,
                execution=execution,
            )
        )
        if len(self._batch) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        """Store what is waiting."""
        async with self._storing:
            batch, self._batch = self._batch, []
            if not batch:
                return
            await asyncio.to_thread(self._bench.store.record, self._evaluation_id, batch)


async def passing_references(bench: Bench, task_ids: Sequence[str]) -> tuple[str, ...]:
    """Those of the tasks whose reference solution passes here, in the given order.

    Raises:
        SandboxTrouble: the sandbox could not score them.
    """
    programs = [bench.asking.reference(bench.suite[task_id]) for task_id in task_ids]
    executions = await asyncio.gather(*(bench.sandbox.execute(program) for program in programs))
    unscored = [e for e in executions if e.outcome is Outcome.UNSCORED]
    if unscored:
        raise SandboxTrouble(
            f"{len(unscored)} of {len(task_ids)} reference solutions could not be run: {unscored[0].detail}.",
            next_step="Run `tailwatch doctor` to see what the sandbox lacks.",
        )
    return tuple(task_id for task_id, e in zip(task_ids, executions, strict=True) if e.outcome.passed)
