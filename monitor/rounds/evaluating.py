"""One evaluation, from a leased record to a decided one.

Nothing is remembered between waves but what is stored: an evaluation that starts again walks through
its own waves from the first, finds them drawn, and goes on where it was cut off.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import DeploymentBroken, InvalidCheckpoint, StoreTrouble, Trouble
from monitor.domain.evaluation import BankView, Evaluation, Flips, Purpose, Stage, State
from monitor.domain.evidence import Observation
from monitor.domain.samples import FinishReason, Outcome, Sample
from monitor.domain.tasks import Stratum
from monitor.ports import CompletionModel, Count, EngineEvent
from monitor.rounds.bench import Bench, Progress
from monitor.rounds.drawing import calibrate_tasks, draw, failing_references
from monitor.rounds.drifting import keep_drift, keep_measurements, loading, unasked
from monitor.rounds.lease import Lease, LeaseLost
from monitor.rounds.run import log_fields
from monitor.rounds.sealing import resting
from monitor.rounds.stopwatch import Stopwatch
from monitor.rounds.waves import Itinerary, Pick, bank_waves, next_wave
from monitor.rounds.weighing import (
    Counterpart,
    canaries,
    conclude,
    counterpart,
    differing,
    drawn_anew,
    flips_of,
    views_for,
    weigh,
)
from monitor.verdicts.assessment import Assessment
from monitor.verdicts.bank_health import bank_health
from monitor.verdicts.changes import sealed_gap
from monitor.verdicts.rules import rules_for

logger = logging.getLogger(__name__)

BANK_WAVE = 1024
"""Samples of a bank that are asked for together."""


class IncompleteBank(Trouble):
    """Too many samples of a bank have no result, or the rest would be of another kind."""


async def evaluate(bench: Bench, lease: Lease) -> Evaluation:
    """Do a leased evaluation to its end and store it as DECIDED.

    Raises:
        InvalidCheckpoint: the engine cannot serve it, or refuses its prompts; for a bank, DeploymentBroken.
        EngineTrouble, SandboxTrouble, StoreTrouble, BankMissing: to be tried again; nothing is lost.
        LeaseLost: another worker has it now.
    """
    work = _Work(bench, lease)
    try:
        return await (work.bank() if lease.evaluation.key.purpose is Purpose.BANK else work.candidate())
    except BaseException:
        # Where this fails as well, only stage times are lost; the reader needs the first error.
        with suppress(StoreTrouble, LeaseLost):
            await asyncio.shield(work.save())
        raise


class _Work:
    """The state of one run: the record, and a stopwatch."""

    def __init__(self, bench: Bench, lease: Lease) -> None:
        self._bench = bench
        self._lease = lease
        self._record = lease.evaluation
        self._id = lease.evaluation.key.evaluation_id
        self._rules = rules_for(bench.policy, greedy=bench.plan.greedy)
        self._stopwatch = Stopwatch(lease.evaluation.stage_s)
        self._model: CompletionModel | None = None
        self._served_anew = False
        """Whether it was served once more since it computed NaN."""
        self._stored: Counter[Outcome] = Counter()
        self._expected: int | None = None
        """Samples that there will be; None where the evidence decides."""

    async def bank(self) -> Evaluation:
        """Draw what the bank still lacks."""
        bench = self._bench
        await asyncio.to_thread(bench.store.forget_unscored, self._id)
        with self._stopwatch.stage(Stage.SANDBOX):
            found = await calibrate_tasks(bench, [task.task_id for task in bench.suite])
        excluded = tuple(task_id for task_id, each in found.items() if not each.reference.outcome.passed)
        beside = tuple(task_id for task_id, each in found.items() if each.in_process)
        await self.save(excluded_tasks=excluded, in_process_tasks=beside)
        depth = bench.plan.samples_per_task
        tasks = [task for task in bench.suite if task.task_id not in set(excluded)]
        self._expected = len(tasks) * depth
        await self._count()
        stored = _picks(await self._observations())
        for wave, picks in enumerate(bank_waves(tasks, depth=depth, size=BANK_WAVE)):
            await self._draw([pick for pick in picks if pick not in stored], wave=wave)
        self._tell()
        self._check_scored()
        await self._probe()
        self._warn_of_floors()
        return await self.save(state=State.DECIDED, finished_at=bench.clock(), trouble="")

    def _warn_of_floors(self) -> None:
        """Tell the log which strata pass nothing: no candidate could be seen to lose them."""
        bench = self._bench
        health = bank_health(bench.store.tallies(self._id), (), bench.policy, strata=bench.suite.strata)
        for each in health:
            if each.passes_nothing:
                fields = {**log_fields(self._record), "stratum": each.stratum.value, "samples": each.samples}
                logger.warning("bank passes nothing", extra=fields)

    def _check_scored(self) -> None:
        """A bank with holes would bias every decision after it; all of a small stratum are few in the whole.

        Raises:
            InvalidCheckpoint: the engine refused too many of its prompts; it would do so again.
            IncompleteBank: something of ours broke too often.
        """
        lost, drawn = self._lost(), Counter[Stratum]()
        for (stratum, _), count in self._bench.store.tallies(self._id).items():
            drawn[stratum] += count
        self._check_share(lost, drawn.total())
        for stratum in sorted(self._bench.policy.critical & drawn.keys()):
            mine = [sample for sample in lost if sample.stratum is stratum]
            self._check_share(mine, drawn[stratum], where=f" in {stratum.value}")

    def _check_share(self, lost: Sequence[Sample], total: int, *, where: str = "") -> None:
        allowed = self._bench.policy.max_unscored_share * total
        if len(_refused(lost)) > allowed:
            raise _prompts_refused(self._record.checkpoint.name, lost, total, where=where)
        if len(lost) > allowed:
            raise IncompleteBank(
                f"{len(lost)} of {total} samples of the bank{where} have no result: "
                f"{lost[0].execution.detail or lost[0].completion.detail}.",
                next_step="Fix that, then run `tailwatch baseline build` again.",
            )

    async def candidate(self) -> Evaluation:
        """Draw waves until the evidence needs no more, then decide."""
        bench = self._bench
        await self.save(resting_tasks=await self._resting(), banks=await self._banks(), broken="")
        against = await asyncio.to_thread(counterpart, bench.store, self._record)
        chosen = canaries(self._record, sorted({o.task_id for o in against.bank.observations}))
        beside = against.record.in_process_tasks
        with self._stopwatch.stage(Stage.SANDBOX):
            excluded = await failing_references(bench, chosen, beside)
        await self.save(excluded_tasks=excluded, in_process_tasks=beside)
        try:
            if await self._waves():
                await self._check_answered()
                await self._probe()
                with self._stopwatch.stage(Stage.DRIFT):
                    await keep_drift(bench, against.record, self._record)
        except DeploymentBroken as error:
            if not self._record.key.purpose.judges:
                raise
            return await self._decide(broken=str(error))
        flips = await asyncio.to_thread(self._flips)
        return await self._decide(flips=flips, sealed_gap=await self._sealed_gap())

    async def _decide(self, **facts: object) -> Evaluation:
        """Conclude from what is stored, and from these fields of the record."""
        bench, finished_at = self._bench, self._bench.clock()
        decided = replace(self._record, finished_at=finished_at, **facts)  # type: ignore[arg-type]  # as in save
        decision = await asyncio.to_thread(conclude, bench.store, decided, self._rules, suite=bench.suite)
        return await self.save(
            state=State.DECIDED,
            finished_at=finished_at,
            decision=decision,
            policy=bench.policy.digest,
            trouble="",
            **facts,
        )

    async def _check_answered(self) -> None:
        """Where the engine refused every prompt there is nothing to weigh, nor will there be.

        Raises:
            InvalidCheckpoint: with the engine's reason.
        """
        samples = await asyncio.to_thread(self._lost)
        total = len(await self._observations())
        if total and len(_refused(samples)) == total:
            await asyncio.to_thread(self._bench.store.forget_unscored, self._id)
            raise _prompts_refused(self._record.checkpoint.name, samples, total)

    def _lost(self) -> list[Sample]:
        """Samples without a result."""
        tallies = self._bench.store.tallies(self._id)
        if not any(outcome is Outcome.UNSCORED for _, outcome in tallies):
            return []
        return [sample for sample in self._bench.store.samples(self._id) if sample.passed is None]

    async def _resting(self) -> tuple[str, ...]:
        seal = self._bench.suite.seal
        if seal is None:
            return ()
        known = await asyncio.to_thread(self._bench.store.evaluations, self._record.key.model)
        return resting(seal, self._record, known)

    async def _banks(self) -> Mapping[str, BankView]:
        """What it is weighed against; once something is drawn, it is kept to.

        A bank is drawn again after a repair, which what this evaluation drew before it lacks.
        """
        store = self._bench.store
        if self._record.banks and await self._observations():
            if not await asyncio.to_thread(drawn_anew, store, self._record):
                return self._record.banks
            await asyncio.to_thread(store.forget_samples, self._id)
        return await asyncio.to_thread(views_for, store, self._record)

    def _flips(self) -> Flips:
        lost = [each.lost for each in flips_of(self._bench.store, self._record)]
        return Flips(lost=sum(lost), gained=len(lost) - sum(lost))

    async def _sealed_gap(self) -> float | None:
        seal = self._bench.suite.seal
        if seal is None:
            return None
        against = await self._against()
        return sealed_gap(against.bank, await self._observations(), seal.task_ids)

    async def _against(self) -> Counterpart:
        """What it is weighed against; whether seeds repeat themselves is known once it was served."""
        return await asyncio.to_thread(counterpart, self._bench.store, self._record)

    async def _waves(self) -> int:
        """Draw what the evidence needs; how many samples there are then.

        The engine is started for the first sample that is missing: where the bank can decide nothing, or
        all that is needed is stored, there is none.
        """
        bench, wave = self._bench, 0
        await self._count()
        way = Itinerary(suite=bench.suite, checkpoint=self._record.key.checkpoint)
        against = await self._against()
        tasks = {o.task_id for o in against.bank.observations}
        while True:
            observations = await self._observations()
            before = [o for o in observations if o.wave < wave]
            assessment = weigh(against, before, self._rules)
            self._tell(samples=len(before), assessment=assessment)
            picks = next_wave(
                way,
                assessment.wanted,
                tasks=tasks,
                drawn=_picks(before),
                size=bench.wave_samples,
            )
            if not picks:
                return len(before)
            stored, served = _picks(observations), self._model
            await self._draw([pick for pick in picks if pick not in stored], wave=wave)
            if self._model is not served:
                against = await self._against()
            wave += 1

    async def _draw(self, picks: Sequence[Pick], *, wave: int) -> None:
        if not picks:
            return
        try:
            await self._draw_once(picks, wave=wave)
        except DeploymentBroken as error:
            await self._serve_anew(error)
            stored = _picks(await self._observations())
            await self._draw_once([pick for pick in picks if pick not in stored], wave=wave)

    async def _draw_once(self, picks: Sequence[Pick], *, wave: int) -> None:
        model = await self._served()
        drawn = draw(self._bench, self._record, model, picks, wave=wave, stored=self._tell_stored)
        self._stopwatch.add(await drawn)

    async def _serve_anew(self, error: DeploymentBroken) -> None:
        """Have a checkpoint served once more that computed NaN: what its server held before may be why.

        Raises:
            DeploymentBroken: that was done already, or shows it again.
        """
        if self._model is None or self._served_anew:
            raise error
        logger.warning(
            "computes NaN, is served again", extra=log_fields(self._record) | {"problem": str(error)}
        )
        self._model, self._served_anew = None, True
        await self._served()

    async def _probe(self) -> None:
        """Let the probes ask what they have not asked yet."""
        if not await asyncio.to_thread(unasked, self._bench.store, self._bench.gauges, self._id):
            return
        try:
            await self._probe_once()
        except DeploymentBroken as error:
            await self._serve_anew(error)
            await self._probe_once()

    async def _probe_once(self) -> None:
        model = await self._served()
        with self._stopwatch.stage(Stage.DRIFT):
            await keep_measurements(self._bench, self._record, model)

    async def _served(self) -> CompletionModel:
        """The checkpoint's model; started when it is first needed."""
        if self._model is None:
            async with loading(self._bench.gauges):
                self._model = await self._serve()
        return self._model

    async def _serve(self) -> CompletionModel:
        with self._stopwatch.stage(Stage.ENGINE):
            model = await self._bench.engine.serve(await self._where_it_lies_now())
        self._bench.tally.add(Count.ENGINE_EVENTS, EngineEvent.SERVED)
        identity = model.identity
        environment = {
            "engine": f"{identity.kind} {identity.version}",
            **identity.settings,
            "sandbox": self._bench.sandbox.identity,
        }
        await self._check_alike(environment)
        await self.save(environment=environment, seed_stable=identity.seed_stable)
        self._tell(served=True)
        return model

    async def _check_alike(self, environment: Mapping[str, str]) -> None:
        """A bank of samples from two set-ups would pass for one of the newer, and hide that anything changed.

        Raises:
            IncompleteBank: what it holds was drawn under other settings.
        """
        record = self._record
        changed = differing(record.environment, environment) if record.environment else ()
        if record.key.purpose is Purpose.BANK and changed and await self._observations():
            raise IncompleteBank(
                f"The bank was drawn under other settings ({', '.join(changed)}): these do not mix.",
                next_step="Serve it as it was drawn, or draw all of it again with "
                f"`tailwatch baseline build {record.checkpoint.short_digest} --again`.",
            )

    async def _count(self) -> None:
        """Know what is stored before more is drawn."""
        tallies = await asyncio.to_thread(self._bench.store.tallies, self._id)
        self._stored = Counter()
        for (_, outcome), count in tallies.items():
            self._stored[outcome] += count

    def _tell_stored(self, samples: Sequence[Sample]) -> None:
        self._stored.update(sample.execution.outcome for sample in samples)
        self._tell()

    def _tell(
        self, *, samples: int | None = None, served: bool = False, assessment: Assessment | None = None
    ) -> None:
        """Let the watcher know how far it is; ``samples`` where it is not all that are stored."""
        scored = self._stored.total() - self._stored[Outcome.UNSCORED]
        self._bench.watcher(
            Progress(
                evaluation=self._record,
                samples=self._stored.total() if samples is None else samples,
                expected=self._expected,
                served=served,
                pass_ratio=self._stored[Outcome.PASSED] / scored if scored else None,
                assessment=assessment,
            )
        )

    async def _where_it_lies_now(self) -> Checkpoint:
        """The checkpoint, which may have been seen in another folder since its evaluation was queued."""
        model, digest = self._record.key.model, self._record.key.checkpoint
        known = await asyncio.to_thread(self._bench.store.checkpoint, model, digest)
        return known or self._record.checkpoint

    async def _observations(self) -> tuple[Observation, ...]:
        return await asyncio.to_thread(self._bench.store.observations, self._id)

    async def save(self, *, finished_at: datetime | None = None, **changes: object) -> Evaluation:
        """Store the record with changes and the stage times until now."""
        self._record = replace(
            self._record,
            stage_s=self._stopwatch.reading(),
            finished_at=finished_at,
            **changes,  # type: ignore[arg-type]  # names of fields, checked by the constructor
        )
        await self._lease.save(self._record)
        return self._record


def _picks(observations: Sequence[Observation]) -> set[Pick]:
    return {Pick(o.task_id, o.index) for o in observations}


def _refused(lost: Sequence[Sample]) -> list[Sample]:
    return [each for each in lost if each.completion.finish_reason is FinishReason.REFUSED]


def _prompts_refused(name: str, lost: Sequence[Sample], total: int, *, where: str = "") -> InvalidCheckpoint:
    refused = _refused(lost)
    return InvalidCheckpoint(
        f"vLLM refuses {len(refused)} of {total} requests to {name}{where}, and would again: "
        f"{refused[0].completion.detail.rstrip('.')} (task {refused[0].task_id}).",
        next_step="Where the context is too short, serve with a longer --max-model-len or set a smaller "
        "sampling.max_tokens; where the tokenizer has no chat template, add one or set sampling.style: "
        "completion. Then evaluate it again.",
    )
