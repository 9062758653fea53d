"""The catalogue of metrics: which figure of a snapshot becomes which family. docs/metrics.md describes it.

A figure that does not exist gives no series. There is no NaN, no task id in a label, and no explicit
timestamp: Prometheus would refuse to show a verdict of yesterday as the present state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from monitor.domain.checkpoint import Role
from monitor.domain.evaluation import Purpose, State
from monitor.domain.evidence import (
    Confirmation,
    DecisionKind,
    Evidence,
    Finding,
    FindingKind,
)
from monitor.domain.samples import Outcome
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.export.drift_families import Compared, drift_families
from monitor.export.snapshot import PublishedCheckpoint, Snapshot
from monitor.ports import Count, DriftEvent, EngineEvent, SandboxEvent
from monitor.verdicts.bank_health import StratumHealth

_RESULT_LABELS = ("model", "checkpoint", "suite")


class _Figure(NamedTuple):
    """One number of the evidence about a stratum."""

    name: str
    meaning: str
    read: Callable[[Evidence], float | None]


_FIGURES = (
    _Figure("tailwatch_pass_low_ratio", "Lower bound of the pass probability.", lambda e: e.pass_low),
    _Figure("tailwatch_pass_high_ratio", "Upper bound of the pass probability.", lambda e: e.pass_high),
    _Figure(
        "tailwatch_delta_ratio",
        "Pass probability minus the baseline's on the same tasks; negative is worse.",
        lambda e: e.delta,
    ),
    _Figure(
        "tailwatch_delta_low_ratio",
        "Lower bound of the difference, valid at every look.",
        lambda e: e.delta_low,
    ),
    _Figure(
        "tailwatch_delta_high_ratio",
        "Upper bound of the difference, valid at every look.",
        lambda e: e.delta_high,
    ),
    _Figure(
        "tailwatch_minimum_detectable_delta_ratio",
        "Smallest drop that this run could have shown.",
        lambda e: e.minimum_detectable_delta,
    ),
    _Figure(
        "tailwatch_margin_ratio",
        "The drop that matters: the policy's, or less where the baseline passes too little to lose it.",
        lambda e: e.margin,
    ),
)


def metric_families(snapshot: Snapshot, *, model: str, suite_names: Mapping[str, str]) -> Iterator[Metric]:
    """Every family of the catalogue but ``tailwatch_store_up``, in a stable order."""
    published = tuple(_Labelled(each, model, suite_names) for each in snapshot.checkpoints)
    yield _info(published)
    yield _ordinals(published)
    yield _pass_ratios(published)
    for figure in _FIGURES:
        yield _evidence(figure, published)
    yield _samples(published)
    yield _findings(published)
    yield _confirmations(published)
    yield _decisions(published)
    yield _reasons(published)
    yield _slow_decline(published)
    yield from drift_families(
        [
            Compared(each.result, each.published.drift)
            for each in published
            if each.published.drift is not None
        ]
    )
    yield _baseline_floors(published, snapshot.bank)
    yield _flips(published)
    yield _excluded_tasks(published)
    yield _sealed_gaps(published)
    yield _last_success(published)
    yield _newest_states(published)
    yield _stage_durations(published)
    yield _queue(snapshot, model)
    yield from _counters(snapshot, model)


class _Labelled:
    """A published checkpoint with the label values that its series share."""

    def __init__(self, published: PublishedCheckpoint, model: str, suite_names: Mapping[str, str]) -> None:
        self.published = published
        self.identity = (model, published.checkpoint.short_digest)
        suite = "" if published.evaluation is None else published.evaluation.key.suite
        self.result = (*self.identity, suite_names.get(suite, suite[:12]))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the last decided evaluation found, a stratum at a time."""
        evaluation = self.published.evaluation
        return () if evaluation is None or evaluation.decision is None else evaluation.decision.findings


def _info(published: tuple[_Labelled, ...]) -> Metric:
    labels = ("model", "checkpoint", "name", "revision", "role", "engine")
    family = InfoMetricFamily(
        "tailwatch_checkpoint", "What a checkpoint is called and what it is to its model.", labels=labels
    )
    for each in published:
        checkpoint, evaluation = each.published.checkpoint, each.published.evaluation
        engine = "" if evaluation is None else evaluation.environment.get("engine", "")
        for role in each.published.roles:
            values = (*each.identity, checkpoint.name, checkpoint.revision, role, engine)
            # An info family insists on a mapping of its own beside the labels; ours holds none.
            family.add_metric(values, {})
    return family


