"""What every store promises; a subclass provides the fixture ``store``."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain.checkpoint import Role
from monitor.domain.drift import NOTHING, Measurement
from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import State
from monitor.domain.samples import Outcome
from monitor.domain.tasks import Stratum
from monitor.ports import Assignment, Store, TaskTally
from tests.unit.contracts import store_strategies as nouns
from tests.unit.contracts.drift_log_contract import DriftLogContract
from tests.unit.contracts.forgetting_contract import ForgettingContract
from tests.unit.contracts.store_nouns import NOON, a_checkpoint, a_sample, an_evaluation, later

# One store serves all examples of a test, so every example works under an evaluation of its own. Every
# subclass runs the same function, so what one store failed on is not kept for the others to replay.
SHARED_STORE = settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
EXAMPLE_NUMBERS = itertools.count()
MEASURED = Measurement(probe="p", material="m", readings=(), engine_s=1.0)


class RegistryContract:
    def test_checkpoints_come_back_in_order_of_arrival(self, store: Store):
        for name in ("zeta", "alpha"):
            store.remember("acme", a_checkpoint(name), now=NOON)
        assert store.checkpoints("acme") == (a_checkpoint("zeta"), a_checkpoint("alpha"))
        assert store.checkpoints("other") == ()

    def test_a_known_digest_is_refreshed_and_keeps_its_place(self, store: Store):
        store.remember("acme", a_checkpoint("zeta"), now=NOON)
        store.remember("acme", a_checkpoint("alpha"), now=later(1))
        moved = replace(a_checkpoint("zeta"), name="renamed", location="/elsewhere")
        store.remember("acme", moved, now=later(2))
        assert store.checkpoints("acme") == (moved, a_checkpoint("alpha"))

    def test_a_role_passes_from_holder_to_holder_and_the_history_remembers(self, store: Store):
        first, second = a_checkpoint("one"), a_checkpoint("two")
        for checkpoint in (first, second):
            store.remember("acme", checkpoint, now=NOON)
        store.assign("acme", Role.BASELINE, first.digest, now=later(1))
        store.assign("acme", Role.PROMOTED, first.digest, now=later(2))
        store.assign("acme", Role.PROMOTED, second.digest, now=later(3))
        assert store.roles("acme") == {Role.BASELINE: first.digest, Role.PROMOTED: second.digest}
        assert store.role_history("acme") == (
            Assignment(role=Role.BASELINE, digest=first.digest, assigned_at=later(1)),
            Assignment(role=Role.PROMOTED, digest=first.digest, assigned_at=later(2)),
            Assignment(role=Role.PROMOTED, digest=second.digest, assigned_at=later(3)),
        )

    def test_giving_a_role_to_its_holder_changes_nothing(self, store: Store):
        store.remember("acme", a_checkpoint(), now=NOON)
        for second in (1, 2):
            store.assign("acme", Role.ANCHOR, a_checkpoint().digest, now=later(second))
        assert len(store.role_history("acme")) == 1

    def test_a_checkpoint_that_was_never_remembered_gets_no_role(self, store: Store):
        store.remember("other", a_checkpoint(), now=NOON)
        with pytest.raises(StoreTrouble, match="not in the store"):
            store.assign("acme", Role.BASELINE, a_checkpoint().digest, now=NOON)
        assert store.roles("acme") == {}

    def test_the_first_fingerprint_of_a_checkpoint_at_an_endpoint_is_kept(self, store: Store):
        assert store.fingerprint("a" * 64, "http://one acme", (-0.1, -2.5)) == (-0.1, -2.5)
        assert store.fingerprint("a" * 64, "http://one acme", (-9.0,)) == (-0.1, -2.5)
        assert store.fingerprint("a" * 64, "http://two acme", (-9.0,)) == (-9.0,)
        assert store.fingerprint("b" * 64, "http://one acme", (-1e-17,)) == (-1e-17,)

    def test_models_are_those_with_checkpoints_or_evaluations(self, store: Store):
        store.remember("zoo", a_checkpoint(), now=NOON)
        store.save(an_evaluation(model="acme"))
        assert store.models() == ("acme", "zoo")

    @SHARED_STORE
    @given(checkpoint=nouns.CHECKPOINTS, model=nouns.NAMES)
    def test_any_checkpoint_comes_back_as_it_was(self, store: Store, checkpoint, model):
        store.remember(model, checkpoint, now=NOON)
        assert checkpoint in store.checkpoints(model)


class EvaluationContract:
    def test_an_unknown_evaluation_is_none(self, store: Store):
        assert store.evaluation("0" * 32) is None
        assert store.samples("0" * 32) == ()
        assert store.observations("0" * 32) == ()
        assert store.tallies("0" * 32) == {}
        assert store.task_tallies("0" * 32) == ()

    @SHARED_STORE
    @given(evaluation=nouns.EVALUATIONS)
    def test_any_evaluation_comes_back_as_it_was(self, store: Store, evaluation):
        store.save(evaluation)
        assert store.evaluation(evaluation.key.evaluation_id) == evaluation

    def test_saving_again_replaces_the_record_and_keeps_its_samples(self, store: Store):
        evaluation = an_evaluation()
        evaluation_id = evaluation.key.evaluation_id
        store.save(evaluation)
        store.record(evaluation_id, [a_sample()])
        changed = replace(evaluation, state=State.FAILED, trouble="the engine died")
        store.save(changed)
        assert store.evaluation(evaluation_id) == changed
        assert store.samples(evaluation_id) == (a_sample(),)

    def test_evaluations_are_listed_oldest_first(self, store: Store):
        for name, age_s in (("new", 1), ("old", 9), ("mid", 5)):
            store.save(an_evaluation(name, age_s=age_s))
        store.save(an_evaluation("else", model="other"))
        names = [evaluation.checkpoint.name for evaluation in store.evaluations("acme")]
        assert names == ["old", "mid", "new"]
        newest = [evaluation.checkpoint.name for evaluation in store.evaluations("acme", limit=2)]
        assert newest == ["mid", "new"]
        of_one = store.evaluations("acme", checkpoint=a_checkpoint("mid").digest)
        assert of_one == (an_evaluation("mid", age_s=5),)

    def test_a_checkpoint_is_found_by_its_whole_digest(self, store: Store):
        store.remember("acme", a_checkpoint("gen0"), now=later(0))
        digest = a_checkpoint("gen0").digest
        assert store.checkpoint("acme", digest) == a_checkpoint("gen0")
        assert store.checkpoint("acme", digest[:12]) is None
        assert store.checkpoint("other", digest) is None


class SampleContract:
    def test_samples_are_ordered_by_wave_task_and_index(self, store: Store):
        store.save(an_evaluation())
        ordered = [
            a_sample("B", 0, wave=0),
            a_sample("a", 1, wave=0),
            a_sample("a", 2, wave=0),
            a_sample("a", 0, wave=1),
        ]
        store.record(an_evaluation().key.evaluation_id, ordered[::-1])
        assert store.samples(an_evaluation().key.evaluation_id) == tuple(ordered)

    def test_a_sample_that_is_stored_stays_as_it_was(self, store: Store):
        store.save(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        assert store.record(evaluation_id, [a_sample(outcome=Outcome.PASSED)]) == 1
        assert store.record(evaluation_id, [a_sample(outcome=Outcome.FAILED), a_sample(index=1)]) == 1
        assert store.samples(evaluation_id)[0].execution.outcome is Outcome.PASSED
        assert store.tallies(evaluation_id) == {(Stratum.TAIL, Outcome.PASSED): 2}

    def test_samples_without_a_result_can_be_forgotten_and_drawn_again(self, store: Store):
        store.save(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        lost = a_sample("t", 0, outcome=Outcome.UNSCORED)
        store.record(evaluation_id, [lost, a_sample("t", 1, outcome=Outcome.FAILED)])
        assert store.forget_unscored(evaluation_id) == 1
        assert store.forget_unscored(evaluation_id) == 0
        assert store.tallies(evaluation_id) == {(Stratum.TAIL, Outcome.FAILED): 1}
        assert store.record(evaluation_id, [a_sample("t", 0, outcome=Outcome.PASSED)]) == 1
        (tally,) = store.task_tallies(evaluation_id)
        assert (tally.samples, tally.scored, tally.passed) == (2, 2, 1)

    def test_all_samples_can_be_forgotten_with_what_was_measured_and_drawn_anew(self, store: Store):
        for evaluation in (an_evaluation("one"), an_evaluation("two")):
            store.save(evaluation)
            store.record(evaluation.key.evaluation_id, [a_sample("t", 0), a_sample("t", 1)])
            store.keep_measurement(evaluation.key.evaluation_id, MEASURED)
            store.keep_drift(evaluation.key.evaluation_id, NOTHING)
        first, second = (an_evaluation(name).key.evaluation_id for name in ("one", "two"))
        assert store.forget_samples(first) == 2
        assert store.forget_samples(first) == 0
        assert (store.samples(first), store.observations(first), store.measurements(first)) == ((), (), ())
        assert (store.tallies(first), store.task_tallies(first), store.drift(first)) == ({}, (), None)
        assert store.evaluation(first) == an_evaluation("one")
        assert len(store.samples(second)) == len(store.observations(second)) == 2
        assert store.record(first, [a_sample("t", 0, outcome=Outcome.FAILED)]) == 1
        with pytest.raises(StoreTrouble, match="not in the store"):
            store.forget_samples("0" * 32)

    def test_samples_of_an_evaluation_that_was_never_saved_are_refused(self, store: Store):
        with pytest.raises(StoreTrouble, match="not in the store"):
            store.record("0" * 32, [a_sample()])

    def test_recording_nothing_stores_nothing(self, store: Store):
        store.save(an_evaluation())
        assert store.record(an_evaluation().key.evaluation_id, []) == 0
        assert store.tallies(an_evaluation().key.evaluation_id) == {}

    def test_evaluations_do_not_see_each_others_samples(self, store: Store):
        first, second = an_evaluation("one"), an_evaluation("two")
        for evaluation in (first, second):
            store.save(evaluation)
        store.record(first.key.evaluation_id, [a_sample("t1"), a_sample("t2")])
        store.record(second.key.evaluation_id, [a_sample("t2", outcome=Outcome.FAILED)])
        assert len(store.samples(first.key.evaluation_id)) == 2
        assert store.tallies(second.key.evaluation_id) == {(Stratum.TAIL, Outcome.FAILED): 1}

    def test_task_tallies_tell_unscored_from_failed(self, store: Store):
        store.save(an_evaluation())
        outcomes = [Outcome.PASSED, Outcome.FAILED, Outcome.UNSCORED, Outcome.TIMED_OUT]
        batch = [a_sample("t1", index, outcome=outcome) for index, outcome in enumerate(outcomes)]
        store.record(an_evaluation().key.evaluation_id, batch)
        assert store.task_tallies(an_evaluation().key.evaluation_id) == (
            TaskTally(task_id="t1", stratum=Stratum.TAIL, samples=4, scored=3, passed=1),
        )

    def test_a_large_batch_comes_back_whole(self, store: Store):
        store.save(an_evaluation())
        batch = [a_sample(f"t{task:04}", index) for task in range(600) for index in range(2)]
        assert store.record(an_evaluation().key.evaluation_id, batch) == 1200
        assert store.samples(an_evaluation().key.evaluation_id) == tuple(batch)

    @SHARED_STORE
    @given(evaluation=nouns.EVALUATIONS, batch=nouns.BATCHES)
    def test_any_samples_come_back_as_they_were(self, store: Store, evaluation, batch):
        evaluation_id = self._saved(store, evaluation)
        new = store.record(evaluation_id, batch)
        kept = nouns.distinct(batch)
        assert new == len(kept)
        assert sorted(store.samples(evaluation_id), key=repr) == sorted(kept, key=repr)
        self._assert_aggregates_count(store, evaluation_id)

    @SHARED_STORE
    @given(evaluation=nouns.EVALUATIONS, batch=nouns.BATCHES, data=st.data())
    def test_recording_in_other_batches_and_again_gives_the_same(self, store: Store, evaluation, batch, data):
        kept = nouns.distinct(batch)
        whole = self._saved(store, evaluation)
        parts = self._saved(store, replace(evaluation, key=replace(evaluation.key, occasion="parts")))
        store.record(whole, kept)
        shuffled = data.draw(st.permutations(kept))
        cut = data.draw(st.integers(0, len(kept)))
        for part in (shuffled[:cut], shuffled[cut:], shuffled[:cut]):
            store.record(parts, part)
        assert store.samples(parts) == store.samples(whole)
        assert store.observations(parts) == store.observations(whole)
        assert store.tallies(parts) == store.tallies(whole)
        assert store.task_tallies(parts) == store.task_tallies(whole)

    def _saved(self, store: Store, evaluation) -> str:
        """An evaluation without samples: an example that Hypothesis repeats must meet none of its own."""
        key = replace(evaluation.key, plan=f"plan {next(EXAMPLE_NUMBERS)}")
        store.save(replace(evaluation, key=key))
        return key.evaluation_id

    def _assert_aggregates_count(self, store: Store, evaluation_id: str) -> None:
        samples = store.samples(evaluation_id)
        counted = Counter((sample.stratum, sample.execution.outcome) for sample in samples)
        assert store.tallies(evaluation_id) == counted
        observations = store.observations(evaluation_id)
        assert [(item.task_id, item.index, item.passed, item.seed) for item in observations] == [
            (sample.task_id, sample.index, sample.passed, sample.completion.seed) for sample in samples
        ]
        assert sum(tally.samples for tally in store.task_tallies(evaluation_id)) == len(samples)


class QueueContract:
    def test_enqueueing_a_known_evaluation_changes_nothing(self, store: Store):
        assert store.enqueue(an_evaluation()) is True
        store.save(an_evaluation(state=State.DECIDED))
        assert store.enqueue(an_evaluation()) is False
        assert store.depth("acme") == {"decided": 1}

    def test_the_oldest_is_leased_first_and_only_once(self, store: Store):
        for name, age_s in (("new", 1), ("old", 9)):
            store.enqueue(an_evaluation(name, age_s=age_s))
        leased = [store.lease(worker="w", now=NOON, lease_s=60) for _ in range(3)]
        assert leased == [
            an_evaluation("old", age_s=9, state=State.RUNNING),
            an_evaluation("new", age_s=1, state=State.RUNNING),
            None,
        ]
        assert store.depth("acme") == {"running": 2}

    def test_a_lease_may_ask_for_one_model_or_one_evaluation(self, store: Store):
        for name, model in (("one", "acme"), ("two", "other"), ("three", "other")):
            store.enqueue(an_evaluation(name, model=model))
        wanted = an_evaluation("three", model="other").key.evaluation_id
        leased = store.lease(worker="w", now=NOON, lease_s=60, only=wanted)
        assert leased is not None
        assert leased.key.evaluation_id == wanted
        other = store.lease(worker="w", now=NOON, lease_s=60, model="other")
        assert other is not None
        assert other.checkpoint.name == "two"
        assert store.lease(worker="w", now=NOON, lease_s=60, model="other") is None

    def test_the_queue_is_counted_by_model(self, store: Store):
        for name, model in (("one", "acme"), ("two", "other"), ("three", "other")):
            store.enqueue(an_evaluation(name, model=model))
        store.save(an_evaluation("three", model="other", state=State.DECIDED))
        assert store.depth("acme") == {"queued": 1}
        assert store.depth("other") == {"queued": 1, "decided": 1}
        assert store.depth("third") == {}

    def test_a_lease_that_ran_out_passes_to_the_next_worker(self, store: Store):
        store.enqueue(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        store.lease(worker="first", now=NOON, lease_s=60)
        assert store.lease(worker="second", now=later(59), lease_s=60) is None
        assert store.lease(worker="second", now=later(60), lease_s=60) is not None
        assert store.renew(evaluation_id, worker="first", now=later(61), lease_s=60) is False
        assert store.workers() == ("second",)
        assert store.attempts(evaluation_id) == 2

    def test_a_renewed_lease_lasts_longer(self, store: Store):
        store.enqueue(an_evaluation())
        store.lease(worker="first", now=NOON, lease_s=60)
        renewed = store.renew(an_evaluation().key.evaluation_id, worker="first", now=later(50), lease_s=60)
        assert renewed is True
        assert store.lease(worker="second", now=later(100), lease_s=60) is None

    def test_an_abandoned_evaluation_is_queued_again(self, store: Store):
        for name in ("one", "two", "three"):
            store.enqueue(an_evaluation(name))
        for worker in ("dead", "dead", "alive"):
            store.lease(worker=worker, now=NOON, lease_s=60)
        assert store.abandon("dead") == 2
        assert store.workers() == ("alive",)
        assert store.depth("acme") == {"queued": 2, "running": 1}
        assert store.lease(worker="alive", now=NOON, lease_s=60) is not None

    def test_a_postponed_evaluation_waits_and_its_attempts_are_counted(self, store: Store):
        store.enqueue(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        store.lease(worker="w", now=NOON, lease_s=60)
        assert store.postpone(evaluation_id, worker="w", now=NOON, delay_s=30) is True
        assert store.depth("acme") == {"queued": 1}
        assert store.lease(worker="w", now=later(29), lease_s=60) is None
        assert store.lease(worker="w", now=later(30), lease_s=60) is not None
        assert store.attempts(evaluation_id) == 2

    def test_a_clock_that_was_set_back_does_not_make_a_postponed_evaluation_wait(self, store: Store):
        store.enqueue(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        store.lease(worker="w", now=NOON, lease_s=60)
        store.postpone(evaluation_id, worker="w", now=NOON, delay_s=30)
        assert store.lease(worker="w", now=later(-86400), lease_s=60) is not None

    def test_an_evaluation_handed_back_can_be_leased_at_once_and_was_not_tried(self, store: Store):
        store.enqueue(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        store.lease(worker="w", now=NOON, lease_s=60)
        assert store.hand_back(evaluation_id, worker="w") is True
        assert store.attempts(evaluation_id) == 0
        assert store.lease(worker="w", now=NOON, lease_s=60) is not None

    def test_only_the_holder_may_renew_postpone_or_hand_back(self, store: Store):
        store.enqueue(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        store.lease(worker="holder", now=NOON, lease_s=60)
        assert store.renew(evaluation_id, worker="other", now=NOON, lease_s=60) is False
        assert store.postpone(evaluation_id, worker="other", now=NOON, delay_s=1) is False
        assert store.hand_back(evaluation_id, worker="other") is False
        assert store.workers() == ("holder",)

    def test_progress_saved_while_running_keeps_the_lease(self, store: Store):
        store.enqueue(an_evaluation())
        leased = store.lease(worker="w", now=NOON, lease_s=60)
        assert leased is not None
        store.save(replace(leased, seed_stable=True))
        assert store.workers() == ("w",)
        assert store.lease(worker="other", now=NOON, lease_s=60) is None

    def test_an_evaluation_postponed_untried_waits_and_was_not_tried(self, store: Store):
        store.enqueue(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        store.lease(worker="w", now=NOON, lease_s=60)
        assert store.postpone(evaluation_id, worker="w", now=NOON, delay_s=30, tried=False) is True
        assert store.attempts(evaluation_id) == 0
        assert store.lease(worker="w", now=later(29), lease_s=60) is None

    @pytest.mark.parametrize("state", [State.RUNNING, State.DECIDED])
    def test_the_holder_replaces_the_record_as_saving_does(self, store: Store, state):
        store.enqueue(an_evaluation())
        leased = store.lease(worker="w", now=NOON, lease_s=60)
        assert leased is not None
        changed = replace(leased, state=state, seed_stable=True)
        assert store.save_held(changed, worker="w") is True
        assert store.evaluation(leased.key.evaluation_id) == changed
        assert store.workers() == (("w",) if state is State.RUNNING else ())

    def test_who_lost_the_lease_cannot_replace_what_the_next_worker_decided(self, store: Store):
        store.enqueue(an_evaluation())
        stalled = store.lease(worker="first", now=NOON, lease_s=60)
        taken = store.lease(worker="second", now=later(61), lease_s=60)
        assert stalled is not None
        assert taken is not None
        assert store.save_held(replace(stalled, seed_stable=True), worker="first") is False
        decided = replace(taken, state=State.DECIDED)
        assert store.save_held(decided, worker="second") is True
        assert store.save_held(stalled, worker="first") is False
        assert store.evaluation(stalled.key.evaluation_id) == decided

    def test_an_evaluation_that_was_never_saved_is_held_by_nobody(self, store: Store):
        assert store.save_held(an_evaluation(), worker="w") is False
        assert store.evaluations("acme") == ()

    def test_a_failed_evaluation_is_queued_anew_with_what_it_said(self, store: Store):
        store.enqueue(an_evaluation())
        leased = store.lease(worker="w", now=NOON, lease_s=60)
        assert leased is not None
        store.save(replace(leased, state=State.FAILED, trouble="It burned."))
        evaluation_id = leased.key.evaluation_id
        assert store.requeue(evaluation_id, state=State.DECIDED) is False
        assert store.requeue(evaluation_id, state=State.FAILED) is True
        assert store.attempts(evaluation_id) == 0
        again = store.lease(worker="w", now=NOON, lease_s=60)
        assert again is not None
        assert again.trouble == "It burned."

    def test_an_evaluation_that_waits_out_a_delay_can_be_had_at_once(self, store: Store):
        store.enqueue(an_evaluation())
        evaluation_id = an_evaluation().key.evaluation_id
        store.lease(worker="w", now=NOON, lease_s=60)
        store.postpone(evaluation_id, worker="w", now=NOON, delay_s=30)
        assert store.requeue(evaluation_id, state=State.QUEUED) is True
        assert store.lease(worker="w", now=NOON, lease_s=60) is not None

    def test_what_somebody_holds_is_not_queued_anew(self, store: Store):
        store.enqueue(an_evaluation())
        store.lease(worker="w", now=NOON, lease_s=60)
        assert store.requeue(an_evaluation().key.evaluation_id, state=State.RUNNING) is False
        assert store.requeue("0" * 32, state=State.FAILED) is False
        assert store.workers() == ("w",)

    @pytest.mark.parametrize("state", [State.DECIDED, State.FAILED])
    def test_an_evaluation_that_is_over_holds_no_lease_and_is_not_leased_again(self, store: Store, state):
        store.enqueue(an_evaluation())
        leased = store.lease(worker="w", now=NOON, lease_s=60)
        assert leased is not None
        store.save(replace(leased, state=state))
        assert store.workers() == ()
        assert store.lease(worker="w", now=later(1000), lease_s=60) is None
        assert store.attempts(leased.key.evaluation_id) == 1

    def test_queueing_a_failed_evaluation_again_forgets_its_attempts(self, store: Store):
        store.enqueue(an_evaluation())
        leased = store.lease(worker="w", now=NOON, lease_s=60)
        assert leased is not None
        store.save(replace(leased, state=State.FAILED))
        store.save(replace(leased, state=State.QUEUED))
        assert store.attempts(leased.key.evaluation_id) == 0
        assert store.lease(worker="w", now=NOON, lease_s=60) is not None

    def test_an_order_to_queue_it_anew_forgets_its_errors(self, store: Store):
        failed = replace(an_evaluation(state=State.FAILED), errors=3, trouble="The engine died.")
        store.save(failed)
        assert store.requeue(failed.key.evaluation_id, state=State.FAILED)
        queued = store.evaluation(failed.key.evaluation_id)
        assert queued == replace(failed, state=State.QUEUED, errors=0)

    def test_what_runs_without_a_holder_can_be_leased(self, store: Store):
        store.save(an_evaluation(state=State.RUNNING))
        assert store.lease(worker="w", now=NOON, lease_s=60) is not None

    def test_nothing_is_known_of_the_attempts_at_an_unknown_evaluation(self, store: Store):
        assert store.attempts("0" * 32) == 0

    def test_eight_threads_lease_each_evaluation_once(self, store: Store):
        for number in range(24):
            store.enqueue(an_evaluation(f"c{number}"))
        leased: list[str] = []

        def work(worker: str) -> None:
            while (evaluation := store.lease(worker=worker, now=NOON, lease_s=60)) is not None:
                leased.append(evaluation.checkpoint.name)

        threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(leased) == sorted(f"c{number}" for number in range(24))


class CounterContract:
    def test_counters_grow_by_name_and_label(self, store: Store):
        store.count("acme", "tokens", by=5)
        store.count("acme", "tokens", by=7)
        store.count("acme", "events", "lost")
        assert store.counters("acme") == {("tokens", ""): 12, ("events", "lost"): 1}

    def test_counters_of_two_models_are_kept_apart(self, store: Store):
        store.count("acme", "tokens", by=5)
        store.count("other", "tokens", by=7)
        assert store.counters("acme") == {("tokens", ""): 5}
        assert store.counters("other") == {("tokens", ""): 7}
        assert store.counters("third") == {}


class RevisionContract:
    def test_the_revision_stays_while_the_store_is_only_read(self, store: Store):
        store.save(an_evaluation())
        before = store.revision()
        store.evaluations("acme")
        store.lease(worker="w:1:1", now=NOON, lease_s=60, model="another")
        store.try_writing()
        assert store.revision() == before

    def test_the_revision_changes_with_whatever_is_stored(self, store: Store):
        evaluation, checkpoint = an_evaluation(), a_checkpoint()
        evaluation_id = evaluation.key.evaluation_id
        writes = (
            lambda: store.remember("acme", checkpoint, now=NOON),
            lambda: store.assign("acme", Role.BASELINE, checkpoint.digest, now=NOON),
            lambda: store.enqueue(evaluation),
            lambda: store.lease(worker="w:1:1", now=NOON, lease_s=60),
            lambda: store.record(evaluation_id, [a_sample()]),
            lambda: store.save(replace(evaluation, state=State.DECIDED, finished_at=NOON)),
            lambda: store.count("acme", "tokens", by=3),
        )
        seen = [store.revision()]
        for write in writes:
            write()
            seen.append(store.revision())
        assert len(set(seen)) == len(seen)

    def test_the_last_decision_is_the_latest_of_one_model(self, store: Store):
        assert store.last_decided_at("acme") is None
        # Begun first and finished last, as a bank that is drawn deeper.
        for name, age_s, finished_s in (("bank", 100, 7200), ("candidate", 0, 3600.5)):
            record = an_evaluation(name, age_s=age_s, state=State.DECIDED)
            store.save(replace(record, finished_at=later(finished_s)))
        store.save(an_evaluation("running", state=State.RUNNING))
        assert store.last_decided_at("acme") == later(7200)
        assert store.last_decided_at("other") is None


class StoreContract(
    RegistryContract,
    EvaluationContract,
    SampleContract,
    DriftLogContract,
    QueueContract,
    CounterContract,
    ForgettingContract,
    RevisionContract,
):
    """The whole port."""
