from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.domain.checkpoint import Role
from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import State
from monitor.domain.evidence import Decision, DecisionKind, FindingKind, Reason, ReasonCode
from monitor.domain.samples import Outcome
from monitor.domain.tasks import Stratum
from monitor.export.collector import StoreCollector, new_registry
from monitor.export.exposition import expose
from monitor.ports import Count
from monitor.testing import MemoryStore
from tests.unit.export import story

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class BrokenStore(MemoryStore):
    """Fails in the middle of a reading, after the checkpoints were told."""

    def counters(self, model):
        raise StoreTrouble("The store is locked.", next_step="Wait.")


@pytest.fixture
def store():
    filled = MemoryStore()
    story.fill(filled)
    return filled


def registry_over(store, *, candidates=10):
    registry = CollectorRegistry()
    decision_for = partial(story.recorded_decision, store)
    registry.register(
        StoreCollector(
            store,
            model=story.MODEL,
            decision_for=decision_for,
            suite_names=story.SUITE_NAMES,
            candidates=candidates,
        )
    )
    return registry


def series(store, **options):
    """Every sample of an exposition by name and labels."""
    text = expose(registry_over(store, **options), "").body.decode()
    return {
        (sample.name, frozenset((sample.labels).items())): sample.value
        for family in parse_text(text)
        for sample in family.samples
    }


def value(store, metric, /, **labels):
    """The value of the only series with that name that carries these labels; None when there is none."""
    found = [
        number
        for (name, carried), number in series(store).items()
        if name == metric and frozenset(labels.items()) <= carried
    ]
    assert len(found) <= 1, f"{metric}{labels} is not unique: {found}"
    return found[0] if found else None


def test_a_checkpoint_tells_its_name_revision_engine_and_every_role_it_holds(store):
    names = {
        (dict(labels)["name"], dict(labels)["role"], dict(labels)["revision"], dict(labels)["engine"])
        for (name, labels) in series(store)
        if name == "tailwatch_checkpoint_info"
    }
    assert names == {
        ("gen0", "baseline", "r1", "vllm-managed"),
        ("gen0", "promoted", "r1", "vllm-managed"),
        ("control1", "candidate", "r1", "vllm-managed"),
        ("gen3", "candidate", "r1", "vllm-managed"),
    }


def test_checkpoints_are_numbered_by_arrival(store):
    told = [
        value(store, "tailwatch_checkpoint_ordinal", checkpoint=each.short_digest)
        for each in (story.GEN0, story.CONTROL1, story.GEN3)
    ]
    assert told == [1, 2, 3]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("tailwatch_pass_ratio", 0.4),
        ("tailwatch_pass_low_ratio", 0.35),
        ("tailwatch_pass_high_ratio", 0.45),
        ("tailwatch_delta_ratio", -0.2),
        ("tailwatch_delta_low_ratio", -0.24),
        ("tailwatch_delta_high_ratio", -0.16),
        ("tailwatch_minimum_detectable_delta_ratio", 0.08),
        ("tailwatch_margin_ratio", 0.1),
    ],
)
def test_the_evidence_about_a_stratum_is_published(store, metric, expected):
    shown = value(store, metric, checkpoint=story.GEN3.short_digest, suite="core", stratum="tail")
    assert shown == pytest.approx(expected)


def test_the_baseline_shows_the_pass_ratio_of_its_bank_without_unscored_samples(store):
    baseline = story.GEN0.short_digest
    assert value(store, "tailwatch_pass_ratio", checkpoint=baseline, stratum="tail") == pytest.approx(0.6)


def test_a_figure_that_does_not_exist_has_no_series(store):
    assert value(store, "tailwatch_delta_ratio", checkpoint=story.GEN0.short_digest, stratum="tail") is None


def test_findings_and_decisions_are_state_sets_with_exactly_one_state_on(store):
    gen3 = {"checkpoint": story.GEN3.short_digest}
    for kind in FindingKind:
        shown = value(store, "tailwatch_finding", **gen3, stratum="tail", finding=kind.value)
        assert shown == float(kind is FindingKind.REGRESSED)
    for kind in DecisionKind:
        shown = value(store, "tailwatch_decision", **gen3, decision=kind.value)
        assert shown == float(kind is DecisionKind.REJECT)


def test_samples_are_counted_by_outcome_with_unscored_apart(store):
    tail = {"checkpoint": story.GEN3.short_digest, "stratum": "tail"}
    shown = {outcome: value(store, "tailwatch_samples", **tail, outcome=outcome.value) for outcome in Outcome}
    assert shown == dict.fromkeys(Outcome, 0) | {
        Outcome.PASSED: 16,
        Outcome.FAILED: 24,
        Outcome.UNSCORED: 1,
    }


