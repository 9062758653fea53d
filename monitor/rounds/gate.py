"""The gate: may this checkpoint be promoted? Answered from the store, and closed whenever in doubt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Evaluation, State
from monitor.domain.evidence import Decision, DecisionKind, Reason, ReasonCode
from monitor.rounds.watching import Watch, bank_key, baseline_of, find
from monitor.rounds.weighing import BankMissing, conclude, outgrown
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import Rules, rules_for

NEWEST_EVALUATIONS = 50
"""How far back the last decided one is looked for at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """One policy, and what was weighed by it."""

    policy: Policy
    digest: str
    rules: Rules
    reweighed: dict[tuple[str, datetime], Decision] = field(default_factory=dict)
    """Decisions by evaluation and the moment it was decided."""

    @classmethod
    def of(cls, policy: Policy, watch: Watch) -> _Bar:
        """Nothing was weighed by it yet."""
        return cls(policy=policy, digest=policy.digest, rules=rules_for(policy, greedy=watch.plan.greedy))


class Gate:
    """Answers for checkpoints under one policy.

    An evaluation that another policy decided is weighed again from its stored samples, once: the answer
    is kept as long as the policy is.
    """

    def __init__(self, watch: Watch, policy: Policy) -> None:
        self._watch = watch
        self._bar = _Bar.of(policy, watch)

    def judge_by(self, policy: Policy) -> None:
        """Answer by another policy from now on; answers that are being given keep to the one before."""
        # Its digest says what decides, and leaves out how long a decision stands.
        if policy != self._bar.policy:
            self._bar = _Bar.of(policy, self._watch)

    def decision_for(self, reference: str, *, now: datetime) -> Decision:
        """The answer for a checkpoint named by digest, beginning of a digest, or name.

        HOLD whenever there is no complete, recent evaluation against the present baseline, or the policy
        asks for more samples than are stored.

        Raises:
            StoreTrouble: the store cannot be asked.
        """
        try:
            checkpoint = find(self._watch, reference)
        except InvalidInput as error:
            return _hold(ReasonCode.CHECKPOINT_UNKNOWN, str(error))
        if checkpoint is None:
            return _hold(
                ReasonCode.CHECKPOINT_UNKNOWN,
                f"No checkpoint {reference!r} is known for model {self._watch.model}. "
                "Name one that `tailwatch status` lists, or evaluate it with `tailwatch evaluate PATH`.",
            )
        baseline = baseline_of(self._watch)
        if baseline is None:
            return _hold(
                ReasonCode.BASELINE_MISSING,
                "There is no baseline to weigh it against. "
                "Build one with `tailwatch baseline build CHECKPOINT`.",
            )
        latest = latest_evaluation(self._watch, checkpoint.digest, baseline.digest)
        answer = self._answer(self._bar, latest, checkpoint.name, now)
        return self._itself(checkpoint, answer) if baseline.digest == checkpoint.digest else answer

    def _itself(self, checkpoint: Checkpoint, recheck: Decision) -> Decision:
        """PROMOTE, unless its last recheck tells something else, or it cannot be asked at all.

        A recheck counts that was weighed and is not too old.
        """
        if recheck.findings:
            return _rechecked(checkpoint, recheck)
        bank = self._watch.store.evaluation(bank_key(self._watch, checkpoint.digest).evaluation_id)
        if bank is not None and bank.state is State.FAILED and not bank.retryable:
            return _hold(
                ReasonCode.EVALUATION_FAILED,
                f"{checkpoint.name} is the baseline, and its bank could not be drawn: {bank.trouble}",
            )
        text = f"{checkpoint.name} is the baseline: by definition no worse than itself."
        reason = Reason(code=ReasonCode.BASELINE_ITSELF, text=text)
        return Decision(kind=DecisionKind.PROMOTE, reasons=(reason,))

    def _answer(self, bar: _Bar, latest: Evaluation | None, name: str, now: datetime) -> Decision:
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
        if age_s > bar.policy.max_age_s:
            return _hold(
                ReasonCode.EVALUATION_STALE,
                f"The evaluation of {name} is {age_s / 86400:.1f} days old; the policy allows "
                f"{bar.policy.max_age_s / 86400:.1f}. Repeat it with `tailwatch evaluate PATH`.",
            )
        return self._weighed(bar, latest, name, latest.finished_at)

    def _weighed(self, bar: _Bar, latest: Evaluation, name: str, finished_at: datetime) -> Decision:
        if outgrown(self._watch.store, latest):
            return _hold(
                ReasonCode.EVALUATION_STALE,
                f"The bank that {name} was weighed against has grown or was drawn again since. "
                "Repeat the evaluation with `tailwatch evaluate PATH`.",
            )
        if latest.policy == bar.digest and latest.decision is not None:
            return latest.decision
        key = latest.key.evaluation_id, finished_at
        if key not in bar.reweighed:
            try:
                bar.reweighed[key] = conclude(self._watch.store, latest, bar.rules, suite=self._watch.suite)
            except BankMissing as error:
                return _hold(ReasonCode.BASELINE_MISSING, str(error))
        return bar.reweighed[key]


def latest_evaluation(watch: Watch, checkpoint: str, baseline: str) -> Evaluation | None:
    """The evaluation of a checkpoint that counts: the last decided one, else the last one begun.

    Only evaluations against the given baseline, with the present suite and sampling plan, count.
    """
    fitting: list[Evaluation] = []
    # The promoted checkpoint is rechecked every day: years of that are read where the newest do not tell.
    for limit in (NEWEST_EVALUATIONS, None):
        fitting = _fitting(watch, checkpoint, baseline, limit)
        decided = [evaluation for evaluation in fitting if evaluation.state is State.DECIDED]
        if decided:
            return decided[-1]
    return fitting[-1] if fitting else None


def _fitting(watch: Watch, checkpoint: str, baseline: str, limit: int | None) -> list[Evaluation]:
    return [
        evaluation
        for evaluation in watch.store.evaluations(watch.model, checkpoint=checkpoint, limit=limit)
        if evaluation.key.purpose.judges
        and (evaluation.key.baseline, evaluation.key.suite, evaluation.key.plan)
        == (baseline, watch.suite.digest, watch.plan.digest)
    ]


def _rechecked(checkpoint: Checkpoint, recheck: Decision) -> Decision:
    text = f"{checkpoint.name} is the baseline, and was weighed against its own bank as it is served now."
    reason = Reason(code=ReasonCode.BASELINE_ITSELF, text=text)
    if recheck.kind is DecisionKind.PROMOTE:
        return replace(recheck, reasons=(reason, *recheck.reasons))
    return replace(recheck, reasons=(*recheck.reasons, reason))


def _hold(code: ReasonCode, text: str) -> Decision:
    return Decision(kind=DecisionKind.HOLD, reasons=(Reason(code=code, text=text),))