def _ordinals(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_checkpoint_ordinal",
        "The how-many-th of its model's checkpoints this is, by arrival.",
        labels=("model", "checkpoint"),
    )
    for each in published:
        family.add_metric(each.identity, each.published.ordinal)
    return family


def _pass_ratios(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_pass_ratio",
        "Mean pass probability over the tasks of the stratum.",
        labels=(*_RESULT_LABELS, "stratum"),
    )
    for each in published:
        judged = {finding.evidence.stratum: finding.evidence.pass_ratio for finding in each.findings}
        ratios = judged or _bank_ratios(each.published)
        for stratum, ratio in ratios.items():
            if ratio is not None:
                family.add_metric((*each.result, stratum.value), ratio)
    return family


def _bank_ratios(published: PublishedCheckpoint) -> dict[Stratum, float | None]:
    """A bank's own pass ratios: every task has the same number of samples, so the share is the mean."""
    evaluation = published.evaluation
    if evaluation is None or evaluation.key.purpose is not Purpose.BANK:
        return {}
    scored = dict.fromkeys(RAREST_FIRST, 0)
    for (stratum, outcome), count in published.tallies.items():
        scored[stratum] += count if outcome is not Outcome.UNSCORED else 0
    return {
        stratum: published.tallies.get((stratum, Outcome.PASSED), 0) / total
        for stratum, total in scored.items()
        if total
    }


def _evidence(figure: _Figure, published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(figure.name, figure.meaning, labels=(*_RESULT_LABELS, "stratum"))
    for each in published:
        for finding in each.findings:
            value = figure.read(finding.evidence)
            if value is not None:
                family.add_metric((*each.result, finding.evidence.stratum.value), value)
    return family


def _baseline_floors(published: tuple[_Labelled, ...], bank: Sequence[StratumHealth]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_baseline_floor",
        "1 where the baseline passes too little of a critical stratum for its loss to be seen, else 0.",
        labels=(*_RESULT_LABELS, "stratum"),
    )
    for each in published:
        if Role.BASELINE in each.published.roles:
            for health in bank:
                family.add_metric((*each.result, health.stratum.value), float(health.floor))
    return family


def _samples(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_samples",
        "Samples of the last decided evaluation by outcome; unscored is a fact about us.",
        labels=(*_RESULT_LABELS, "stratum", "outcome"),
    )
    for each in published:
        tallies = each.published.tallies
        for stratum in RAREST_FIRST:
            if any(present is stratum for present, _ in tallies):
                for outcome in Outcome:
                    values = (*each.result, stratum.value, outcome.value)
                    family.add_metric(values, tallies.get((stratum, outcome), 0))
    return family


def _findings(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_finding",
        "1 for what the evidence about the stratum amounts to, 0 for what it does not.",
        labels=(*_RESULT_LABELS, "stratum", "finding"),
    )
    for each in published:
        for finding in each.findings:
            labels = (*each.result, finding.evidence.stratum.value)
            _add_state_set(family, labels, FindingKind, finding.kind)
    return family


def _confirmations(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_finding_confirmation",
        "1 for whether a regression was repeated on fresh samples, 0 for the other answers.",
        labels=(*_RESULT_LABELS, "stratum", "confirmation"),
    )
    for each in published:
        for finding in each.findings:
            labels = (*each.result, finding.evidence.stratum.value)
            _add_state_set(family, labels, Confirmation, finding.confirmation)
    return family


def _decisions(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_decision",
        "1 for what the gate answers about the checkpoint now, 0 for what it does not.",
        labels=("model", "checkpoint", "decision"),
    )
    for each in published:
        _add_state_set(family, each.identity, DecisionKind, each.published.decision.kind)
    return family


def _add_state_set(
    family: GaugeMetricFamily, labels: tuple[str, ...], states: type[StrEnum], current: StrEnum
) -> None:
    for state in states:
        family.add_metric((*labels, state.value), float(state is current))


def _reasons(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_decision_reason",
        "1 for each reason of the gate's answer; reasons that do not apply have no series.",
        labels=("model", "checkpoint", "stratum", "reason"),
    )
    for each in published:
        reasons = {(reason.stratum or "", reason.code.value) for reason in each.published.decision.reasons}
        for stratum, code in sorted(reasons):
            family.add_metric((*each.identity, str(stratum), code), 1.0)
    return family


def _slow_decline(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_slow_decline_evidence",
        "Base-10 logarithm of the evidence that the tail declines from checkpoint to checkpoint.",
        labels=("model", "checkpoint"),
    )
    for each in published:
        evaluation = each.published.evaluation
        decision = None if evaluation is None else evaluation.decision
        if decision is not None and decision.slow_decline is not None:
            family.add_metric(each.identity, decision.slow_decline)
    return family


def _flips(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_flips",
        "Tasks whose pass probability moved, by the evidence of each, against the baseline's.",
        labels=(*_RESULT_LABELS, "direction"),
    )
    for each in published:
        evaluation = each.published.evaluation
        if evaluation is not None and evaluation.flips is not None:
            family.add_metric((*each.result, "lost"), evaluation.flips.lost)
            family.add_metric((*each.result, "gained"), evaluation.flips.gained)
    return family


def _excluded_tasks(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_excluded_tasks",
        "Tasks left out because their reference solution failed in this environment.",
        labels=_RESULT_LABELS,
    )
    for each in published:
        if each.published.evaluation is not None:
            family.add_metric(each.result, len(each.published.evaluation.excluded_tasks))
    return family


def _sealed_gaps(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_sealed_gap_ratio",
        "Change of the pass ratio on sealed tasks minus that on open ones, when sealed tasks took part.",
        labels=_RESULT_LABELS,
    )
    for each in published:
        evaluation = each.published.evaluation
        if evaluation is not None and evaluation.sealed_gap is not None:
            family.add_metric(each.result, evaluation.sealed_gap)
    return family


def _last_success(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_last_success_timestamp_seconds",
        "When the checkpoint was last decided on, seconds since 1970.",
        labels=_RESULT_LABELS,
    )
    for each in published:
        evaluation = each.published.evaluation
        if evaluation is not None and evaluation.finished_at is not None:
            family.add_metric(each.result, evaluation.finished_at.timestamp())
    return family


def _newest_states(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_evaluation_state",
        "1 for how far the checkpoint's newest evaluation has come, 0 for the other states.",
        labels=("model", "checkpoint", "state"),
    )
    for each in published:
        if each.published.newest_state is not None:
            _add_state_set(family, each.identity, State, each.published.newest_state)
    return family


def _stage_durations(published: tuple[_Labelled, ...]) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_stage_duration_seconds",
        "Wall time of the last decided evaluation by stage.",
        labels=(*_RESULT_LABELS, "stage"),
    )
    for each in published:
        if each.published.evaluation is not None:
            for stage, seconds in each.published.evaluation.stage_s.items():
                family.add_metric((*each.result, stage.value), seconds)
    return family


