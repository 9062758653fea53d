"""Small nouns to keep in a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.evaluation import Evaluation, EvaluationKey, Purpose, State
from monitor.domain.identity import content_digest
from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Sample
from monitor.domain.tasks import Stratum

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_checkpoint(name: str = "gen0") -> Checkpoint:
    return Checkpoint(digest=content_digest(name), name=name, location=f"/models/{name}")


def an_evaluation(
    name: str = "gen0", *, model: str = "acme", age_s: float = 0, state: State = State.QUEUED
) -> Evaluation:
    checkpoint = a_checkpoint(name)
    key = EvaluationKey(
        model=model, checkpoint=checkpoint.digest, suite="suite", plan="plan", purpose=Purpose.CANDIDATE
    )
    return Evaluation(key=key, checkpoint=checkpoint, state=state, created_at=later(-age_s))


def a_sample(
    task_id: str = "t1",
    index: int = 0,
    *,
    outcome: Outcome = Outcome.PASSED,
    stratum: Stratum = Stratum.TAIL,
    wave: int = 0,
) -> Sample:
    completion = Completion(
        task_id=task_id,
        index=index,
        seed=1000 + index,
        text=f"    return {index}\n",
        finish_reason=FinishReason.STOP,
        tokens=5,
    )
    return Sample(
        task_id=task_id,
        stratum=stratum,
        index=index,
        wave=wave,
        completion=completion,
        program_digest=f"{index:064x}",
        execution=Execution(outcome=outcome, cpu_s=0.1, wall_s=0.2, peak_bytes=2**20),
    )


def a_bank(*, state: State = State.DECIDED) -> Evaluation:
    """The evaluation that draws the bank of what :func:`an_evaluation` is weighed against."""
    baseline = a_checkpoint("base")
    return Evaluation(
        key=replace(an_evaluation().key, checkpoint=baseline.digest, purpose=Purpose.BANK),
        checkpoint=baseline,
        state=state,
        created_at=NOON,
        seed_stable=True,
        environment={"engine": "fake"},
        excluded_tasks=("t9",),
    )
