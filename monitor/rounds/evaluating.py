"""One evaluation, from a leased record to a decided one.

Nothing is remembered between waves but what is stored: an evaluation that starts again walks through
its own waves from the first, finds them drawn, and goes on where it was cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monitor.domain.errors import Trouble
from monitor.domain.evaluation import Evaluation, Purpose, Stage, State
from monitor.domain.evidence import Bank, Observation
from monitor.ports import CompletionModel, Count, EngineEvent
from monitor.rounds.bench import Bench, Progress
from monitor.rounds.drawing import draw, passing_references
from monitor.rounds.stopwatch import Stopwatch
from monitor.rounds.waves import Pick, bank_waves, next_wave
from monitor.verdicts.assessment import Assessment, assess
from monitor.verdicts.decision import Circumstances, decide
from monitor.verdicts.pairing import leave_out

BANK_WAVE = 1024
"""Samples of a bank between two reports of progress."""

CANARY_TASKS = 16
"""Reference solutions that are run with each evaluation of a candidate."""


class BankMissing(Trouble):
    """The baseline's bank has not been drawn yet; the evaluation waits for it."""


async def evaluate(bench: Bench, leased: Evaluation) -> Evaluation:
    """Do a leased evaluation to its end and store it as DECIDED.

    Raises:
        InvalidCheckpoint: the engine cannot serve it.
        EngineTrouble, SandboxTrouble, StoreTrouble, BankMissing: to be tried again; nothing is lost.
    """
    work = _Work(bench, leased)
    try:
        return await (work.bank() if leased.key.purpose is Purpose.BANK else work.candidate())
    except BaseException:
        await asyncio.shield(work.save(state=State.RUNNING))
        raise


def load_bank(bench: Bench, evaluation: Evaluation) -> tuple[Evaluation, Bank]:
    """The bank that an evaluation is weighed against.

    Raises:
        BankMissing: it does not exist or is not complete.
    """
    key = replace(
        evaluation.key,
        checkpoint=evaluation.key.baseline,
        purpose=Purpose.BANK,
        baseline="",
        occasion="",
    )
    record = bench.store.evaluation(key.evaluation_id)
    if record is None or record.state is not State.DECIDED:
        raise BankMissing(
            f"The bank of baseline {key.checkpoint[:12]} on suite {bench.suite.name} is not complete.",
            next_step="It is drawn first: see `tailwatch status`, or use `tailwatch baseline build`.",
        )
    bank = Bank(
        checkpoint=key.checkpoint,
        observations=bench.store.observations(key.evaluation_id),
        seed_stable=record.seed_stable,
    )
    return record, leave_out(bank, record.excluded_tasks)