def _queue(snapshot: Snapshot, model: str) -> Metric:
    family = GaugeMetricFamily(
        "tailwatch_queue_checkpoints", "Evaluations by state.", labels=("model", "state")
    )
    for state in State:
        family.add_metric((model, state.value), snapshot.queue.get(state.value, 0))
    return family


def _counters(snapshot: Snapshot, model: str) -> Iterator[Metric]:
    # Known events start at 0, so that increase() sees the first one.
    yield _counter(snapshot, model, Count.GENERATED_TOKENS, "Tokens that the engine generated.")
    yield _counter(snapshot, model, Count.PROGRAMS_EXECUTED, "Programs that the sandbox ran.")
    yield _event_counter(
        snapshot, model, Count.SANDBOX_EVENTS, SandboxEvent, "Things that happened to the sandbox."
    )
    yield _event_counter(
        snapshot, model, Count.ENGINE_EVENTS, EngineEvent, "Things that happened to the engine."
    )
    yield _event_counter(
        snapshot, model, Count.DRIFT_EVENTS, DriftEvent, "Things that happened when outputs were compared."
    )


def _counter(snapshot: Snapshot, model: str, count: Count, meaning: str) -> Metric:
    family = CounterMetricFamily(f"tailwatch_{count.value}", meaning, labels=("model",))
    family.add_metric((model,), snapshot.counters.get((count.value, ""), 0))
    return family


def _event_counter(
    snapshot: Snapshot, model: str, count: Count, events: type[StrEnum], meaning: str
) -> Metric:
    family = CounterMetricFamily(f"tailwatch_{count.value}", meaning, labels=("model", "event"))
    counted = {label for name, label in snapshot.counters if name == count.value}
    for event in sorted(counted | {event.value for event in events}):
        family.add_metric((model, event), snapshot.counters.get((count.value, event), 0))
    return family
