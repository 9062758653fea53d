"""What an evaluation's outputs look like beside the bank's: asked at its end, never a reason to fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from operator import itemgetter

from monitor.domain.drift import DriftReading, Indicator, Measurement
from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import Evaluation
from monitor.domain.samples import Sample
from monitor.ports import CompletionModel, Count, DriftEvent, Probe, Store
from monitor.rounds.bench import Bench, Gauges
from monitor.rounds.watching import Watch

logger = logging.getLogger(__name__)

_MEASURE_BASELINE = "`tailwatch baseline build` with `--samples` measures it without drawing anew."

NOTHING = DriftReading(signals=(), indicators=())


@asynccontextmanager
async def loading(gauges: Gauges) -> AsyncIterator[None]:
    """Load what measuring needs beside the work inside, which is waiting for an engine."""
    meter = gauges.meter
    if meter is None:
        yield
        return
    preparing = asyncio.create_task(asyncio.to_thread(meter.prepare))
    try:
        yield
    finally:
        # What is wrong will be said where the meter is used.
        await asyncio.gather(preparing, return_exceptions=True)


async def keep_measurements(bench: Bench, evaluation: Evaluation, model: CompletionModel) -> None:
    """Let every probe ask the served checkpoint, unless it did before a restart.

    Raises:
        StoreTrouble: the samples could not be read, or a measurement not be stored.
    """
    if not bench.gauges.probes:
        return
    store, evaluation_id = bench.store, evaluation.key.evaluation_id
    samples = await asyncio.to_thread(store.samples, evaluation_id)
    stored = await asyncio.to_thread(store.measurements, evaluation_id)
    known = {(each.probe, each.material) for each in stored}
    for probe in bench.gauges.probes:
        if (probe.name, probe.material) not in known:
            measurement = await _ask(bench, probe, model, samples)
            if measurement is not None:
                await asyncio.to_thread(store.keep_measurement, evaluation_id, measurement)
    await asyncio.to_thread(bench.tally.store, store)


async def _ask(
    bench: Bench, probe: Probe, model: CompletionModel, samples: Sequence[Sample]
) -> Measurement | None:
    try:
        return await probe.measure(model, samples)
    except Exception:
        # The samples are drawn and paid for: nothing that is wrong here may cost them.
        logger.exception("probe %s got no measurement", probe.name)
        bench.tally.add(Count.DRIFT_EVENTS, DriftEvent.PROBE_FAILED)
        return None


async def keep_drift(bench: Bench, bank: Evaluation, evaluation: Evaluation) -> None:
    """Compare the outputs and store what was found, so that the decision can rest on it.

    Raises:
        StoreTrouble: the samples could not be read, or the reading not be stored.
    """
    if bench.gauges == Gauges():
        return
    evaluation_id = evaluation.key.evaluation_id
    try:
        reading = await asyncio.to_thread(
            compare_outputs,
            bench.store,
            bench.gauges,
            bank_id=bank.key.evaluation_id,
            evaluation_id=evaluation_id,
            report=f"{evaluation_id}.html" if bench.gauges.reports else "",
        )
    except StoreTrouble:
        raise
    except Exception:
        logger.exception("the outputs of %s were not compared", evaluation.checkpoint.name)
        bench.tally.add(Count.DRIFT_EVENTS, DriftEvent.FAILED)
    else:
        bench.tally.add(Count.DRIFT_EVENTS, DriftEvent.MEASURED)
        await asyncio.to_thread(bench.store.keep_drift, evaluation_id, reading)
    await asyncio.to_thread(bench.tally.store, bench.store)


def compare_outputs(
    store: Store, gauges: Gauges, *, bank_id: str, evaluation_id: str, report: str
) -> DriftReading:
    """What the stored samples and measurements of an evaluation say; the same whenever it is asked.

    Args:
        store: holds both sides.
        gauges: what is measured.
        bank_id: the evaluation that drew the bank.
        evaluation_id: the candidate's.
        report: file name for an HTML report of what drifted; empty for none.

    Raises:
        StoreTrouble: they could not be read.
    """
    reading = NOTHING
    if gauges.meter is not None:
        bank, candidate = store.samples(bank_id), store.samples(evaluation_id)
        reading = gauges.meter.measure(bank, candidate, report=report)
    before = {each.probe: each for each in store.measurements(bank_id)}
    after = {each.probe: each for each in store.measurements(evaluation_id)}
    found: list[Indicator] = []
    problems: list[str] = []
    for probe in gauges.probes:
        problem = _missing(before.get(probe.name), after.get(probe.name))
        if problem:
            problems.append(f"{probe.name}: {problem}")
        else:
            found += probe.compare(before[probe.name], after[probe.name])
    return replace(reading, indicators=(*found, *reading.indicators), problems=(*problems, *reading.problems))


def deepest(watch: Watch, checkpoint: str) -> Evaluation | None:
    """The evaluation that drew the most samples of a checkpoint by the present suite and plan, if any did.

    Raises:
        StoreTrouble: it could not be looked up.
    """
    found = [
        (sum(watch.store.tallies(each.key.evaluation_id).values()), each)
        for each in watch.store.evaluations(watch.model, checkpoint=checkpoint)
        if (each.key.suite, each.key.plan) == (watch.suite.digest, watch.plan.digest)
    ]
    drawn = [(samples, each) for samples, each in found if samples]
    return max(drawn, key=itemgetter(0))[1] if drawn else None


def _missing(baseline: Measurement | None, candidate: Measurement | None) -> str:
    """Why two measurements cannot be compared; empty when they can."""
    if candidate is None:
        return "the candidate was not measured."
    if baseline is None:
        return f"the bank was drawn without it. {_MEASURE_BASELINE}"
    if baseline.material != candidate.material:
        return f"the baseline was asked something else. {_MEASURE_BASELINE}"
    return ""
