"""From what is stored about an evaluation to its decision; the same whenever it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.domain.checkpoint import Role
from monitor.domain.drift import NOTHING
from monitor.domain.errors import Trouble
from monitor.domain.evaluation import Evaluation, EvaluationKey, Purpose, State
from monitor.domain.evidence import Bank, Decision, DecisionKind, Observation
from monitor.domain.tasks import Stratum
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


class BankMissing(Trouble):
    """The baseline's bank has not been drawn yet; the evaluation waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """What an evaluation is weighed against."""

    record: Evaluation
    """The evaluation that drew the bank."""
    bank: Bank
    """Without the tasks that either side leaves out."""


def counterpart(store: Store, evaluation: Evaluation) -> Counterpart:
    """The bank that an evaluation is weighed against.

    Raises:
        BankMissing: it does not exist or is not complete.
    """
    key = replace(
        evaluation.key, checkpoint=evaluation.key.baseline, purpose=Purpose.BANK, baseline="", occasion=""
    )
    found = stored_bank(store, key)
    bank = replace(found.bank, seed_stable=found.bank.seed_stable and evaluation.seed_stable)
    return replace(found, bank=leave_out(bank, (*evaluation.excluded_tasks, *evaluation.resting_tasks)))


def stored_bank(store: Store, key: EvaluationKey) -> Counterpart:
    """The bank that an evaluation drew, without the tasks whose reference failed then.

    Raises:
        BankMissing: it does not exist or is not complete.
    """
    record = store.evaluation(key.evaluation_id)
    if record is None or record.state is not State.DECIDED:
        raise BankMissing(
            f"The bank of baseline {key.checkpoint[:12]} is not complete.",
            next_step="It is drawn first: see `tailwatch status`, or use `tailwatch baseline build`.",
        )
    bank = Bank(
        checkpoint=key.checkpoint,
        observations=store.observations(key.evaluation_id),
        seed_stable=record.seed_stable,
    )
    return Counterpart(record=record, bank=leave_out(bank, record.excluded_tasks))


def canaries(evaluation: Evaluation, tasks: Sequence[str]) -> list[str]:
    """The tasks whose references are run with this evaluation, the same ones after a restart."""
    seed = int(evaluation.key.evaluation_id[:16], 16)
    count = min(CANARY_TASKS, len(tasks))
    return sorted(np.random.default_rng(seed).choice(tasks, size=count, replace=False).tolist())


def weigh(against: Counterpart, observations: Sequence[Observation], rules: Rules) -> Assessment:
    """What an evaluation's samples say, those of tasks that are left out not counted."""
    known = {observation.task_id for observation in against.bank.observations}
    return judge(against.bank, [o for o in observations if o.task_id in known], rules)


def conclude(store: Store, evaluation: Evaluation, rules: Rules) -> Decision:
    """The decision that the stored samples of an evaluation support.

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
            environment_changed=_changed(against.record, evaluation),
            decline=_decline(store, evaluation, rules),
            signals=reading.signals,
            indicators=reading.indicators,
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


def _changed(bank: Evaluation, candidate: Evaluation) -> tuple[str, ...]:
    """Names of the settings in which two evaluations' environments differ."""
    names = bank.environment.keys() | candidate.environment.keys()
    return tuple(
        sorted(name for name in names if bank.environment.get(name) != candidate.environment.get(name))
    )


def _decline(store: Store, evaluation: Evaluation, rules: Rules) -> Decline | None:
    """The slow-decline process over what passed the gate since the anchor, and this evaluation.

    Each step may be too small for the gate; only together do they show. What was rejected never was
    deployed and does not count. None where the anchor has no bank of the present suite and plan.
    """
    anchor = store.roles(evaluation.key.model).get(Role.ANCHOR)
    if anchor is None or rules.greedy:
        return None
    # Earlier steps may have drawn tasks that rest now: what they said must not change with whose turn it is.
    whole = replace(evaluation, key=replace(evaluation.key, baseline=anchor), resting_tasks=())
    try:
        bank = counterpart(store, whole).bank
    except BankMissing:
        return None
    # A checkpoint draws the same samples whenever it is evaluated; they are evidence once.
    passed = {
        each.key.checkpoint: each.key.evaluation_id
        for each in store.evaluations(evaluation.key.model)
        if each.key.purpose is Purpose.CANDIDATE
        and each.key.checkpoint != evaluation.key.checkpoint
        and (each.key.suite, each.key.plan) == (evaluation.key.suite, evaluation.key.plan)
        and each.decision is not None
        and each.decision.kind is DecisionKind.PROMOTE
        and each.created_at < evaluation.created_at
    }
    steps = [store.observations(each) for each in [*passed.values(), evaluation.key.evaluation_id]]
    return decline_over(bank, steps, margin=rules.policy.margin_of(Stratum.TAIL))
