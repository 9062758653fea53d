"""The nouns as plain JSON values, as the web answers and ``--json`` show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.drift import DriftReading
from monitor.domain.evaluation import BankView, Evaluation
from monitor.domain.evidence import Decision, DecisionKind, Evidence, Finding, Reason
from monitor.verdicts.bank_health import StratumHealth

Document = dict[str, Any]
"""A JSON object."""

GATE_VERDICTS = {
    DecisionKind.PROMOTE: "pass",
    DecisionKind.REJECT: "fail",
    DecisionKind.HOLD: "inconclusive",
}
"""What a rollout controller calls a decision."""


def gate_document(decision: Decision) -> Document:
    """What a gate answers: the verdict in a controller's words, and why."""
    return {"verdict": GATE_VERDICTS[decision.kind], "ok": decision.kind is DecisionKind.PROMOTE} | (
        decision_document(decision)
    )


def decision_document(decision: Decision) -> Document:
    """A decision with its reasons and, per stratum, what it rests on."""
    return {
        "decision": decision.kind.value,
        "reasons": [reason_document(reason) for reason in decision.reasons],
        "strata": {
            finding.evidence.stratum.value: finding_document(finding) for finding in decision.findings
        },
    }


def reason_document(reason: Reason) -> Document:
    """One reason: code, text, and stratum and figures where it has them."""
    return {
        "code": reason.code.value,
        "text": reason.text,
        "stratum": None if reason.stratum is None else reason.stratum.value,
        "figures": dict(reason.figures or {}),
    }


def finding_document(finding: Finding) -> Document:
    """A stratum's finding with its evidence."""
    confirming = None if finding.confirming is None else evidence_document(finding.confirming)
    return {
        "finding": finding.kind.value,
        "confirmation": finding.confirmation.value,
        **evidence_document(finding.evidence),
        "confirming": confirming,
    }


def evidence_document(evidence: Evidence) -> Document:
    """The figures about one stratum; null where a figure does not exist."""
    return {
        "baseline": evidence.baseline_ratio,
        "pass_ratio": evidence.pass_ratio,
        "low": evidence.pass_low,
        "high": evidence.pass_high,
        "delta": evidence.delta,
        "delta_low": evidence.delta_low,
        "delta_high": evidence.delta_high,
        "margin": evidence.margin,
        "stated_margin": evidence.margin if evidence.stated_margin is None else evidence.stated_margin,
        "minimum_detectable_delta": evidence.minimum_detectable_delta,
        "samples": evidence.samples,
        "unscored": evidence.unscored,
        "tasks": evidence.tasks,
        "max_samples": evidence.max_samples,
        "boundary": evidence.boundary.value,
        "decided_at": evidence.decided_at,
        "stopped_early": evidence.stopped_early,
        "coupling": evidence.coupling,
        "correlation": evidence.correlation,
        "problem": evidence.problem,
    }


def bank_document(health: Sequence[StratumHealth]) -> list[Document]:
    """What a baseline's bank is worth, a stratum at a time; null where a figure does not exist."""
    return [_stratum_document(each) for each in health]


def _stratum_document(health: StratumHealth) -> Document:
    plan = health.plan
    return {
        "stratum": health.stratum.value,
        "critical": health.critical,
        "tasks": None if plan is None else plan.tasks,
        "samples": health.samples,
        "unscored": health.unscored,
        "pass_ratio": health.pass_ratio,
        "invalid_ratio": health.invalid_ratio,
        "margin": None if plan is None else plan.margin,
        "stated_margin": None if plan is None else plan.stated_margin,
        "standing": health.standing.value,
        "required_depth": None if plan is None else plan.required_depth,
        "required_tasks": None if plan is None else plan.required_tasks,
        "problem": health.problem,
    }


def drift_document(reading: DriftReading) -> Document:
    """What outputs look like beside the bank's."""
    return {
        "indicators": [
            asdict(each) | {"difference": each.difference, "warns": each.warns} for each in reading.indicators
        ],
        "trends": trends_document(reading),
        "columns": [asdict(each) for each in reading.signals],
        "problems": list(reading.remarks),
        "report": reading.report,
        "elapsed_s": reading.elapsed_s,
        "engine_s": reading.engine_s,
    }


def trends_document(reading: DriftReading) -> list[Document]:
    """Where the signs of collapse are heading over checkpoints."""
    return [asdict(each) | {"warns": each.warns} for each in reading.trends]


def checkpoint_document(checkpoint: Checkpoint) -> Document:
    """A checkpoint with its lineage."""
    lineage = checkpoint.lineage
    return {
        "digest": checkpoint.digest,
        "name": checkpoint.name,
        "revision": checkpoint.revision,
        "lineage": None
        if lineage is None
        else {
            "parent": lineage.parent,
            "training_data": list(lineage.training_data),
            "synthetic_share": lineage.synthetic_share,
            "review": lineage.review.value,
        },
    }


def _view(view: BankView) -> Document:
    return asdict(view) | {"begun_at": None if view.begun_at is None else view.begun_at.isoformat()}


def evaluation_document(evaluation: Evaluation) -> Document:
    """An evaluation with its decision, where its time went and what was left out."""
    finished_at = evaluation.finished_at
    return {
        "evaluation_id": evaluation.key.evaluation_id,
        "model": evaluation.key.model,
        "checkpoint": checkpoint_document(evaluation.checkpoint),
        "suite": evaluation.key.suite,
        "plan": evaluation.key.plan,
        "purpose": evaluation.key.purpose.value,
        "baseline": evaluation.key.baseline,
        "occasion": evaluation.key.occasion,
        "state": evaluation.state.value,
        "created_at": evaluation.created_at.isoformat(),
        "finished_at": None if finished_at is None else finished_at.isoformat(),
        "decision": None if evaluation.decision is None else decision_document(evaluation.decision),
        "policy": evaluation.policy,
        "banks": {digest: _view(view) for digest, view in evaluation.banks.items()},
        "seed_stable": evaluation.seed_stable,
        "stage_s": {stage.value: seconds for stage, seconds in evaluation.stage_s.items()},
        "environment": dict(evaluation.environment),
        "excluded_tasks": list(evaluation.excluded_tasks),
        "in_process_tasks": list(evaluation.in_process_tasks),
        "resting_tasks": list(evaluation.resting_tasks),
        "flips": None if evaluation.flips is None else asdict(evaluation.flips),
        "sealed_gap": evaluation.sealed_gap,
        "trouble": evaluation.trouble,
    }
