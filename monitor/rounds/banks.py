"""What the banks in the store are worth under a policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import EvaluationKey, State
from monitor.rounds.watching import Watch, bank, bank_key, baseline_of
from monitor.rounds.weighing import BankMissing, stored_bank
from monitor.verdicts.bank_health import StratumHealth, bank_health
from monitor.verdicts.plan import StratumPlan, plan
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import rules_for

Health = tuple[StratumHealth, ...]


def draw_bank_again(watch: Watch, checkpoint: Checkpoint, *, now: datetime) -> None:
    """Forget what a checkpoint's bank holds and queue it; evaluations that rest on it are stale from now on.

    Raises:
        InvalidInput: it is being drawn.
        StoreTrouble: nothing was forgotten.
    """
    wanted = bank(watch, checkpoint, now=now)
    known = watch.store.evaluation(wanted.key.evaluation_id)
    if known is None:
        return
    if known.state is State.RUNNING:
        raise InvalidInput(
            f"The bank of {checkpoint.name} is being drawn by another process.",
            next_step="Wait for its end, which `tailwatch status` shows, or stop that process.",
        )
    # Nobody takes a FAILED one from the queue while its samples vanish.
    watch.store.save(replace(wanted, state=State.FAILED))
    watch.store.forget_samples(wanted.key.evaluation_id)
    watch.store.save(wanted)


class Banks:
    """Reads banks under one policy; what was found is kept until a bank changes."""

    def __init__(self, watch: Watch, policy: Policy) -> None:
        self._watch = watch
        self._read_by: tuple[Policy, dict[str, tuple[datetime | None, Health]]] = (policy, {})

    def judge_by(self, policy: Policy) -> None:
        """Read them by another policy from now on."""
        if policy != self._read_by[0]:
            self._read_by = (policy, {})

    def of_baseline(self) -> Health:
        """The health of the present baseline's bank; empty without one. Raises StoreTrouble."""
        baseline = baseline_of(self._watch)
        return () if baseline is None else self.of(baseline)

    def of(self, checkpoint: Checkpoint) -> Health:
        """The health of a checkpoint's complete bank; empty where it has none. Raises StoreTrouble."""
        key, store = bank_key(self._watch, checkpoint.digest), self._watch.store
        # Together: what is read by one policy must not be kept for the next, which may come at any moment.
        policy, found = self._read_by
        record = store.evaluation(key.evaluation_id)
        if record is None or record.state is not State.DECIDED:
            return ()
        finished_at, health = found.get(checkpoint.digest, (None, ()))
        if not health or finished_at != record.finished_at:
            plans = self._plans(key, policy)
            tallies, strata = store.tallies(key.evaluation_id), self._watch.suite.strata
            health = bank_health(tallies, plans, policy, strata=strata)
            found[checkpoint.digest] = (record.finished_at, health)
        return health

    def _plans(self, key: EvaluationKey, policy: Policy) -> Sequence[StratumPlan]:
        try:
            bank = stored_bank(self._watch.store, key).bank
        except BankMissing:
            return ()  # No reference solution passes here.
        return plan(bank, rules_for(policy, greedy=self._watch.plan.greedy))
