"""From checkpoints that arrive to evaluations that wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.domain.checkpoint import Arrivals, Checkpoint, Role, Unusable
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Evaluation, EvaluationKey, Purpose, State
from monitor.domain.printable import escape_name
from monitor.domain.samples import SamplingPlan
from monitor.domain.tasks import Suite
from monitor.ports import CheckpointSource, Store

REVIVE_S = 3600.0
"""How long an evaluation that failed for a reason that may pass stays FAILED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is watched, and what is asked of it."""

    model: str
    suite: Suite
    plan: SamplingPlan
    baseline: str
    """``promoted``, ``first``, or the beginning of a checkpoint digest."""
    store: Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one look at the source led to."""

    queued: tuple[Evaluation, ...]
    unusable: tuple[Unusable, ...]
    doubts: tuple[Unusable, ...]
    """Checkpoints that are evaluated although something about them is wrong, such as their card."""
    unread: tuple[str, ...]
    """Names of checkpoints that have to be read on before anything is known of them."""
    baseline: str | None
    """Digest of the baseline; None while there is none, and then nothing but a bank is queued."""


def poll(watch: Watch, source: CheckpointSource, now: datetime) -> Poll:
    """Queue an evaluation of every settled checkpoint that was never judged, newest first.

    Does the same however often it is called. What was judged against an earlier baseline, or was one,
    is not evaluated again because another was promoted. What failed for a reason that may pass is
    queued again after a while, and what drew nothing since its bank could decide nothing, when that has
    grown. Without a baseline nothing is evaluated, unless ``baseline: first`` adopts the first checkpoint
    that settles.

    Raises:
        InvalidConfig: the source does not exist.
        StoreTrouble: nothing was queued that is not stored.
    """
    arrivals = source.arrivals(now)
    for checkpoint in arrivals.settled:
        watch.store.remember(watch.model, checkpoint, now=now)
    if _first_is_due(watch, arrivals):
        adopt(watch, arrivals.settled[0], now=now)
    baseline = baseline_of(watch)
    if baseline is not None and watch.store.roles(watch.model).get(Role.BASELINE) != baseline.digest:
        adopt(watch, baseline, now=now)
    wanted: list[Evaluation] = []
    if baseline is not None:
        closed = _closed(watch, baseline)
        wanted.append(_queued(watch, baseline, Purpose.BANK, now=now))
        wanted += [
            candidate(watch, checkpoint, baseline, now=now)
            for checkpoint in reversed(arrivals.settled)
            if checkpoint.digest not in closed
        ]
    return Poll(
        queued=tuple(each for each in wanted if watch.store.enqueue(each) or _revived(watch, each, now)),
        unusable=arrivals.unusable,
        doubts=arrivals.doubts,
        unread=arrivals.unread,
        baseline=baseline.digest if baseline is not None else None,
    )


def _first_is_due(watch: Watch, arrivals: Arrivals) -> bool:
    """Whether the first checkpoint that settled is to be adopted; one not read yet may be older."""
    wanted = watch.baseline == "first" and Role.BASELINE not in watch.store.roles(watch.model)
    return wanted and bool(arrivals.settled) and not arrivals.unread


def _closed(watch: Watch, baseline: Checkpoint) -> frozenset[str]:
    """Digests that a poll leaves alone: baselines, and what was judged against earlier ones."""
    baselines = {each.digest for each in watch.store.role_history(watch.model) if each.role is Role.BASELINE}
    judged = {
        each.key.checkpoint
        for each in watch.store.evaluations(watch.model)
        if each.key.purpose is Purpose.CANDIDATE
        and (each.key.suite, each.key.plan) == (watch.suite.digest, watch.plan.digest)
        and each.key.baseline != baseline.digest
        and (each.state is State.DECIDED or (each.state is State.FAILED and not each.retryable))
    }
    return frozenset({baseline.digest} | baselines | judged)


def _revived(watch: Watch, wanted: Evaluation, now: datetime) -> bool:
    """Whether an evaluation was queued again.

    One that failed a while ago for a reason that may pass, or that drew nothing, as its bank could not decide
    anything, which has grown since.
    """
    from monitor.rounds.weighing import outgrown  # noqa: PLC0415 - commands that weigh nothing load no scipy

    known = watch.store.evaluation(wanted.key.evaluation_id)
    if (
        known is not None
        and outgrown(watch.store, known)
        and not watch.store.tallies(known.key.evaluation_id)
    ):
        return watch.store.requeue(known.key.evaluation_id, state=State.DECIDED)
    if known is None or known.state is not State.FAILED or not known.retryable or known.finished_at is None:
        return False
    if _is_recent(known.finished_at, REVIVE_S, now):
        return False
    return watch.store.requeue(known.key.evaluation_id, state=State.FAILED)


def _is_recent(moment: datetime, within_s: float, now: datetime) -> bool:
    """Whether it was not long ago; a moment to come is of a clock that was set back since, and long ago."""
    return 0 <= (now - moment).total_seconds() < within_s


def adopt(watch: Watch, checkpoint: Checkpoint, *, now: datetime) -> None:
    """Make a checkpoint the baseline; the first ever adopted is also the anchor and promoted."""
    roles = watch.store.roles(watch.model)
    watch.store.remember(watch.model, checkpoint, now=now)
    watch.store.assign(watch.model, Role.BASELINE, checkpoint.digest, now=now)
    for role in (Role.ANCHOR, Role.PROMOTED):
        if role not in roles:
            watch.store.assign(watch.model, role, checkpoint.digest, now=now)