def test_reasons_that_repeat_give_one_series(store):
    decision = Decision(
        kind=DecisionKind.HOLD,
        reasons=(Reason(code=ReasonCode.DRIFT, text="length"), Reason(code=ReasonCode.DRIFT, text="shape")),
    )
    held = story.evaluation(story.GEN3, begun=story.BEGIN + timedelta(days=1), decision=decision)
    store.save(held)
    assert value(store, "tailwatch_decision_reason", checkpoint=story.GEN3.short_digest, reason="drift") == 1


def test_the_evidence_of_a_slow_decline_is_published_long_before_it_is_a_reason(store):
    decision = replace(story.PROMOTE, slow_decline=1.2)
    store.save(story.evaluation(story.GEN3, begun=story.BEGIN + timedelta(days=1), decision=decision))
    assert value(store, "tailwatch_slow_decline_evidence", checkpoint=story.GEN3.short_digest) == 1.2
    assert value(store, "tailwatch_slow_decline_evidence", checkpoint=story.GEN0.short_digest) is None


def test_the_sealed_gap_is_published_where_sealed_tasks_took_part(store):
    later = story.evaluation(story.GEN3, begun=story.BEGIN + timedelta(days=1), decision=story.PROMOTE)
    store.save(replace(later, sealed_gap=-0.25))
    assert value(store, "tailwatch_sealed_gap_ratio", checkpoint=story.GEN3.short_digest) == -0.25
    assert value(store, "tailwatch_sealed_gap_ratio", checkpoint=story.GEN0.short_digest) is None


def test_the_last_decided_evaluation_is_shown_while_a_newer_one_runs(store):
    running = story.evaluation(
        story.GEN3, begun=story.BEGIN + timedelta(days=1), state=State.RUNNING, occasion="again"
    )
    store.save(running)
    shown = value(store, "tailwatch_delta_ratio", checkpoint=story.GEN3.short_digest, stratum="tail")
    assert shown == pytest.approx(-0.2)
    assert value(store, "tailwatch_queue_checkpoints", state="running") == 1


def test_a_difference_to_an_earlier_baseline_is_not_shown_as_one_to_the_present(store):
    store.assign(story.MODEL, Role.BASELINE, story.CONTROL1.digest, now=story.BEGIN + timedelta(days=1))
    assert value(store, "tailwatch_delta_ratio", checkpoint=story.GEN3.short_digest, stratum="tail") is None


def test_only_baseline_promoted_and_the_last_candidates_are_published(store):
    for number in range(20):
        later = story.BEGIN + timedelta(days=1, hours=number)
        store.remember(story.MODEL, story.checkpoint(f"later{number}"), now=later)
    names = {
        dict(labels)["name"]
        for (name, labels) in series(store, candidates=3)
        if name == "tailwatch_checkpoint_info"
    }
    assert names == {"gen0", "later17", "later18", "later19"}


def test_a_checkpoint_without_a_result_is_on_hold_and_has_no_figures(store):
    store.remember(story.MODEL, story.checkpoint("new"), now=story.BEGIN)
    new = story.checkpoint("new").short_digest
    assert value(store, "tailwatch_decision", checkpoint=new, decision="hold") == 1
    assert value(store, "tailwatch_last_success_timestamp_seconds", checkpoint=new) is None


def test_stage_durations_and_the_last_success_are_published(store):
    gen3 = {"checkpoint": story.GEN3.short_digest}
    finished = story.BEGIN + timedelta(hours=2, seconds=15)
    assert value(store, "tailwatch_stage_duration_seconds", **gen3, stage="generation") == 11.5
    assert value(store, "tailwatch_last_success_timestamp_seconds", **gen3) == finished.timestamp()


def test_the_state_of_the_newest_evaluation_is_told_beside_what_the_last_decided_one_found(store):
    store.save(
        story.evaluation(
            story.GEN3, begun=story.BEGIN + timedelta(days=1), state=State.FAILED, occasion="again"
        )
    )
    gen3 = story.GEN3.short_digest
    assert value(store, "tailwatch_evaluation_state", checkpoint=gen3, state="failed") == 1
    assert value(store, "tailwatch_evaluation_state", checkpoint=gen3, state="decided") == 0
    assert value(store, "tailwatch_delta_ratio", checkpoint=gen3, stratum="tail") == pytest.approx(-0.2)
    gen0 = story.GEN0.short_digest
    assert value(store, "tailwatch_evaluation_state", checkpoint=gen0, state="decided") == 1


