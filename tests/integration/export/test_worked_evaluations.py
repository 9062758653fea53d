"""What the real rounds and the real gate leave in a store is what the exposition tells."""

from functools import partial

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.export.collector import StoreCollector, new_registry
from monitor.export.exposition import expose
from monitor.rounds.gate import Gate
from monitor.rounds.watching import candidate
from monitor.rounds.worker import work_once
from tests.unit.rounds.conftest import World, checkpoint


@pytest.fixture
async def told():
    """The exposition after a bank, a checkpoint that is as good and one that lost its tail."""
    world = await World().with_baseline()
    baseline = world.store.checkpoints("acme")[0]
    for name in ("equal", "worse"):
        subject = checkpoint(name)
        world.store.remember("acme", subject, now=world.clock())
        world.store.enqueue(candidate(world.watch, subject, baseline, now=world.clock()))
        world.clock.pass_s(60)
        await work_once(world.bench(), worker="w:1:1")
    gate = partial(Gate(world.watch, world.policy).decision_for, now=world.clock())
    collector = StoreCollector(world.store, model="acme", decision_for=gate)
    families = text_string_to_metric_families(expose(new_registry(collector), "").body.decode())
    return [sample for family in families for sample in family.samples]


def value(told, name, **labels):
    found = [each.value for each in told if each.name == name and labels.items() <= each.labels.items()]
    assert len(found) == 1, f"{name}{labels}: {found}"
    return found[0]


async def test_the_decisions_of_the_gate_are_told(told):
    for name, decision in (("equal", "promote"), ("worse", "reject"), ("base", "promote")):
        short = checkpoint(name).short_digest
        assert value(told, "tailwatch_decision", checkpoint=short, decision=decision) == 1


async def test_the_lost_tail_is_told_with_its_interval_and_confirmation(told):
    worse = {"checkpoint": checkpoint("worse").short_digest, "stratum": "tail"}
    assert value(told, "tailwatch_finding", **worse, finding="regressed") == 1
    assert value(told, "tailwatch_finding_confirmation", **worse, confirmation="confirmed") == 1
    low = value(told, "tailwatch_delta_low_ratio", **worse)
    assert (
        low
        <= value(told, "tailwatch_delta_ratio", **worse)
        <= value(told, "tailwatch_delta_high_ratio", **worse)
    )
    assert value(told, "tailwatch_delta_high_ratio", **worse) < 0


async def test_what_it_took_is_counted(told):
    assert value(told, "tailwatch_generated_tokens_total") > 0
    assert value(told, "tailwatch_programs_executed_total") > 0
    assert value(told, "tailwatch_engine_events_total", event="served") >= 3
    assert value(told, "tailwatch_queue_checkpoints", state="decided") == 3
