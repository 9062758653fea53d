"""What an evaluation's outputs look like beside the bank's: asked at its end, never a reason to fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from operator import itemgetter

from monitor.domain.drift import NOTHING, DriftReading, Measurement, Unmeasured, lost, together
from monitor.domain.errors import DeploymentBroken
from monitor.domain.evaluation import Evaluation, State
from monitor.domain.samples import Sample
from monitor.domain.tasks import Stratum
from monitor.ports import CompletionModel, Count, DriftEvent, DriftMeter, Probe, Store
from monitor.rounds.bench import Bench, Gauges
from monitor.rounds.trending import trends_at
from monitor.rounds.watching import Watch, bank_key, baseline_of
from monitor.rounds.weighing import bank_key_for

logger = logging.getLogger(__name__)

_MEASURE_BASELINE = "`tailwatch baseline build` measures it without drawing anew"


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
        DeploymentBroken: the checkpoint computes NaN for what a probe asks.
        StoreTrouble: the samples could not be read, or a measurement not be stored.
    """
    if not bench.gauges.probes:
        return
    store, evaluation_id = bench.store, evaluation.key.evaluation_id
    samples = await asyncio.to_thread(store.samples, evaluation_id)
    for probe in await asyncio.to_thread(unasked, store, bench.gauges, evaluation_id):
        measurement = await _ask(bench, probe, model, samples)
        if measurement is not None:
            await asyncio.to_thread(store.keep_measurement, evaluation_id, measurement)
    await asyncio.to_thread(bench.tally.store, store)


def unasked(store: Store, gauges: Gauges, evaluation_id: str) -> list[Probe]:
    """The probes whose present question an evaluation has no measurement of.

    Raises:
        StoreTrouble: the measurements could not be read.
    """
    known = {(each.probe, each.material) for each in store.measurements(evaluation_id)}
    return [probe for probe in gauges.probes if (probe.name, probe.material) not in known]


def ask_bank_again(watch: Watch, gauges: Gauges) -> bool:
    """Queue the baseline's bank where a probe has no measurement of it; whether it was queued.

    A probe may have failed when the bank was drawn, or be new. Its samples are kept, and nothing is drawn.

    Raises:
        StoreTrouble: it could not be looked up or queued.
    """
    baseline = baseline_of(watch)
    if baseline is None:
        return False
    evaluation_id = bank_key(watch, baseline.digest).evaluation_id
    known = watch.store.evaluation(evaluation_id)
    if known is None or known.state is not State.DECIDED or not unasked(watch.store, gauges, evaluation_id):
        return False
    watch.store.save(replace(known, state=State.QUEUED, errors=0))
    return True


async def _ask(
    bench: Bench, probe: Probe, model: CompletionModel, samples: Sequence[Sample]
) -> Measurement | None:
    try:
        return await probe.measure(model, samples)
    except DeploymentBroken:
        raise
    except Exception:
        # The samples are drawn and paid for: nothing that is wrong here may cost them.
        logger.exception("probe %s got no measurement", probe.name)
        bench.tally.add(Count.DRIFT_EVENTS, DriftEvent.PROBE_FAILED)
        return None


async def keep_drift(bench: Bench, bank: Evaluation, evaluation: Evaluation) -> None:
    """Compare the outputs and store what was found, so that the decision can rest on it.

    What breaks is a problem of the reading, and costs only its own part of it.

    Raises:
        StoreTrouble: the samples could not be read, or the reading not be stored.
    """
    if bench.gauges == Gauges():
        return
    evaluation_id = evaluation.key.evaluation_id
    reading = await asyncio.to_thread(
        compare_outputs,
        bench.store,
        bench.gauges,
        bank_id=bank.key.evaluation_id,
        evaluation_id=evaluation_id,
        # Most pages are never looked at, and one costs more than all the rest: it is made when asked for.
        report="",
    )
    if bench.gauges.reports and reading.signals:
        reading = replace(reading, report=page_name(evaluation_id))
    trends = await asyncio.to_thread(trends_at, bench.store, evaluation, reading)
    await asyncio.to_thread(bench.store.keep_drift, evaluation_id, replace(reading, trends=trends))
    bench.tally.add(Count.DRIFT_EVENTS, DriftEvent.FAILED if reading.broken else DriftEvent.MEASURED)
    await asyncio.to_thread(bench.tally.store, bench.store)


