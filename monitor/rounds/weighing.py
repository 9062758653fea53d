"""From what is stored about an evaluation to its decision; the same whenever it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from monitor.domain.checkpoint import ADDRESS, Role
from monitor.domain.drift import NOTHING
from monitor.domain.errors import Trouble
from monitor.domain.evaluation import BankView, Evaluation, EvaluationKey, Purpose, State
from monitor.domain.evidence import Bank, Decision, DecisionKind, Observation, ReasonCode
from monitor.domain.tasks import Stratum, Suite
from monitor.ports import Store
from monitor.stats.decline import Decline
from monitor.stats.flips import Flip
from monitor.verdicts.assessment import Assessment
from monitor.verdicts.changes import decline_over, flipped_tasks
from monitor.verdicts.decision import Circumstances, decide
from monitor.verdicts.pairing import leave_out
from monitor.verdicts.rules import Rules, judge

CANARY_TASKS = 16
"""Reference solutions that are run with each evaluation of a candidate."""


BANK_CAUSES = frozenset({ReasonCode.FLOOR, ReasonCode.BASELINE_UNDERPOWERED})
"""Why a stratum is undecided, or not weighed, that a bank of more samples or tasks may decide."""


class BankMissing(Trouble):
    """The baseline's bank has not been drawn yet; the evaluation waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """What an evaluation is weighed against."""

    record: Evaluation
    """The evaluation that drew the bank."""
    view: BankView
    """What of the bank counts."""
    bank: Bank
    """Without the tasks that either side leaves out."""


def counterpart(store: Store, evaluation: Evaluation, *, baseline: str = "") -> Counterpart:
    """The bank that an evaluation is weighed against, as it was when the evaluation began.

    Args:
        store: holds both.
        evaluation: the candidate's.
        baseline: digest of another checkpoint to weigh it against than its own baseline.

    Raises:
        BankMissing: it does not exist or is not complete.
    """
    digest = baseline or evaluation.key.baseline
    found = stored_bank(store, bank_key_for(evaluation, digest), evaluation.banks.get(digest))
    bank = replace(found.bank, seed_stable=found.bank.seed_stable and evaluation.seed_stable)
    return replace(found, bank=leave_out(bank, (*evaluation.excluded_tasks, *evaluation.resting_tasks)))


def bank_key_for(evaluation: Evaluation, baseline: str) -> EvaluationKey:
    """Key of the bank of a baseline that an evaluation can be weighed against."""
    return replace(evaluation.key, checkpoint=baseline, purpose=Purpose.BANK, baseline="", occasion="")


def stored_bank(store: Store, key: EvaluationKey, view: BankView | None = None) -> Counterpart:
    """The bank that an evaluation drew, without the tasks whose reference failed then.

    Args:
        store: holds it.
        key: the evaluation's that drew it.
        view: what of it counts; None for all there is now.

    Raises:
        BankMissing: it does not exist or is not complete.
    """
    record = store.evaluation(key.evaluation_id)
    if record is not None and record.state is State.FAILED:
        raise BankMissing(
            f"The bank of baseline {record.checkpoint.name} ({key.checkpoint[:12]}) could not be drawn: "
            f"{record.trouble}",
            next_step="Then use `tailwatch baseline build`, of this checkpoint or of another one.",
        )
    if record is None or record.state is not State.DECIDED:
        raise BankMissing(
            f"The bank of baseline {key.checkpoint[:12]} is not complete.",
            next_step="It is drawn first: see `tailwatch status`, or use `tailwatch baseline build`.",
        )
    seen = view or view_of(store, record)
    bank = Bank(
        checkpoint=key.checkpoint,
        observations=tuple(o for o in store.observations(key.evaluation_id) if o.index < seen.depth),
        seed_stable=seen.seed_stable,
    )
    bank = leave_out(bank, seen.excluded_tasks)
    if not bank.observations:
        raise BankMissing(
            f"The bank of baseline {key.checkpoint[:12]} holds no task: every reference solution fails here.",
            next_step="`tailwatch suite validate` says why; then build the bank again.",
        )
    return Counterpart(record=record, view=seen, bank=bank)


