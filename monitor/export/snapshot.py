"""What is published about one model at one moment, read from the store in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitor.domain.checkpoint import Checkpoint, Role
from monitor.domain.drift import DriftReading
from monitor.domain.evaluation import Evaluation, Purpose, State
from monitor.domain.evidence import Decision
from monitor.domain.samples import Outcome
from monitor.domain.tasks import Stratum
from monitor.ports import Store
from monitor.verdicts.bank_health import StratumHealth

PUBLISHED_ROLES = (Role.BASELINE, Role.PROMOTED)
NEWEST_EVALUATIONS = 50
"""How far back the last decided one is looked for, so that a year of rechecks costs a scrape nothing."""

CANDIDATE = "candidate"
"""What a checkpoint without a published role is called in the ``role`` label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCheckpoint:
    """One checkpoint with the last result there is about it."""

    checkpoint: Checkpoint
    ordinal: int
    """The how-many-th of its model's checkpoints it is, by arrival, from 1."""
    roles: tuple[str, ...]
    """``baseline``, ``promoted`` or both; ``candidate`` when it is neither."""
    decision: Decision
    """What the gate answers now; HOLD when there is nothing to answer from."""
    evaluation: Evaluation | None
    """The last one decided against the present baseline, also while a newer one runs, or its own bank."""
    newest_state: State | None
    """How far the evaluation of it that was begun last has come; None before the first."""
    tallies: Mapping[tuple[Stratum, Outcome], int]
    """Samples of that evaluation by stratum and outcome; empty without one."""
    drift: DriftReading | None
    """What its outputs look like beside the bank's; None where they were not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything one exposition is made of."""

    checkpoints: tuple[PublishedCheckpoint, ...]
    queue: Mapping[str, int]
    """Number of the model's evaluations by state."""
    counters: Mapping[tuple[str, str], int]
    """The model's counts by (name, label)."""
    bank: Sequence[StratumHealth] = ()
    """What the baseline's bank is worth, a stratum at a time; empty without one."""


def take_snapshot(
    store: Store,
    *,
    model: str,
    decision_for: Callable[[str], Decision],
    candidates: int,
    bank: Callable[[], Sequence[StratumHealth]] = tuple,
) -> Snapshot:
    """Read the baseline, the promoted checkpoint and the last candidates, with their results.

    Args:
        store: holds them.
        model: whose they are.
        decision_for: the gate's answer about a checkpoint.
        candidates: how many of the newest.
        bank: what the baseline's bank is worth.

    Raises:
        StoreTrouble: the store did not answer; nothing is half read.
    """
    roles = store.roles(model)
    held = {roles[role] for role in PUBLISHED_ROLES if role in roles}
    known = store.checkpoints(model)
    free = [checkpoint for checkpoint in known if checkpoint.digest not in held]
    newest = {checkpoint.digest for checkpoint in free[-candidates:]}
    reading = _Reading(store=store, model=model, roles=roles, decision_for=decision_for)
    return Snapshot(
        checkpoints=tuple(
            _publish(reading, checkpoint, ordinal)
            for ordinal, checkpoint in enumerate(known, start=1)
            if checkpoint.digest in held | newest
        ),
        queue=store.depth(model),
        counters=store.counters(model),
        bank=bank(),
    )


def newest_evaluations(store: Store, model: str, checkpoint: Checkpoint) -> tuple[Evaluation, ...]:
    """The newest evaluations of a checkpoint, oldest first. Raises StoreTrouble."""
    return store.evaluations(model, checkpoint=checkpoint.digest, limit=NEWEST_EVALUATIONS)


def last_decided(evaluations: tuple[Evaluation, ...]) -> Evaluation | None:
    """The newest decided evaluation of a checkpoint; its bank only when it was never judged."""
    decided = [evaluation for evaluation in evaluations if evaluation.state is State.DECIDED]
    judged = [evaluation for evaluation in decided if evaluation.key.purpose.judges]
    banks = [evaluation for evaluation in decided if evaluation.key.purpose is Purpose.BANK]
    return max(judged or banks, key=lambda each: each.finished_at or each.created_at, default=None)


def role_names(roles: Mapping[Role, str], digest: str) -> tuple[str, ...]:
    """The published roles that a checkpoint holds, or that it is a candidate."""
    held = tuple(role.value for role in PUBLISHED_ROLES if roles.get(role) == digest)
    return held or (CANDIDATE,)


def _newest_state(evaluations: tuple[Evaluation, ...]) -> State | None:
    """Comparisons are not looked at: nobody waits for a verdict from them."""
    needed = [each.state for each in evaluations if each.key.purpose is not Purpose.COMPARISON]
    return needed[-1] if needed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What every checkpoint of one snapshot is read with."""

    store: Store
    model: str
    roles: Mapping[Role, str]
    decision_for: Callable[[str], Decision]


def _publish(reading: _Reading, checkpoint: Checkpoint, ordinal: int) -> PublishedCheckpoint:
    store, digest = reading.store, checkpoint.digest
    newest = newest_evaluations(store, reading.model, checkpoint)
    baseline = reading.roles.get(Role.BASELINE, "")
    # A difference to an earlier baseline must not be read as one to the present baseline.
    evaluation = last_decided(
        tuple(each for each in newest if each.key.purpose is Purpose.BANK or each.key.baseline == baseline)
    )
    return PublishedCheckpoint(
        checkpoint=checkpoint,
        ordinal=ordinal,
        roles=role_names(reading.roles, digest),
        decision=reading.decision_for(digest),
        evaluation=evaluation,
        newest_state=_newest_state(newest),
        tallies={} if evaluation is None else store.tallies(evaluation.key.evaluation_id),
        drift=None if evaluation is None else store.drift(evaluation.key.evaluation_id),
    )
