"""Drawing one wave: generate, run, store, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from time import monotonic

from monitor.calibration import calibrate_all
from monitor.domain.errors import DeploymentBroken, MonitorError, SandboxTrouble, Trouble
from monitor.domain.evaluation import Evaluation, Stage
from monitor.domain.samples import Calibration, Completion, Execution, Outcome, Program, Sample
from monitor.ports import CompletionModel, Count, EngineEvent, SandboxEvent
from monitor.rounds.bench import Bench
from monitor.rounds.waves import Pick, adjacent

UNSCORED_REFERENCES = 0.05
"""Share of reference solutions without a result from which on the sandbox itself is broken."""

BATCH = 64
"""Samples stored in one transaction: finished ones that a crash can cost, beside those in flight."""


async def draw(
    bench: Bench,
    evaluation: Evaluation,
    model: CompletionModel,
    picks: Sequence[Pick],
    *,
    wave: int,
    stored: Callable[[Sequence[Sample]], None] = lambda _: None,
) -> dict[Stage, float]:
    """Draw, run and store the picked samples; programs run while others are being generated.

    ``stored`` is told of each batch once it is stored.

    Returns:
        Wall seconds of generation, and of the sandbox after the last completion came.

    Raises:
        DeploymentBroken, EngineTrouble, SandboxTrouble, StoreTrouble: what was finished until then is stored.
    """
    recorder = _Recorder(bench, evaluation, wave, stored)
    requests = [
        bench.asking.request(bench.suite[run[0].task_id], run[0].index, len(run)) for run in adjacent(picks)
    ]
    started = monotonic()
    scoring: list[asyncio.Task[None]] = []
    trouble: MonitorError | None = None
    try:
        async with aclosing(model.complete(requests)) as completions:
            async for completion in completions:
                scoring.append(asyncio.create_task(recorder.score(completion)))  # noqa: PERF401 - as they come
    except (Trouble, DeploymentBroken) as error:
        trouble = error
    except BaseException:
        # Nobody waits for them any more, and who took the evaluation over draws the same samples.
        for each in scoring:
            each.cancel()
        await asyncio.gather(*scoring, return_exceptions=True)
        raise
    generated = monotonic()
    results = await asyncio.gather(*scoring, return_exceptions=True)
    await recorder.flush()
    await asyncio.to_thread(bench.tally.store, bench.store)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    if trouble is not None:
        raise trouble
    return {Stage.GENERATION: generated - started, Stage.SANDBOX: monotonic() - generated}


class _Recorder:
    """Turns completions into stored samples, a batch at a time."""

    def __init__(
        self,
        bench: Bench,
        evaluation: Evaluation,
        wave: int,
        stored: Callable[[Sequence[Sample]], None],
    ) -> None:
        self._bench = bench
        self._evaluation_id = evaluation.key.evaluation_id
        self._in_process = frozenset(evaluation.in_process_tasks)
        self._wave = wave
        self._stored = stored
        self._batch: list[Sample] = []
        self._storing = asyncio.Lock()

    async def score(self, completion: Completion) -> None:
        """Run one completion's program; stores the batch it fills."""
        task = self._bench.suite[completion.task_id]
        digest = ""
        tally = self._bench.tally
        tally.add(Count.GENERATED_TOKENS, by=completion.tokens)
        if not completion.finish_reason.answered:
            tally.add(Count.ENGINE_EVENTS, EngineEvent.ABORTED)
            execution = Execution(outcome=Outcome.UNSCORED, detail=completion.detail)
        else:
            self._bench.condition.last_sample_at = self._bench.clock()
            assembled = self._bench.asking.assemble(task, completion)
            if isinstance(assembled, Program):
                program = replace(assembled, in_process=task.task_id in self._in_process)
                digest = program.digest
                execution = await self._bench.sandbox.execute(program)
                tally.add(Count.PROGRAMS_EXECUTED, by=execution.ran)
                if execution.outcome is Outcome.UNSCORED:
                    tally.add(Count.SANDBOX_EVENTS, SandboxEvent.UNSCORED)
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
            self._stored(batch)


async def calibrate_tasks(bench: Bench, task_ids: Sequence[str]) -> dict[str, Calibration]:
    """How each task's tests are to be run here, by task id.

    Raises:
        SandboxTrouble: the sandbox could not run them.
    """
    references = [bench.asking.reference(bench.suite[task_id]) for task_id in task_ids]
    found = dict(zip(task_ids, await calibrate_all(references, bench.sandbox), strict=True))
    _check_scored([each.reference for each in found.values()])
    return found


async def failing_references(
    bench: Bench, task_ids: Sequence[str], in_process: Collection[str]
) -> tuple[str, ...]:
    """Those of the tasks whose reference solution does not pass here and now, in the given order.

    Raises:
        SandboxTrouble: the sandbox could not run them.
    """
    programs = [
        replace(bench.asking.reference(bench.suite[task_id]), in_process=task_id in in_process)
        for task_id in task_ids
    ]
    executions = await asyncio.gather(*(bench.sandbox.execute(each, fresh=True) for each in programs))
    _check_scored(executions)
    return tuple(
        task_id for task_id, each in zip(task_ids, executions, strict=True) if not each.outcome.passed
    )


def _check_scored(executions: Sequence[Execution]) -> None:
    unscored = [each for each in executions if each.outcome is Outcome.UNSCORED]
    if len(unscored) > UNSCORED_REFERENCES * len(executions):
        raise SandboxTrouble(
            f"{len(unscored)} of {len(executions)} reference solutions were not run: {unscored[0].detail}.",
            next_step="Run `tailwatch doctor` to see what the sandbox lacks.",
        )
