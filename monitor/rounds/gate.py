"""The gate: may this checkpoint be promoted? Answered from the store, and closed whenever in doubt."""

from __future__ import annotations

from datetime import datetime

from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Evaluation, Purpose, State
from monitor.domain.evidence import Decision, DecisionKind, Reason, ReasonCode
from monitor.rounds.watching import Watch, baseline_of, find
from monitor.rounds.weighing import conclude
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import rules_for


def decision_for(watch: Watch, reference: str, policy: Policy, *, now: datetime) -> Decision:
    """The gate's answer for a checkpoint named by digest, beginning of a digest, or name.

    HOLD whenever there is no complete, recent evaluation against the present baseline.

    Raises:
        StoreTrouble: the store cannot be asked.
    """
    try:
        checkpoint = find(watch, reference)
    except InvalidInput as error:
        return _hold(ReasonCode.CHECKPOINT_UNKNOWN, str(error))
    if checkpoint is None:
        return _hold(
            ReasonCode.CHECKPOINT_UNKNOWN,
            f"No checkpoint {reference!r} is known for model {watch.model}. "
            "Name one that `tailwatch status` lists, or evaluate it with `tailwatch evaluate PATH`.",
        )
    baseline = baseline_of(watch)
    if baseline is None:
        return _hold(
            ReasonCode.BASELINE_MISSING,
            "There is no baseline to weigh it against. Build one with `tailwatch baseline build CHECKPOINT`.",
        )
    if baseline.digest == checkpoint.digest:
        return Decision(
            kind=DecisionKind.PROMOTE,
            reasons=(
                Reason(
                    code=ReasonCode.BASELINE_ITSELF,
                    text=f"{checkpoint.name} is the baseline: by definition no worse than itself.",
                ),
            ),
        )
    latest = latest_evaluation(watch, checkpoint.digest, baseline.digest)
    return _answer(latest, checkpoint.name, policy, now)


def reweighed(watch: Watch, reference: str, policy: Policy, *, now: datetime) -> Decision:
    """The gate's answer under another policy than the one the evaluation was made with.

    Weighs the samples that are stored; where the policy asks for more of them, the answer is HOLD.

    Raises:
        StoreTrouble: the store cannot be asked.
    """
    decision = decision_for(watch, reference, policy, now=now)
    checkpoint, baseline = find(watch, reference), baseline_of(watch)
    if not decision.findings or checkpoint is None or baseline is None:
        return decision
    latest = latest_evaluation(watch, checkpoint.digest, baseline.digest)
    assert latest is not None
    return conclude(watch.store, latest, rules_for(policy, greedy=watch.plan.greedy))


def latest_evaluation(watch: Watch, checkpoint: str, baseline: str) -> Evaluation | None:
    """The evaluation of a checkpoint that counts: the last decided one, else the last one begun.

    Only evaluations against the given baseline, with the present suite and sampling plan, count.
    """
    fitting = [
        evaluation
        for evaluation in watch.store.evaluations(watch.model, checkpoint=checkpoint)
        if evaluation.key.purpose is not Purpose.BANK
        and (evaluation.key.baseline, evaluation.key.suite, evaluation.key.plan)
        == (baseline, watch.suite.digest, watch.plan.digest)
    ]
    decided = [evaluation for evaluation in fitting if evaluation.state is State.DECIDED]
    counting = decided or fitting
    return counting[-1] if counting else None


def _answer(latest: Evaluation | None, name: str, policy: Policy, now: datetime) -> Decision:
    if latest is None:
        return _hold(
            ReasonCode.EVALUATION_MISSING,
            f"{name} has not been evaluated against the present baseline. "
            "Run `tailwatch evaluate PATH`; `tailwatch serve` does so for what was never judged.",
        )
    if latest.state is State.FAILED:
        return _hold(
            ReasonCode.EVALUATION_FAILED,
            f"The evaluation of {name} could not be done: {latest.trouble}",
        )
    if latest.state is not State.DECIDED or latest.decision is None or latest.finished_at is None:
        trouble = f" Last trouble: {latest.trouble}" if latest.trouble else ""
        return _hold(
            ReasonCode.EVALUATION_RUNNING, f"The evaluation of {name} is {latest.state.value}.{trouble}"
        )
    age_s = (now - latest.finished_at).total_seconds()
    if age_s > policy.max_age_s:
        return _hold(
            ReasonCode.EVALUATION_STALE,
            f"The evaluation of {name} is {age_s / 86400:.1f} days old; the policy allows "
            f"{policy.max_age_s / 86400:.1f}. Repeat it with `tailwatch evaluate PATH`.",
        )
    return latest.decision


def _hold(code: ReasonCode, text: str) -> Decision:
    return Decision(kind=DecisionKind.HOLD, reasons=(Reason(code=code, text=text),))