def promote(watch: Watch, checkpoint: Checkpoint, *, now: datetime) -> None:
    """Record that a checkpoint was promoted; with ``baseline: promoted`` it is the next baseline."""
    watch.store.remember(watch.model, checkpoint, now=now)
    watch.store.assign(watch.model, Role.PROMOTED, checkpoint.digest, now=now)
    if watch.baseline == "promoted":
        watch.store.assign(watch.model, Role.BASELINE, checkpoint.digest, now=now)


def baseline_of(watch: Watch) -> Checkpoint | None:
    """The checkpoint that candidates are weighed against now; None when there is none yet."""
    if watch.baseline in {"promoted", "first"}:
        digest = watch.store.roles(watch.model).get(Role.BASELINE)
    else:
        digest = watch.baseline
    if digest is None:
        return None
    exact = watch.store.checkpoint(watch.model, digest)
    if exact is not None:
        return exact
    return next((c for c in watch.store.checkpoints(watch.model) if c.digest.startswith(digest)), None)


def bank_key(watch: Watch, baseline: str) -> EvaluationKey:
    """Key of the evaluation that holds a baseline's bank."""
    return EvaluationKey(
        model=watch.model,
        checkpoint=baseline,
        suite=watch.suite.digest,
        plan=watch.plan.digest,
        purpose=Purpose.BANK,
    )


def bank(watch: Watch, checkpoint: Checkpoint, *, now: datetime) -> Evaluation:
    """The evaluation that builds a checkpoint's bank, not yet queued."""
    return _queued(watch, checkpoint, Purpose.BANK, now=now)


def candidate(
    watch: Watch, checkpoint: Checkpoint, baseline: Checkpoint, *, now: datetime, again: bool = False
) -> Evaluation:
    """The evaluation of a candidate against a baseline, not yet queued.

    There is one of them, found again however often it is asked for; ``again`` makes a new one.
    """
    return _queued(
        watch,
        checkpoint,
        Purpose.RECHECK if again else Purpose.CANDIDATE,
        now=now,
        baseline=baseline.digest,
        occasion=now.isoformat(timespec="seconds") if again else "",
    )


def comparison(watch: Watch, checkpoint: Checkpoint, other: Checkpoint, *, now: datetime) -> Evaluation:
    """The evaluation that weighs a checkpoint against any other one, not yet queued.

    Where it is weighed against the baseline, or was when the other was that, it is the candidate's own.
    """
    judged = candidate(watch, checkpoint, other, now=now)
    if other == baseline_of(watch) or watch.store.evaluation(judged.key.evaluation_id) is not None:
        return judged
    return _queued(watch, checkpoint, Purpose.COMPARISON, now=now, baseline=other.digest)


def recheck(watch: Watch, *, every_s: float, now: datetime) -> Evaluation | None:
    """Queue a fresh evaluation of the promoted checkpoint when the last one is old enough.

    Returns:
        What was queued; None when nothing is due, promoted, or to be weighed against.
    """
    digest, baseline = watch.store.roles(watch.model).get(Role.PROMOTED), baseline_of(watch)
    promoted = None if digest is None else watch.store.checkpoint(watch.model, digest)
    if promoted is None or baseline is None:
        return None
    if _was_evaluated(watch, promoted, every_s, now):
        return None
    evaluation = candidate(watch, promoted, baseline, now=now, again=True)
    return evaluation if watch.store.enqueue(evaluation) else None


def _was_evaluated(watch: Watch, checkpoint: Checkpoint, within_s: float, now: datetime) -> bool:
    known = watch.store.evaluations(watch.model, checkpoint=checkpoint.digest, limit=1)
    if known and known[0].created_at > now:  # Set back since: the newest by this clock is another one.
        known = watch.store.evaluations(watch.model, checkpoint=checkpoint.digest)
    return any(_is_recent(each.created_at, within_s, now) for each in known)


def _queued(
    watch: Watch,
    checkpoint: Checkpoint,
    purpose: Purpose,
    *,
    now: datetime,
    baseline: str = "",
    occasion: str = "",
) -> Evaluation:
    return Evaluation(
        key=EvaluationKey(
            model=watch.model,
            checkpoint=checkpoint.digest,
            suite=watch.suite.digest,
            plan=watch.plan.digest,
            purpose=purpose,
            baseline=baseline,
            occasion=occasion,
        ),
        checkpoint=checkpoint,
        state=State.QUEUED,
        created_at=now,
    )


def find(watch: Watch, reference: str) -> Checkpoint | None:
    """The checkpoint that a name, as it is shown or as the folder has it, or the beginning of a digest means.

    Raises:
        InvalidInput: it fits several.
    """
    exact = watch.store.checkpoint(watch.model, reference)
    if exact is not None:
        return exact
    known = watch.store.checkpoints(watch.model)
    named = [c for c in known if c.name == reference]
    called = [c for c in known if c.name == escape_name(reference)]
    begun = [c for c in known if len(reference) >= 6 and c.digest.startswith(reference)]
    for fits in (named, called, begun):
        if len(fits) > 1:
            shown = ", ".join(c.short_digest for c in fits)
            raise InvalidInput(
                f"{reference!r} fits several checkpoints: {shown}.", next_step="Give one of these digests."
            )
        if fits:
            return fits[0]
    return None
