"""From what is stored about an evaluation to its decision; the same whenever it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.domain.errors import Trouble
from monitor.domain.evaluation import Evaluation, Purpose, State
from monitor.domain.evidence import Bank, Decision, Observation
from monitor.ports import Store
from monitor.verdicts.assessment import Assessment, assess
from monitor.verdicts.decision import Circumstances, decide
from monitor.verdicts.pairing import leave_out
from monitor.verdicts.policy import Policy

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
    record = store.evaluation(key.evaluation_id)
    if record is None or record.state is not State.DECIDED:
        raise BankMissing(
            f"The bank of baseline {key.checkpoint[:12]} is not complete.",
            next_step="It is drawn first: see `tailwatch status`, or use `tailwatch baseline build`.",
        )
    bank = Bank(
        checkpoint=key.checkpoint,
        observations=store.observations(key.evaluation_id),
        seed_stable=record.seed_stable and evaluation.seed_stable,
    )
    left_out = {*record.excluded_tasks, *evaluation.excluded_tasks}
    return Counterpart(record=record, bank=leave_out(bank, left_out))


def canaries(evaluation: Evaluation, tasks: Sequence[str]) -> list[str]:
    """The tasks whose references are run with this evaluation, the same ones after a restart."""
    seed = int(evaluation.key.evaluation_id[:16], 16)
    count = min(CANARY_TASKS, len(tasks))
    return sorted(np.random.default_rng(seed).choice(tasks, size=count, replace=False).tolist())


def weigh(against: Counterpart, observations: Sequence[Observation], policy: Policy) -> Assessment:
    """What an evaluation's samples say, those of tasks that are left out not counted."""
    known = {observation.task_id for observation in against.bank.observations}
    return assess(against.bank, [o for o in observations if o.task_id in known], policy)


def conclude(store: Store, evaluation: Evaluation, policy: Policy) -> Decision:
    """The decision that the stored samples of an evaluation support under a policy.

    Raises:
        BankMissing: there is nothing to weigh them against.
    """
    against = counterpart(store, evaluation)
    return decide(
        weigh(against, store.observations(evaluation.key.evaluation_id), policy),
        policy,
        Circumstances(
            lineage=evaluation.checkpoint.lineage,
            excluded_tasks=len(evaluation.excluded_tasks),
            canaries=CANARY_TASKS,
            environment_changed=_changed(against.record, evaluation),
        ),
    )


def _changed(bank: Evaluation, candidate: Evaluation) -> tuple[str, ...]:
    """Names of the settings in which two evaluations' environments differ."""
    names = bank.environment.keys() | candidate.environment.keys()
    return tuple(
        sorted(name for name in names if bank.environment.get(name) != candidate.environment.get(name))
    )
