"""A store that has grown for years, made in minutes: rows that samples would have left, without sampling."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.domain.checkpoint import Checkpoint, Lineage, Review, Role
from monitor.domain.drift import DriftReading, Indicator, IndicatorName
from monitor.domain.evaluation import Evaluation, EvaluationKey, Purpose, Stage, State
from monitor.domain.evidence import (
    Boundary,
    Decision,
    DecisionKind,
    DriftSignal,
    Evidence,
    Finding,
    FindingKind,
    Reason,
    ReasonCode,
)
from monitor.domain.identity import content_digest
from monitor.domain.samples import SamplingPlan
from monitor.domain.tasks import RAREST_FIRST, Stratum, Suite
from monitor.store import open_store
from monitor.verdicts.policy import Policy

MODEL = "acme-coder"
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
SUITE = Suite(
    name="core",
    version="1",
    licence="Apache-2.0",
    description="",
    seed=1,
    rarity_method="",
    tasks=(),
    digest=content_digest("grown suite"),
)
"""Only its digest is asked for."""
COLUMNS = 14
"""Descriptors of outputs that are compared in each stratum; the lab's evaluations have 40 in three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much has been stored; every evaluation holds one sample of every task."""

    checkpoints: int
    tasks: int


def grow(database: Path, scale: Scale) -> None:
    """Write the store: nouns through its port, ten million samples as rows."""
    store = open_store(f"sqlite:///{database}")
    for number in range(scale.checkpoints):
        checkpoint = _checkpoint(number)
        arrived = BEGIN + timedelta(hours=number)
        store.remember(MODEL, checkpoint, now=arrived)
        evaluation = _evaluation(checkpoint, number, arrived)
        store.save(evaluation)
        if number:
            store.keep_drift(evaluation.key.evaluation_id, compared())
    for role in Role:
        store.assign(MODEL, role, _checkpoint(0).digest, now=BEGIN)
    store.close()
    with sqlite3.connect(database) as connection:
        _add_samples(connection, scale)
    connection.close()


def compared() -> DriftReading:
    """What the comparison of an evaluation's outputs with the bank's leaves."""
    return DriftReading(
        indicators=tuple(
            Indicator(
                name=name,
                method="sign flips of whole tasks",
                value=0.41,
                baseline=0.4,
                p_value=0.3,
                alpha=0.001,
                noise_floor=0.05,
                clusters=3333,
                stratum=stratum,
            )
            for name in IndicatorName
            for stratum in RAREST_FIRST
        ),
        signals=tuple(
            DriftSignal(
                signal=f"column_{number}",
                method="ks",
                score=0.2,
                threshold=0.001,
                detected=False,
                stratum=stratum,
            )
            for number in range(COLUMNS)
            for stratum in RAREST_FIRST
        ),
    )


def _checkpoint(number: int) -> Checkpoint:
    return Checkpoint(
        digest=content_digest("grown", str(number)),
        name=f"step-{number:05d}",
        location=f"/models/acme-coder/step-{number:05d}",
        revision=f"r{number}",
        lineage=Lineage(
            parent=f"step-{number - 1:05d}",
            training_data=("traffic",),
            synthetic_share=0.5,
            review=Review.NONE,
        ),
    )


def _evaluation(checkpoint: Checkpoint, number: int, arrived: datetime) -> Evaluation:
    purpose = Purpose.CANDIDATE if number else Purpose.BANK
    key = EvaluationKey(
        model=MODEL,
        checkpoint=checkpoint.digest,
        suite=SUITE.digest,
        plan=SamplingPlan().digest,
        purpose=purpose,
        baseline=_checkpoint(0).digest if number else "",
    )
    return Evaluation(
        key=key,
        checkpoint=checkpoint,
        state=State.DECIDED,
        created_at=arrived,
        finished_at=arrived + timedelta(minutes=5),
        decision=_decision(lost=number % 7 == 0) if number else None,
        policy=Policy().digest if number else "",
        stage_s={Stage.ENGINE: 0.1, Stage.GENERATION: 240.0, Stage.SANDBOX: 40.0, Stage.REST: 20.0},
        environment={"engine": "vllm-managed"},
    )


def _decision(*, lost: bool) -> Decision:
    findings = tuple(_finding(stratum, lost=lost and stratum is Stratum.TAIL) for stratum in RAREST_FIRST)
    code = ReasonCode.STRATUM_REGRESSED if lost else ReasonCode.NON_INFERIOR
    reason = Reason(code=code, text="As measured.", stratum=Stratum.TAIL, figures={"delta": -0.2 * lost})
    kind = DecisionKind.REJECT if lost else DecisionKind.PROMOTE
    return Decision(kind=kind, reasons=(reason,), findings=findings)


def _finding(stratum: Stratum, *, lost: bool) -> Finding:
    delta = -0.2 if lost else 0.0
    evidence = Evidence(
        stratum=stratum,
        samples=3000,
        unscored=3,
        tasks=3333,
        baseline_ratio=0.6,
        pass_ratio=0.6 + delta,
        pass_low=0.55 + delta,
        pass_high=0.65 + delta,
        delta=delta,
        delta_low=delta - 0.05,
        delta_high=delta + 0.05,
        margin=0.1,
        boundary=Boundary.UPPER if lost else Boundary.LOWER,
        decided_at=3000,
        max_samples=3333,
        minimum_detectable_delta=0.08,
        coupling=0.4,
        correlation=0.5,
    )
    return Finding(kind=FindingKind.REGRESSED if lost else FindingKind.STEADY, evidence=evidence)


def _add_samples(connection: sqlite3.Connection, scale: Scale) -> None:
    """One sample per task and evaluation, and the aggregates that would have been kept with them."""
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO tasks (ref, task_id) SELECT i, printf('task-%05d', i) FROM n",
        (scale.tasks,),
    )
    connection.execute(
        "INSERT INTO text_blocks (ref, evaluation_ref, body) SELECT ref, ref, x'00' FROM evaluations"
    )
    connection.execute(
        "INSERT INTO samples SELECT e.ref, t.ref, 0, t.ref / 512, "
        "CASE t.ref % 3 WHEN 0 THEN 'tail' WHEN 1 THEN 'torso' ELSE 'head' END, "
        "CASE WHEN (t.ref * 7 + e.ref) % 10 < 6 THEN 'passed' ELSE 'failed' END, "
        "t.ref, 'stop', 40, -0.5, -3.0, 0.01, 0.02, 1048576, 'split', e.ref, 0 "
        "FROM evaluations e CROSS JOIN tasks t ORDER BY e.ref, t.ref"
    )
    connection.execute(
        "INSERT INTO tallies SELECT evaluation_ref, stratum, outcome, count(*) FROM samples GROUP BY 1, 2, 3"
    )
    connection.execute(
        "INSERT INTO task_tallies "
        "SELECT evaluation_ref, task_ref, stratum, 1, 1, outcome = 'passed' FROM samples"
    )