def view_of(store: Store, record: Evaluation) -> BankView:
    """All that a bank holds now."""
    drawn = store.task_tallies(record.key.evaluation_id)
    return BankView(
        depth=max((each.samples for each in drawn), default=0),
        seed_stable=record.seed_stable,
        excluded_tasks=record.excluded_tasks,
        environment=record.environment,
        begun_at=record.created_at,
    )


def views_for(store: Store, evaluation: Evaluation) -> dict[str, BankView]:
    """What an evaluation that begins now is weighed against, by digest: its baseline, and the anchor.

    Raises:
        BankMissing: the baseline's bank does not exist or is not complete.
    """
    baseline, anchor = evaluation.key.baseline, store.roles(evaluation.key.model).get(Role.ANCHOR)
    views = {baseline: stored_bank(store, bank_key_for(evaluation, baseline)).view}
    if anchor is not None and anchor != baseline:
        record = store.evaluation(bank_key_for(evaluation, anchor).evaluation_id)
        if record is not None and record.state is State.DECIDED:
            views[anchor] = view_of(store, record)
    return views


def drawn_anew(store: Store, evaluation: Evaluation) -> bool:
    """Whether the baseline's bank is another one than that which an evaluation began with.

    Raises:
        StoreTrouble: the bank could not be looked up.
    """
    record = store.evaluation(bank_key_for(evaluation, evaluation.key.baseline).evaluation_id)
    seen = evaluation.banks.get(evaluation.key.baseline)
    begun_at = seen.begun_at if seen is not None else None
    return record is not None and begun_at is not None and begun_at != record.created_at


def outgrown(store: Store, evaluation: Evaluation) -> bool:
    """Whether the bank that an evaluation rests on is another by now.

    It was drawn again; or it could not decide, which holds the evaluation, and holds more samples or tasks
    since.

    Raises:
        StoreTrouble: the bank could not be looked up.
    """
    decision, baseline = evaluation.decision, evaluation.key.baseline
    record = store.evaluation(bank_key_for(evaluation, baseline).evaluation_id)
    if decision is None or evaluation.finished_at is None or record is None:
        return False
    if record.created_at > evaluation.finished_at or drawn_anew(store, evaluation):
        return True
    held = decision.kind is DecisionKind.HOLD and any(each.code in BANK_CAUSES for each in decision.reasons)
    seen = evaluation.banks.get(baseline)
    if not held or seen is None or record.state is not State.DECIDED:
        return False
    now = view_of(store, record)
    return now.depth > seen.depth or not set(seen.excluded_tasks) <= set(now.excluded_tasks)


def canaries(evaluation: Evaluation, tasks: Sequence[str]) -> list[str]:
    """The tasks whose references are run with this evaluation, the same ones after a restart."""
    seed = int(evaluation.key.evaluation_id[:16], 16)
    count = min(CANARY_TASKS, len(tasks))
    return sorted(np.random.default_rng(seed).choice(tasks, size=count, replace=False).tolist())


def weigh(against: Counterpart, observations: Sequence[Observation], rules: Rules) -> Assessment:
    """What an evaluation's samples say, those of tasks that are left out not counted."""
    known = {observation.task_id for observation in against.bank.observations}
    return judge(against.bank, [o for o in observations if o.task_id in known], rules)


