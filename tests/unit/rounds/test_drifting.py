"""Outputs are measured at the end of an evaluation, and nothing that breaks there decides anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.drift import IndicatorName
from monitor.domain.errors import EngineTrouble
from monitor.domain.evaluation import Stage, State
from monitor.domain.evidence import DecisionKind, DriftSignal, ReasonCode
from monitor.ports import Count, DriftEvent
from monitor.rounds.bench import Gauges
from monitor.rounds.drifting import ask_bank_again, compare_outputs, page_name, write_page
from monitor.rounds.weighing import conclude
from monitor.rounds.worker import work_once
from monitor.testing import FakeMeter, FakeProbe
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import rules_for

from .conftest import World
from .test_evaluating import evaluated

BROKEN = [RuntimeError("a bug of ours"), EngineTrouble("The engine died.", next_step="Start it.")]


def codes(record):
    return {reason.code for reason in record.decision.reasons}


async def measured_world(world: World, **gauges) -> World:
    world.gauges = Gauges(**gauges)
    return await world.with_baseline()


async def test_bank_and_candidate_are_asked_and_their_outputs_compared(world):
    await measured_world(world, meter=FakeMeter(), probes=(FakeProbe(),))
    record = await evaluated(world, "worse")
    bank = world.store.evaluations("acme")[0]
    for evaluation in (bank, record):
        (measurement,) = world.store.measurements(evaluation.key.evaluation_id)
        assert measurement.probe == IndicatorName.RARE_CODE_NLL
    reading = world.store.drift(record.key.evaluation_id)
    assert [each.name for each in reading.indicators] == ["rare-code-nll", "collision"]
    assert record.stage_s[Stage.DRIFT] >= 0.0
    assert world.gauges.meter.prepared
    assert world.store.counters("acme")[Count.DRIFT_EVENTS, DriftEvent.MEASURED] == 1


async def test_a_warning_is_a_reason_and_holds_only_by_the_policy(world):
    await measured_world(world, meter=FakeMeter())
    record = await evaluated(world, "equal")
    assert record.decision.kind is DecisionKind.PROMOTE
    assert ReasonCode.COLLAPSE_INDICATOR in codes(record)
    holding = replace(world.policy, holding_signals=frozenset({"collision"}))
    assert conclude(world.store, record, rules_for(holding, greedy=False)).kind is DecisionKind.HOLD


@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: type(each).__name__)
async def test_a_meter_that_breaks_is_counted_and_decides_nothing(world, broken, caplog):
    await measured_world(world, meter=FakeMeter(broken=broken), probes=(FakeProbe(),))
    record = await evaluated(world, "equal")
    assert record.decision.kind is DecisionKind.PROMOTE
    reading = world.store.drift(record.key.evaluation_id)
    assert [each.name for each in reading.indicators] == ["rare-code-nll"]
    assert "The outputs could not be compared" in reading.problems[0]
    assert world.store.counters("acme")[Count.DRIFT_EVENTS, DriftEvent.FAILED] == 1
    assert "were not compared" in caplog.text


async def test_a_probe_whose_measurements_cannot_be_compared_costs_only_itself(world):
    class Incomparable(FakeProbe):
        def compare(self, baseline, candidate):
            raise ZeroDivisionError

    await measured_world(world, meter=FakeMeter(), probes=(Incomparable(),))
    record = await evaluated(world, "equal")
    reading = world.store.drift(record.key.evaluation_id)
    assert [each.name for each in reading.indicators] == ["collision"]
    assert reading.problems == ("rare-code-nll could not be compared (ZeroDivisionError: ).",)
    assert world.store.counters("acme")[Count.DRIFT_EVENTS, DriftEvent.FAILED] == 1


@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: type(each).__name__)
async def test_a_probe_that_breaks_is_counted_and_its_indicator_named_as_missing(world, broken, caplog):
    await measured_world(world, probes=(FakeProbe(broken=broken),))
    record = await evaluated(world, "equal")
    assert record.decision.kind is DecisionKind.PROMOTE
    assert world.store.drift(record.key.evaluation_id).remarks == (
        "rare-code-nll: the candidate was not measured.",
    )
    assert world.store.counters("acme")[Count.DRIFT_EVENTS, DriftEvent.PROBE_FAILED] == 2
    assert "got no measurement" in caplog.text


async def test_what_the_policy_holds_on_and_nobody_measured_holds(world):
    world.policy = replace(Policy(margin=world.policy.margin), holding_signals=frozenset({"rare-code-nll"}))
    await measured_world(world, probes=(FakeProbe(broken=BROKEN[0]),))
    record = await evaluated(world, "equal")
    assert record.decision.kind is DecisionKind.HOLD
    assert ReasonCode.INDICATOR_MISSING in codes(record)


async def test_a_bank_without_measurement_or_with_another_one_is_told_how_to_get_it(world):
    await world.with_baseline()
    world.gauges = Gauges(probes=(FakeProbe(),))
    record = await evaluated(world, "equal")
    (problem,) = world.store.drift(record.key.evaluation_id).remarks
    assert "the bank was drawn without it" in problem
    assert "baseline build" in problem


async def test_a_probe_that_asked_something_else_is_asked_again(world):
    await measured_world(world, probes=(FakeProbe(),))
    bank = world.store.evaluations("acme")[0].key.evaluation_id
    before = world.store.measurements(bank)
    world.gauges = Gauges(probes=(FakeProbe(("d e f g",)),))
    record = await evaluated(world, "equal")
    assert world.store.measurements(bank) == before
    (problem,) = world.store.drift(record.key.evaluation_id).remarks
    assert "asked something else" in problem


async def test_a_probe_that_failed_on_the_bank_asks_it_again_without_drawing(world):
    await measured_world(world, probes=(FakeProbe(broken=BROKEN[1]),))
    bank = world.store.evaluations("acme")[0].key.evaluation_id
    drawn = world.store.samples(bank)
    assert world.store.measurements(bank) == ()
    world.gauges = Gauges(probes=(FakeProbe(),))
    assert ask_bank_again(world.watch, world.gauges)
    again = await work_once(world.bench(), worker="w:1:1")
    assert again.state is State.DECIDED
    assert len(world.store.measurements(bank)) == 1
    assert world.store.samples(bank) == drawn
    assert not ask_bank_again(world.watch, world.gauges)


async def test_a_reading_that_answers_for_one_stratum_alone_names_the_others(world):
    class Partial(FakeProbe):
        def compare(self, baseline, candidate):
            return ()

    await measured_world(world, probes=(Partial(),))
    record = await evaluated(world, "equal")
    (remark,) = world.store.drift(record.key.evaluation_id).remarks
    assert remark.startswith("rare-code-nll in tail: none of the baseline's readings")


async def test_outputs_compared_again_from_the_store_give_the_same_reading(world):
    await measured_world(world, meter=FakeMeter(), probes=(FakeProbe(),))
    record = await evaluated(world, "worse")
    evaluation_id = record.key.evaluation_id
    bank_id = world.store.evaluations("acme")[0].key.evaluation_id
    again = compare_outputs(
        world.store, world.gauges, bank_id=bank_id, evaluation_id=evaluation_id, report=""
    )
    assert again == world.store.drift(evaluation_id)


async def test_nothing_is_measured_where_nothing_is_asked_for(world):
    await world.with_baseline()
    record = await evaluated(world, "equal")
    assert world.store.drift(record.key.evaluation_id) is None
    assert not [key for key in world.store.counters("acme") if key[0] == Count.DRIFT_EVENTS]


class PagingMeter(FakeMeter):
    """Finds a column, and remembers which pages were asked for."""

    def __init__(self):
        super().__init__()
        self.pages = []

    def measure(self, bank, candidate, *, report):
        if report:
            self.pages.append((report, len(bank), len(candidate)))
        found = super().measure(bank, candidate, report=report)
        column = DriftSignal(signal="tokens", method="ks", score=0.5, threshold=0.01, detected=False)
        return replace(found, signals=(column,))


async def test_the_page_about_columns_is_promised_by_the_evaluation_and_made_when_it_is_asked_for(world):
    meter = PagingMeter()
    await measured_world(world, meter=meter, reports=True)
    record = await evaluated(world, "worse")
    evaluation_id = record.key.evaluation_id
    assert meter.pages == []
    assert world.store.drift(evaluation_id).report == page_name(evaluation_id)
    assert write_page(world.store, meter, evaluation_id)
    bank = world.store.evaluations("acme")[0]
    samples = [len(world.store.samples(each.key.evaluation_id)) for each in (bank, record)]
    assert meter.pages == [(page_name(evaluation_id), *samples)]


async def test_there_is_no_page_about_what_was_not_compared_or_never_was(world):
    meter = PagingMeter()
    await measured_world(world, meter=meter)
    record = await evaluated(world, "worse")
    bank = world.store.evaluations("acme")[0]
    for evaluation_id in (record.key.evaluation_id, bank.key.evaluation_id, "0" * 32):
        assert not write_page(world.store, meter, evaluation_id)
    assert meter.pages == []
