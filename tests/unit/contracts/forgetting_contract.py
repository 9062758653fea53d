"""What every store promises about removing a checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.checkpoint import Role
from monitor.domain.drift import DriftReading, Measurement
from monitor.domain.errors import StoreTrouble
from monitor.ports import Forgotten, Store
from tests.unit.contracts.store_nouns import NOON, a_checkpoint, a_sample, an_evaluation, later


def _fill(store: Store, name: str, *, model: str = "acme") -> str:
    """A checkpoint with an evaluation of everything that can belong to one; the evaluation's id."""
    evaluation = an_evaluation(name, model=model)
    evaluation_id = evaluation.key.evaluation_id
    store.remember(model, a_checkpoint(name), now=NOON)
    store.save(evaluation)
    store.record(evaluation_id, [a_sample("t1", 0), a_sample("t1", 1), a_sample("t2", 0)])
    store.keep_measurement(evaluation_id, Measurement(probe="p", material="m", readings=(), engine_s=1.0))
    store.keep_drift(evaluation_id, DriftReading(signals=(), indicators=()))
    store.fingerprint(a_checkpoint(name).digest, "http://one", (-0.5,))
    return evaluation_id


class ForgettingContract:
    def test_nothing_of_a_forgotten_checkpoint_is_left(self, store: Store):
        evaluation_id = _fill(store, "gone")
        assert store.forget("acme", a_checkpoint("gone").digest, now=NOON) == Forgotten(
            evaluations=1, samples=3
        )
        assert store.checkpoints("acme") == ()
        assert store.evaluations("acme") == ()
        assert store.evaluation(evaluation_id) is None
        assert store.samples(evaluation_id) == ()
        assert store.tallies(evaluation_id) == {}
        assert store.task_tallies(evaluation_id) == ()
        assert store.measurements(evaluation_id) == ()
        assert store.drift(evaluation_id) is None
        assert store.depth("acme") == {}
        assert store.models() == ()
        assert store.fingerprint(a_checkpoint("gone").digest, "http://one", (-9.0,)) == (-9.0,)

    def test_others_are_left_as_they_were(self, store: Store):
        kept, elsewhere = _fill(store, "kept"), _fill(store, "gone", model="other")
        _fill(store, "gone")
        store.forget("acme", a_checkpoint("gone").digest, now=NOON)
        assert store.checkpoints("acme") == (a_checkpoint("kept"),)
        for evaluation_id in (kept, elsewhere):
            assert len(store.samples(evaluation_id)) == 3
            assert sum(store.tallies(evaluation_id).values()) == 3
            assert store.drift(evaluation_id) is not None
        # The other model still has these weights, and what its endpoint answered for them.
        assert store.fingerprint(a_checkpoint("gone").digest, "http://one", (-9.0,)) == (-0.5,)

    def test_its_roles_go_back_to_whoever_held_them_before(self, store: Store):
        for name in ("first", "second"):
            store.remember("acme", a_checkpoint(name), now=NOON)
            store.assign("acme", Role.PROMOTED, a_checkpoint(name).digest, now=NOON)
        store.assign("acme", Role.ANCHOR, a_checkpoint("second").digest, now=NOON)
        store.forget("acme", a_checkpoint("second").digest, now=NOON)
        assert store.roles("acme") == {Role.PROMOTED: a_checkpoint("first").digest}

    def test_what_was_judged_against_it_stays(self, store: Store):
        _fill(store, "base")
        judged = an_evaluation("gen1")
        judged = replace(judged, key=replace(judged.key, baseline=a_checkpoint("base").digest))
        store.save(judged)
        store.forget("acme", a_checkpoint("base").digest, now=NOON)
        assert store.evaluations("acme") == (judged,)

    def test_one_that_is_being_evaluated_is_not_forgotten_until_the_lease_has_run_out(self, store: Store):
        evaluation_id = _fill(store, "busy")
        assert store.lease(worker="w", now=NOON, lease_s=60) is not None
        with pytest.raises(StoreTrouble, match="is being evaluated by w"):
            store.forget("acme", a_checkpoint("busy").digest, now=later(59))
        assert len(store.samples(evaluation_id)) == 3
        assert store.forget("acme", a_checkpoint("busy").digest, now=later(61)).evaluations == 1

    def test_it_can_arrive_again_as_if_it_were_new(self, store: Store):
        _fill(store, "again")
        store.forget("acme", a_checkpoint("again").digest, now=NOON)
        evaluation_id = _fill(store, "again")
        assert len(store.samples(evaluation_id)) == 3

    def test_forgetting_what_is_not_known_removes_nothing(self, store: Store):
        _fill(store, "kept")
        assert store.forget("acme", "0" * 64, now=NOON) == Forgotten(evaluations=0, samples=0)
        assert store.checkpoints("acme") == (a_checkpoint("kept"),)
