"""A store as a week of watching leaves it: a baseline, a good control, a candidate that lost its tail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.domain.checkpoint import Checkpoint, Lineage, Review, Role
from monitor.domain.drift import DriftReading, Indicator, IndicatorName
from monitor.domain.evaluation import Evaluation, EvaluationKey, Flips, Purpose, Stage, State
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
from monitor.domain.identity import content_digest
from monitor.domain.samples import Completion, Execution, FinishReason, Outcome, Sample
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.ports import Count, EngineEvent, SandboxEvent, Store

MODEL = "acme-coder"
SUITE = content_digest("core suite")
PLAN = content_digest("plan")
BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SUITE_NAMES = {SUITE: "core"}
MARGINS = {Stratum.TAIL: 0.10, Stratum.TORSO: 0.05, Stratum.HEAD: 0.03}
BASELINE_RATIOS = {Stratum.TAIL: 0.6, Stratum.TORSO: 0.8, Stratum.HEAD: 1.0}


def checkpoint(name: str, *, review: Review = Review.NONE) -> Checkpoint:
    lineage = Lineage(parent="gen0", training_data=("traffic",), synthetic_share=0.5, review=review)
    return Checkpoint(
        digest=content_digest("weights", name),
        name=name,
        location=f"/models/{name}",
        revision="r1",
        lineage=lineage,
    )


GEN0 = checkpoint("gen0")
CONTROL1 = checkpoint("control1", review=Review.HUMAN_GATE)
GEN3 = checkpoint("gen3")


def sample(task_id: str, stratum: Stratum, index: int, outcome: Outcome) -> Sample:
    return Sample(
        task_id=task_id,
        stratum=stratum,
        index=index,
        wave=index // 4,
        completion=Completion(
            task_id=task_id, index=index, seed=index, text="pass", finish_reason=FinishReason.STOP, tokens=9
        ),
        program_digest=content_digest(task_id, str(index), outcome.value),
        execution=Execution(outcome=outcome, cpu_s=0.01, wall_s=0.02, peak_bytes=1 << 20),
    )


def samples(ratios: dict[Stratum, float], *, tasks: int = 4, per_task: int = 10) -> list[Sample]:
    """``per_task`` samples of each task, the given share of them passed; one of the tail is unscored."""
    drawn = [
        sample(
            f"{stratum.value}-{task}",
            stratum,
            index,
            Outcome.PASSED if index < round(per_task * ratios[stratum]) else Outcome.FAILED,
        )
        for stratum in RAREST_FIRST
        for task in range(tasks)
        for index in range(per_task)
    ]
    return [*drawn, sample("tail-0", Stratum.TAIL, per_task, Outcome.UNSCORED)]


def evidence(stratum: Stratum, delta: float, **changes: object) -> Evidence:
    ratio = BASELINE_RATIOS[stratum]
    figures: dict[str, object] = {
        "stratum": stratum,
        "samples": 40,
        "unscored": 0,
        "tasks": 4,
        "baseline_ratio": ratio,
        "pass_ratio": ratio + delta,
        "pass_low": max(0.0, ratio + delta - 0.05),
        "pass_high": min(1.0, ratio + delta + 0.05),
        "delta": delta,
        "delta_low": delta - 0.04,
        "delta_high": delta + 0.04,
        "margin": MARGINS[stratum],
        "boundary": Boundary.UPPER if delta < 0 else Boundary.LOWER,
        "decided_at": 40,
        "max_samples": 262,
        "minimum_detectable_delta": 0.08,
        "coupling": 0.4,
        "correlation": 0.5,
    }
    return Evidence(**(figures | changes))  # type: ignore[arg-type]


def steady(stratum: Stratum) -> Finding:
    return Finding(kind=FindingKind.STEADY, evidence=evidence(stratum, 0.0))


def lost(stratum: Stratum) -> Finding:
    return Finding(
        kind=FindingKind.REGRESSED,
        evidence=evidence(stratum, -0.2),
        confirmation=Confirmation.CONFIRMED,
        confirming=evidence(stratum, -0.18),
    )


PROMOTE = Decision(
    kind=DecisionKind.PROMOTE,
    reasons=(Reason(code=ReasonCode.NON_INFERIOR, text="No stratum lost its margin."),),
    findings=tuple(steady(stratum) for stratum in RAREST_FIRST),
)
REJECT = Decision(
    kind=DecisionKind.REJECT,
    reasons=(
        Reason(
            code=ReasonCode.STRATUM_REGRESSED,
            text="The tail passes 20 points less often than the baseline's.",
            stratum=Stratum.TAIL,
            figures={"delta": -0.2},
        ),
    ),
    findings=(lost(Stratum.TAIL), steady(Stratum.TORSO), steady(Stratum.HEAD)),
)


def evaluation(
    subject: Checkpoint,
    *,
    begun: datetime,
    purpose: Purpose = Purpose.CANDIDATE,
    decision: Decision | None = None,
    state: State = State.DECIDED,
    occasion: str = "",
) -> Evaluation:
    return Evaluation(
        key=EvaluationKey(
            model=MODEL,
            checkpoint=subject.digest,
            suite=SUITE,
            plan=PLAN,
            purpose=purpose,
            baseline="" if purpose is Purpose.BANK else GEN0.digest,
            occasion=occasion,
        ),
        checkpoint=subject,
        state=state,
        created_at=begun,
        finished_at=begun + timedelta(seconds=15) if state is State.DECIDED else None,
        decision=decision,
        flips=None if purpose is Purpose.BANK else Flips(lost=3, gained=1),
        stage_s={Stage.ENGINE: 0.1, Stage.GENERATION: 11.5, Stage.SANDBOX: 1.2, Stage.REST: 0.4},
        environment={"engine": "vllm-managed"},
    )


def compared(*, moved: bool = False) -> DriftReading:
    """What outputs look like: every indicator and one column in every stratum, moved in the tail or not."""
    return DriftReading(
        indicators=tuple(
            Indicator(
                name=name,
                method="sign flips of whole tasks",
                value=0.6 if moved and stratum is Stratum.TAIL else 0.41,
                baseline=0.4,
                p_value=0.0001 if moved and stratum is Stratum.TAIL else 0.3,
                alpha=0.001,
                noise_floor=0.05,
                clusters=40,
                stratum=stratum,
            )
            for name in IndicatorName
            for stratum in RAREST_FIRST
        ),
        signals=tuple(
            DriftSignal(
                signal="tokens",
                method="ks",
                score=0.0002 if moved and stratum is Stratum.TAIL else 0.2,
                threshold=0.001,
                detected=moved and stratum is Stratum.TAIL,
                stratum=stratum,
            )
            for stratum in RAREST_FIRST
        ),
    )


def begin_well(store: Store, *, begin: datetime = BEGIN) -> None:
    """Bank of gen0, then control1, which is as good."""
    judge(store, GEN0, None, begun=begin, purpose=Purpose.BANK)
    for role in Role:
        store.assign(MODEL, role, GEN0.digest, now=begin)
    judge(store, CONTROL1, PROMOTE, begun=begin + timedelta(hours=1))


def fill(store: Store, *, begin: datetime = BEGIN) -> None:
    """Then gen3, which lost 20 points of the tail; and what it took."""
    begin_well(store, begin=begin)
    judge(store, GEN3, REJECT, begun=begin + timedelta(hours=2), tail_ratio=0.4)
    store.count(MODEL, Count.GENERATED_TOKENS, by=3267)
    store.count(MODEL, Count.PROGRAMS_EXECUTED, by=360)
    store.count(MODEL, Count.SANDBOX_EVENTS, SandboxEvent.UNSCORED, by=3)
    store.count(MODEL, Count.ENGINE_EVENTS, EngineEvent.SERVED, by=3)


def judge(
    store: Store,
    subject: Checkpoint,
    decision: Decision | None,
    *,
    begun: datetime,
    purpose: Purpose = Purpose.CANDIDATE,
    tail_ratio: float = 0.6,
) -> None:
    """Store a decided evaluation with its samples."""
    done = evaluation(subject, begun=begun, purpose=purpose, decision=decision)
    store.remember(MODEL, subject, now=begun)
    store.save(done)
    if purpose is not Purpose.BANK:
        store.keep_drift(done.key.evaluation_id, compared(moved=decision is not PROMOTE))
    store.record(done.key.evaluation_id, samples(BASELINE_RATIOS | {Stratum.TAIL: tail_ratio}))


def recorded_decision(store: Store, reference: str) -> Decision:
    """A gate that repeats the last recorded decision, and holds what it does not know."""
    for known in store.checkpoints(MODEL):
        if reference in {known.digest, known.name}:
            decisions = [
                each.decision
                for each in store.evaluations(MODEL, checkpoint=known.digest)
                if each.decision is not None
            ]
            if decisions:
                return decisions[-1]
    return Decision(
        kind=DecisionKind.HOLD,
        reasons=(Reason(code=ReasonCode.CHECKPOINT_UNKNOWN, text=f"{reference} is unknown."),),
    )