class _Work:
    """The state of one run: the record, and a stopwatch."""

    def __init__(self, bench: Bench, leased: Evaluation) -> None:
        self._bench = bench
        self._record = leased
        self._id = leased.key.evaluation_id
        self._stopwatch = Stopwatch(leased.stage_s)

    async def bank(self) -> Evaluation:
        """Draw what the bank still lacks."""
        bench = self._bench
        task_ids = [task.task_id for task in bench.suite]
        passing = set(await passing_references(bench, task_ids))
        excluded = tuple(task_id for task_id in task_ids if task_id not in passing)
        model = await self._serve()
        depth = bench.plan.samples_per_task
        tasks = [task for task in bench.suite if task.task_id in passing]
        stored = _picks(await self._observations())
        drawn = len(stored)
        for wave, picks in enumerate(bank_waves(tasks, depth=depth, size=BANK_WAVE)):
            missing = [pick for pick in picks if pick not in stored]
            await self._draw(model, missing, wave=wave)
            drawn += len(missing)
            bench.watcher(Progress(evaluation=self._record, samples=drawn, expected=len(tasks) * depth))
        return await self.save(
            state=State.DECIDED,
            finished=True,
            excluded_tasks=excluded,
            seed_stable=model.identity.seed_stable,
        )

    async def candidate(self) -> Evaluation:
        """Draw waves until the evidence needs no more, then decide."""
        bench = self._bench
        bank_record, bank = await asyncio.to_thread(load_bank, bench, self._record)
        known = {o.task_id for o in bank.observations}
        excluded = await self._failing_canaries(sorted(known))
        model = await self._serve()
        if not model.identity.seed_stable:
            bank = replace(bank, seed_stable=False)
        assessment = await self._waves(model, leave_out(bank, excluded))
        decision = decide(
            assessment,
            bench.policy,
            Circumstances(
                lineage=self._record.checkpoint.lineage,
                excluded_tasks=len(excluded),
                canaries=min(CANARY_TASKS, len(known)),
                environment_changed=_changed(bank_record, self._record),
            ),
        )
        return await self.save(
            state=State.DECIDED,
            finished=True,
            decision=decision,
            excluded_tasks=excluded,
            seed_stable=model.identity.seed_stable,
        )

    async def _waves(self, model: CompletionModel, bank: Bank) -> Assessment:
        bench, wave = self._bench, 0
        while True:
            observations = await self._observations()
            before = [o for o in observations if o.wave < wave]
            assessment = assess(bank, before, bench.policy)
            bench.watcher(
                Progress(evaluation=self._record, samples=len(before), expected=None, assessment=assessment)
            )
            picks = next_wave(
                bench.suite,
                assessment.wanted,
                tasks={o.task_id for o in bank.observations},
                drawn=_picks(before),
                size=bench.wave_samples,
            )
            if not picks:
                return assessment
            stored = _picks(observations)
            await self._draw(model, [pick for pick in picks if pick not in stored], wave=wave)
            wave += 1

    async def _draw(self, model: CompletionModel, picks: Sequence[Pick], *, wave: int) -> None:
        if picks:
            self._stopwatch.add(await draw(self._bench, self._record, model, picks, wave=wave))

    async def _serve(self) -> CompletionModel:
        with self._stopwatch.stage(Stage.ENGINE):
            model = await self._bench.engine.serve(self._record.checkpoint)
        self._bench.store.count(Count.ENGINE_EVENTS, EngineEvent.SERVED)
        identity = model.identity
        environment = {
            "engine": f"{identity.kind} {identity.version}",
            **identity.settings,
            "sandbox": self._bench.sandbox.identity,
        }
        await self.save(state=State.RUNNING, environment=environment)
        return model

    async def _failing_canaries(self, task_ids: Sequence[str]) -> tuple[str, ...]:
        seed = int(self._id[:16], 16)
        count = min(CANARY_TASKS, len(task_ids))
        chosen = sorted(np.random.default_rng(seed).choice(task_ids, size=count, replace=False).tolist())
        with self._stopwatch.stage(Stage.SANDBOX):
            passing = set(await passing_references(self._bench, chosen))
        return tuple(task_id for task_id in chosen if task_id not in passing)

    async def _observations(self) -> tuple[Observation, ...]:
        return await asyncio.to_thread(self._bench.store.observations, self._id)

    async def save(self, *, finished: bool = False, **changes: object) -> Evaluation:
        """Store the record with changes and the stage times until now."""
        self._record = replace(
            self._record,
            stage_s=self._stopwatch.reading(),
            finished_at=self._bench.clock() if finished else None,
            **changes,  # type: ignore[arg-type]  # names of fields, checked by the constructor
        )
        await asyncio.to_thread(self._bench.store.save, self._record)
        return self._record


def _picks(observations: Sequence[Observation]) -> set[Pick]:
    return {Pick(o.task_id, o.index) for o in observations}


def _changed(bank: Evaluation, candidate: Evaluation) -> tuple[str, ...]:
    """Names of the settings in which two evaluations' environments differ."""
    names = bank.environment.keys() | candidate.environment.keys()
    return tuple(
        sorted(name for name in names if bank.environment.get(name) != candidate.environment.get(name))
    )