def test_counters_come_from_the_store_and_known_events_start_at_zero(store):
    assert value(store, "tailwatch_generated_tokens_total") == 3267
    assert value(store, "tailwatch_programs_executed_total") == 360
    assert value(store, "tailwatch_sandbox_events_total", event="unscored") == 3
    assert value(store, "tailwatch_sandbox_events_total", event="trouble") == 0
    assert value(store, "tailwatch_engine_events_total", event="served") == 3


def test_events_that_only_one_sandbox_knows_are_published_too(store):
    store.count(story.MODEL, Count.SANDBOX_EVENTS, "recycled", by=2)
    assert value(store, "tailwatch_sandbox_events_total", event="recycled") == 2


def test_a_store_in_trouble_is_said_and_nothing_else_is_told():
    store = BrokenStore()
    story.fill(store)
    assert list(series(store).values()) == [0.0]
    assert value(store, "tailwatch_store_up", model=story.MODEL) == 0


def test_an_empty_store_is_up_and_has_no_checkpoints():
    shown = series(MemoryStore())
    assert shown["tailwatch_store_up", frozenset({("model", story.MODEL)})] == 1
    assert not [name for name, _ in shown if name == "tailwatch_checkpoint_info"]


def test_both_formats_carry_the_same_series(store):
    registry = registry_over(store)
    text, openmetrics = expose(registry, "text/plain"), expose(registry, OPENMETRICS)
    assert text.content_type.startswith("text/plain")
    assert openmetrics.content_type.startswith("application/openmetrics-text")

    def told(families):
        return {(s.name, frozenset(s.labels.items()), s.value) for f in families for s in f.samples}

    assert told(parse_text(text.body.decode())) == told(parse_openmetrics(openmetrics.body.decode()))


def test_no_series_is_told_twice_has_a_timestamp_or_a_label_of_a_task(store):
    text = expose(registry_over(store), "").body.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    names = [line.rsplit(" ", 1)[0] for line in lines]
    assert len(names) == len(set(names))
    assert not [line for line in lines if "task" in line.partition("{")[2] or len(line.split("} ")) > 2]
    assert not [line for line in lines if line.endswith("NaN")]


def test_the_registry_of_the_daemon_has_figures_of_its_own_process(store):
    decide = partial(story.recorded_decision, store)
    body = expose(new_registry(StoreCollector(store, model=story.MODEL, decision_for=decide)), "").body
    assert b"process_resident_memory_bytes" in body
    assert b"tailwatch_store_up" in body


@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.tuples(st.sampled_from(Count), st.integers(1, 10**12)), max_size=8))
def test_counters_never_fall_whatever_is_counted(counts):
    store = MemoryStore()
    before = 0.0
    for count, by in counts:
        store.count(story.MODEL, count, by=by)
        shown = value(store, "tailwatch_generated_tokens_total")
        assert shown >= before
        before = shown


@settings(max_examples=25, deadline=None)
@given(name=st.text(max_size=40), revision=st.text(max_size=20))
def test_any_name_a_folder_can_have_survives_the_exposition(name, revision):
    store = MemoryStore()
    odd = replace(story.GEN3, name=name, revision=revision)
    store.remember(story.MODEL, odd, now=story.BEGIN)
    text = expose(registry_over(store), OPENMETRICS).body.decode()
    told = [
        sample.labels
        for family in parse_openmetrics(text)
        for sample in family.samples
        if sample.name == "tailwatch_checkpoint_info"
    ]
    assert [labels["name"] for labels in told] == [name]


def test_published_series_stay_within_the_documented_bound(store):
    per_checkpoint = [
        labels
        for (name, labels) in series(store)
        if ("checkpoint", story.GEN3.short_digest) in labels
        and "indicator" not in name
        and "drift" not in name
    ]
    assert len(per_checkpoint) <= 95
    assert Stratum.TAIL.value in {dict(labels).get("stratum") for labels in per_checkpoint}


class Counting:
    """A store that remembers what was asked of it."""

    def __init__(self, store):
        self._store = store
        self.asked = Counter()

    def __getattr__(self, name):
        self.asked[name] += 1
        return getattr(self._store, name)


def test_a_scrape_reads_aggregates_only_and_not_more_of_them_when_the_store_has_grown():
    store = Counting(MemoryStore())
    story.fill(store)
    registry = registry_over(store, candidates=2)
    reads = []
    for number in range(3):
        for later in range(10):
            begun = story.BEGIN + timedelta(days=1 + number, hours=later)
            story.judge(store, story.checkpoint(f"later{number}-{later}"), story.PROMOTE, begun=begun)
        store.asked.clear()
        expose(registry, "")
        reads.append(Counter(store.asked))
    assert reads[0] == reads[1] == reads[2]
    assert not set(reads[0]) & {"samples", "observations", "task_tallies"}