def page_name(evaluation_id: str) -> str:
    """File name of the page about an evaluation's columns."""
    return f"{evaluation_id}.html"


def write_page(store: Store, meter: DriftMeter, evaluation_id: str) -> bool:
    """Write the page about an evaluation's columns, from what is stored; whether there is one to write.

    Args:
        store: holds its samples and its bank's.
        meter: compares columns, and knows where pages go.
        evaluation_id: a candidate's.

    Raises:
        StoreTrouble: they could not be read.
    """
    evaluation, kept = store.evaluation(evaluation_id), store.drift(evaluation_id)
    if evaluation is None or kept is None or not kept.report:
        return False
    bank_id = bank_key_for(evaluation, evaluation.key.baseline).evaluation_id
    compared = compare_outputs(
        store, Gauges(meter=meter), bank_id=bank_id, evaluation_id=evaluation_id, report=kept.report
    )
    return bool(compared.report)


def compare_outputs(
    store: Store, gauges: Gauges, *, bank_id: str, evaluation_id: str, report: str
) -> DriftReading:
    """What the stored samples and measurements of an evaluation say; the same whenever it is asked.

    Args:
        store: holds both sides.
        gauges: what is measured.
        bank_id: the evaluation that drew the bank.
        evaluation_id: the candidate's.
        report: file name for an HTML page about the columns; empty for none.

    Raises:
        StoreTrouble: they could not be read.
    """
    before = {each.probe: each for each in store.measurements(bank_id)}
    after = {each.probe: each for each in store.measurements(evaluation_id)}
    parts = [_probed(probe, before.get(probe.name), after.get(probe.name)) for probe in gauges.probes]
    engine_s = sum(after[probe.name].engine_s for probe in gauges.probes if probe.name in after)
    if gauges.meter is not None:
        bank, candidate = store.samples(bank_id), store.samples(evaluation_id)
        parts.append(_metered(gauges.meter, bank, candidate, report))
    return replace(together(parts), engine_s=engine_s)


def _probed(probe: Probe, baseline: Measurement | None, candidate: Measurement | None) -> DriftReading:
    """What a probe's two measurements say."""
    if candidate is None:
        why = "the candidate was not measured"
    elif baseline is None:
        why = f"the bank was drawn without it; {_MEASURE_BASELINE}"
    elif baseline.material != candidate.material:
        why = f"the baseline was asked something else; {_MEASURE_BASELINE}"
    else:
        return _weighed(probe, baseline, candidate)
    return replace(NOTHING, unmeasured=(Unmeasured(name=probe.name, stratum=None, why=why),))


def _weighed(probe: Probe, baseline: Measurement, candidate: Measurement) -> DriftReading:
    try:
        indicators = tuple(probe.compare(baseline, candidate))
    except Exception as exc:
        logger.exception("the measurements of %s were not compared", probe.name)
        return lost(probe.name, exc)
    why = "none of the baseline's readings has a counterpart"
    lacking = {reading.group for reading in baseline.readings} - {each.stratum for each in indicators}
    gaps = (Unmeasured(name=probe.name, stratum=Stratum(each), why=why) for each in sorted(lacking))
    return replace(NOTHING, indicators=indicators, unmeasured=tuple(gaps))


def _metered(
    meter: DriftMeter, bank: Sequence[Sample], candidate: Sequence[Sample], report: str
) -> DriftReading:
    try:
        return meter.measure(bank, candidate, report=report)
    except Exception as exc:
        logger.exception("the outputs were not compared")
        return lost("The outputs", exc)


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
