"""Nasty nouns to keep in a store, by Hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from monitor.domain.checkpoint import Checkpoint, Lineage, Review
from monitor.domain.drift import DriftReading, Indicator, Measurement, Reading, Trend, Unmeasured
from monitor.domain.evaluation import BankView, Evaluation, EvaluationKey, Flips, Purpose, Stage, State
from monitor.domain.evidence import (
    Boundary,
    Confirmation,
    Decision,
    DecisionKind,
    DriftSignal,
    Evidence,
    Finding,
    FindingKind,
    Reason,
    ReasonCode,
)
from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Sample, Trust
from monitor.domain.tasks import Stratum

# Free text may hold anything that a model can write, half surrogate pairs and NUL included.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=30)
# Names and messages are ours or the user's: any Unicode, but nothing that UTF-8 cannot say.
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
RATIOS = st.floats(0, 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001 - Hypothesis adds the time zone
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
OPTIONAL_FLOATS = st.none() | FLOATS

LINEAGES = st.builds(
    Lineage,
    parent=st.none() | NAMES,
    training_data=st.lists(NAMES, max_size=3).map(tuple),
    synthetic_share=RATIOS,
    review=st.sampled_from(Review),
)
CHECKPOINTS = st.builds(
    Checkpoint,
    digest=NAMES,
    name=NAMES,
    location=NAMES,
    revision=NAMES | st.just(""),
    lineage=st.none() | LINEAGES,
)
EVIDENCE = st.builds(
    Evidence,
    stratum=st.sampled_from(Stratum),
    samples=st.integers(0, 10**6),
    unscored=st.integers(0, 10**6),
    tasks=st.integers(0, 10**4),
    baseline_ratio=OPTIONAL_FLOATS,
    pass_ratio=OPTIONAL_FLOATS,
    pass_low=OPTIONAL_FLOATS,
    pass_high=OPTIONAL_FLOATS,
    delta=OPTIONAL_FLOATS,
    delta_low=OPTIONAL_FLOATS,
    delta_high=OPTIONAL_FLOATS,
    margin=FLOATS,
    boundary=st.sampled_from(Boundary),
    decided_at=st.none() | st.integers(0, 10**6),
    max_samples=st.integers(0, 10**6),
    minimum_detectable_delta=OPTIONAL_FLOATS,
    coupling=FLOATS,
    correlation=OPTIONAL_FLOATS,
    stopped_early=st.booleans(),
    stated_margin=OPTIONAL_FLOATS,
    problem=NAMES | st.just(""),
)
FINDINGS = st.builds(
    Finding,
    kind=st.sampled_from(FindingKind),
    evidence=EVIDENCE,
    confirmation=st.sampled_from(Confirmation),
    confirming=st.none() | EVIDENCE,
    cause=st.none() | st.sampled_from(ReasonCode),
)
REASONS = st.builds(
    Reason,
    code=st.sampled_from(ReasonCode),
    text=NAMES,
    stratum=st.none() | st.sampled_from(Stratum),
    figures=st.none() | st.dictionaries(NAMES, FLOATS, max_size=3),
)
DECISIONS = st.builds(
    Decision,
    kind=st.sampled_from(DecisionKind),
    reasons=st.lists(REASONS, max_size=3).map(tuple),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    slow_decline=OPTIONAL_FLOATS,
)
KEYS = st.builds(
    EvaluationKey,
    model=NAMES,
    checkpoint=NAMES,
    suite=NAMES,
    plan=NAMES,
    purpose=st.sampled_from(Purpose),
    baseline=NAMES | st.just(""),
    occasion=NAMES | st.just(""),
)
BANK_VIEWS = st.builds(
    BankView,
    depth=st.integers(0, 1000),
    seed_stable=st.booleans(),
    excluded_tasks=st.lists(NAMES, max_size=3).map(tuple),
    environment=st.dictionaries(NAMES, NAMES, max_size=3),
    begun_at=st.none() | MOMENTS,
)
EVALUATIONS = st.builds(
    Evaluation,
    key=KEYS,
    checkpoint=CHECKPOINTS,
    state=st.sampled_from(State),
    created_at=MOMENTS,
    finished_at=st.none() | MOMENTS,
    decision=st.none() | DECISIONS,
    policy=NAMES | st.just(""),
    banks=st.dictionaries(NAMES, BANK_VIEWS, max_size=2),
    seed_stable=st.booleans(),
    stage_s=st.dictionaries(st.sampled_from(Stage), FLOATS),
    environment=st.dictionaries(NAMES, NAMES, max_size=3),
    excluded_tasks=st.lists(NAMES, max_size=3).map(tuple),
    in_process_tasks=st.lists(NAMES, max_size=3).map(tuple),
    resting_tasks=st.lists(NAMES, max_size=3).map(tuple),
    flips=st.none() | st.builds(Flips, lost=st.integers(0, 10**4), gained=st.integers(0, 10**4)),
    sealed_gap=OPTIONAL_FLOATS,
    broken=NAMES | st.just(""),
    errors=st.integers(0, 10),
    trouble=NAMES | st.just(""),
    retryable=st.booleans(),
)
EXECUTIONS = st.builds(
    Execution,
    outcome=st.sampled_from(Outcome),
    cpu_s=FLOATS,
    wall_s=FLOATS,
    peak_bytes=st.integers(0, 2**40),
    detail=TEXTS,
    trust=st.sampled_from(Trust),
)

STRATA_OR_NONE = st.none() | st.sampled_from(Stratum)
MEASUREMENTS = st.builds(
    Measurement,
    probe=NAMES,
    material=NAMES,
    readings=st.lists(
        st.builds(Reading, item=TEXTS, group=NAMES, cluster=TEXTS, value=FLOATS), max_size=3
    ).map(tuple),
    engine_s=FLOATS,
)
INDICATORS = st.builds(
    Indicator,
    name=NAMES,
    method=NAMES,
    value=FLOATS,
    baseline=FLOATS,
    p_value=RATIOS,
    alpha=RATIOS,
    noise_floor=FLOATS,
    clusters=st.integers(0, 10**4),
    stratum=STRATA_OR_NONE,
    least_p_value=FLOATS,
)
SIGNALS = st.builds(
    DriftSignal,
    signal=NAMES,
    method=NAMES,
    score=FLOATS,
    threshold=FLOATS,
    detected=st.booleans(),
    stratum=STRATA_OR_NONE,
)
DRIFT_READINGS = st.builds(
    DriftReading,
    signals=st.lists(SIGNALS, max_size=3).map(tuple),
    indicators=st.lists(INDICATORS, max_size=3).map(tuple),
    trends=st.lists(
        st.builds(
            Trend,
            name=NAMES,
            stratum=STRATA_OR_NONE,
            slope=FLOATS,
            p_value=FLOATS,
            alpha=FLOATS,
            points=st.integers(2, 60),
        ),
        max_size=2,
    ).map(tuple),
    engine_s=FLOATS,
    unmeasured=st.lists(st.builds(Unmeasured, name=NAMES, stratum=STRATA_OR_NONE, why=NAMES), max_size=2).map(
        tuple
    ),
    problems=st.lists(NAMES, max_size=2).map(tuple),
    broken=st.booleans(),
    report=NAMES | st.just(""),
    elapsed_s=FLOATS,
)


@st.composite
def _samples(draw: st.DrawFn) -> Sample:
    task_id, index = draw(st.sampled_from(["t1", "t2", "Älg", "t10"])), draw(st.integers(0, 6))
    completion = Completion(
        task_id=task_id,
        index=index,
        seed=draw(st.integers(0, 2**31 - 1)),
        text=draw(TEXTS),
        finish_reason=draw(st.sampled_from(FinishReason)),
        tokens=draw(st.integers(0, 10**6)),
        mean_logprob=draw(OPTIONAL_FLOATS),
        min_logprob=draw(OPTIONAL_FLOATS),
        detail=draw(TEXTS),
    )
    return Sample(
        task_id=task_id,
        stratum=draw(st.sampled_from(Stratum)),
        index=index,
        wave=draw(st.integers(0, 3)),
        completion=completion,
        program_digest=draw(TEXTS),
        execution=draw(EXECUTIONS),
    )


SAMPLES = _samples()
BATCHES = st.lists(SAMPLES, max_size=12)


def distinct(samples: list[Sample]) -> list[Sample]:
    """The first sample of every (task, index)."""
    first: dict[tuple[str, int], Sample] = {}
    for sample in samples:
        first.setdefault((sample.task_id, sample.index), sample)
    return list(first.values())
