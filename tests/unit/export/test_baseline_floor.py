"""The metric of floors: of the present baseline, per stratum."""

from __future__ import annotations

from functools import partial

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.domain.samples import Outcome
from monitor.domain.tasks import Stratum
from monitor.export.collector import StoreCollector
from monitor.export.documents import bank_document
from monitor.export.exposition import expose
from monitor.testing import MemoryStore
from monitor.verdicts.bank_health import Standing, bank_health
from monitor.verdicts.plan import plan
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import rules_for
from tests.unit.export import story
from tests.unit.verdicts.outcomes import bank


def health(policy: Policy, *, tail: float):
    ratios = {Stratum.TAIL: tail, Stratum.HEAD: 0.9}
    drawn = bank(ratios)
    tallies = {(stratum, outcome): 0 for stratum in ratios for outcome in Outcome}
    for one in drawn.observations:
        tallies[one.stratum, Outcome.PASSED if one.passed else Outcome.REJECTED] += 1
    return bank_health(tallies, plan(drawn, rules_for(policy, greedy=False)), policy)


def published(of_bank):
    store = MemoryStore()
    story.fill(store)
    registry = CollectorRegistry()
    registry.register(
        StoreCollector(
            store,
            model=story.MODEL,
            decision_for=partial(story.recorded_decision, store),
            suite_names=story.SUITE_NAMES,
            bank=lambda: of_bank,
        )
    )
    return {
        (sample.labels["checkpoint"], sample.labels["suite"], sample.labels["stratum"]): sample.value
        for family in parse_text(expose(registry, "").body.decode())
        for sample in family.samples
        if sample.name == "tailwatch_baseline_floor"
    }


@pytest.mark.parametrize(("tail", "floor"), [(0.0, 1.0), (0.02, 1.0), (0.5, 0.0)])
def test_a_floor_is_published_of_the_baseline_alone(tail, floor):
    digest = story.GEN0.short_digest
    assert published(health(Policy(), tail=tail)) == {
        (digest, "core", "tail"): floor,
        (digest, "core", "head"): 0.0,
    }


def test_an_advisory_stratum_has_no_floor():
    policy = Policy(critical=frozenset({Stratum.HEAD}))
    assert set(published(health(policy, tail=0.0)).values()) == {0.0}


def test_without_a_bank_there_is_no_series():
    assert published(()) == {}


def test_a_document_tells_shares_standing_and_what_is_needed():
    tail, head = bank_document(health(Policy(), tail=0.0))
    assert (tail["pass_ratio"], tail["invalid_ratio"], tail["required_depth"]) == (0.0, 1.0, None)
    assert tail["standing"] == Standing.PASSES_NOTHING == "passes nothing"
    assert (tail["margin"], tail["stated_margin"]) == (0.0, 0.1)
    assert (head["standing"], head["problem"], head["critical"]) == ("good", "", True)