def conclude(store: Store, evaluation: Evaluation, rules: Rules, *, suite: Suite | None = None) -> Decision:
    """The decision that the stored samples of an evaluation support.

    Args:
        store: holds them.
        evaluation: its record.
        rules: how they are weighed.
        suite: whose strata must all be weighed; None for those that the bank holds.

    Raises:
        BankMissing: there is nothing to weigh them against.
    """
    against = counterpart(store, evaluation)
    tasks = len({o.task_id for o in against.bank.observations}) + len(evaluation.excluded_tasks)
    reading = store.drift(evaluation.key.evaluation_id) or NOTHING
    return decide(
        weigh(against, store.observations(evaluation.key.evaluation_id), rules),
        rules.policy,
        Circumstances(
            lineage=evaluation.checkpoint.lineage,
            excluded_tasks=len(evaluation.excluded_tasks),
            canaries=min(CANARY_TASKS, tasks),
            unheld=() if suite is None else _unheld(suite, against.bank),
            broken=evaluation.broken,
            environment_changed=_changed(against.view, evaluation),
            decline=_decline(store, evaluation, rules),
            signals=reading.signals,
            indicators=reading.indicators,
            trends=reading.trends,
            unmeasured=reading.gaps,
        ),
    )


def flips_of(store: Store, evaluation: Evaluation) -> tuple[Flip, ...]:
    """Tasks that an evaluated checkpoint lost or gained, strongest evidence first.

    Raises:
        BankMissing: there is nothing to compare with.
    """
    bank = counterpart(store, evaluation).bank
    return flipped_tasks(bank, store.observations(evaluation.key.evaluation_id))


def _unheld(suite: Suite, bank: Bank) -> tuple[Stratum, ...]:
    """Strata of which no task takes part, be it that all of them are sealed and rest."""
    held = {one.stratum for one in bank.observations}
    return tuple(stratum for stratum in suite.strata if stratum not in held)


def _changed(bank: BankView, candidate: Evaluation) -> tuple[str, ...]:
    """Names of the settings in which two evaluations' environments differ; none where nothing was drawn.

    Where a server is asked is none of them: a candidate may stand at an address of its own.
    """
    return differing(bank.environment, candidate.environment) if candidate.environment else ()


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the settings that two environments do not share, but for the server's address."""
    names = (before.keys() | after.keys()) - {ADDRESS}
    return tuple(sorted(name for name in names if before.get(name) != after.get(name)))


def _decline(store: Store, evaluation: Evaluation, rules: Rules) -> Decline | None:
    """The slow-decline process over what passed the gate since the anchor, and this evaluation.

    Each step may be too small for the gate; only together do they show. What was rejected never was
    deployed and does not count. None where the anchor has no bank of the present suite and plan.
    """
    anchor = store.roles(evaluation.key.model).get(Role.ANCHOR)
    if anchor is None or rules.greedy or not evaluation.key.purpose.judges:
        return None
    if evaluation.banks and anchor not in evaluation.banks:
        return None
    # Earlier steps may have drawn tasks that rest now: what they said must not change with whose turn it is.
    whole = replace(evaluation, resting_tasks=())
    try:
        bank = counterpart(store, whole, baseline=anchor).bank
    except BankMissing:
        return None
    steps = [*_passed_before(store, evaluation), evaluation]
    return decline_over(bank, [store.observations(each.key.evaluation_id) for each in steps])


def _passed_before(store: Store, evaluation: Evaluation) -> list[Evaluation]:
    """Evaluations with which other checkpoints passed the gate before this one was decided.

    A checkpoint counts once, when it first passed: weighing it again, as against a later baseline, draws
    the same seeds again and says nothing new.
    """
    first: dict[str, Evaluation] = {}
    for each in sorted(store.evaluations(evaluation.key.model), key=_decided_at):
        if (
            each.key.purpose is Purpose.CANDIDATE
            and (each.key.suite, each.key.plan) == (evaluation.key.suite, evaluation.key.plan)
            and each.decision is not None
            and each.decision.kind is DecisionKind.PROMOTE
            and _decided_at(each) < _decided_at(evaluation)
        ):
            first.setdefault(each.key.checkpoint, each)
    return [each for digest, each in first.items() if digest != evaluation.key.checkpoint]


def _decided_at(evaluation: Evaluation) -> tuple[bool, datetime]:
    """When it was decided; what is still open comes after everything else."""
    return evaluation.finished_at is None, evaluation.finished_at or evaluation.created_at
