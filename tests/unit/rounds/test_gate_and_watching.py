"""Arrivals, roles, and the gate that is closed whenever in doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.domain.checkpoint import Role
from monitor.domain.errors import InvalidInput
from monitor.domain.evaluation import Purpose, State
from monitor.domain.evidence import DecisionKind, ReasonCode
from monitor.rounds.gate import NEWEST_EVALUATIONS, Gate, latest_evaluation
from monitor.rounds.watching import REVIVE_S, baseline_of, candidate, find, poll, promote, recheck
from monitor.rounds.worker import work_once
from monitor.testing import FakeEngine, FakeSource

from .conftest import World, checkpoint


def answer(world: World, reference: str):
    return Gate(world.watch, world.policy).decision_for(reference, now=world.clock())


def code(world: World, reference: str) -> tuple[DecisionKind, ReasonCode]:
    decision = answer(world, reference)
    return decision.kind, decision.reasons[0].code


def test_an_unknown_checkpoint_is_held(world):
    assert code(world, "nobody") == (DecisionKind.HOLD, ReasonCode.CHECKPOINT_UNKNOWN)


def test_without_a_baseline_everything_is_held_and_nothing_is_queued(world):
    result = poll(world.watch, FakeSource([checkpoint("equal")]), world.clock())
    assert result.queued == ()
    assert result.baseline is None
    assert code(world, "equal") == (DecisionKind.HOLD, ReasonCode.BASELINE_MISSING)


def test_the_first_arrival_is_adopted_where_the_configuration_says_so(world):
    watch = replace(world.watch, baseline="first")
    result = poll(watch, FakeSource([checkpoint("equal"), checkpoint("worse")]), world.clock())
    assert [e.key.purpose for e in result.queued] == [Purpose.BANK, Purpose.CANDIDATE]
    assert world.store.roles("acme")[Role.ANCHOR] == checkpoint("equal").digest


async def test_each_arrival_is_queued_once_however_often_we_look(world):
    await world.with_baseline()
    source = FakeSource([checkpoint("equal"), checkpoint("base")])
    assert len(poll(world.watch, source, world.clock()).queued) == 1
    assert poll(world.watch, source, world.clock()).queued == ()


async def test_the_gate_follows_an_evaluation_from_missing_to_stale(world):
    await world.with_baseline()
    subject = checkpoint("equal")
    world.store.remember("acme", subject, now=world.clock())
    assert code(world, "equal") == (DecisionKind.HOLD, ReasonCode.EVALUATION_MISSING)
    poll(world.watch, FakeSource([subject]), world.clock())
    assert code(world, "equal") == (DecisionKind.HOLD, ReasonCode.EVALUATION_RUNNING)
    await work_once(world.bench(), worker="w:1:1")
    assert code(world, "equal")[0] is DecisionKind.PROMOTE
    world.clock.pass_s(world.policy.max_age_s + 1)
    assert code(world, "equal") == (DecisionKind.HOLD, ReasonCode.EVALUATION_STALE)


async def test_a_failed_evaluation_is_held_with_its_trouble(world):
    await world.with_baseline()
    subject = checkpoint("equal")
    world.store.remember("acme", subject, now=world.clock())
    wanted = candidate(world.watch, subject, baseline_of(world.watch), now=world.clock())
    world.store.save(replace(wanted, state=State.FAILED, trouble="The disk was on fire."))
    decision = answer(world, "equal")
    assert decision.reasons[0].code is ReasonCode.EVALUATION_FAILED
    assert "on fire" in decision.reasons[0].text


async def test_the_baseline_itself_passes_its_own_gate(world):
    await world.with_baseline()
    assert code(world, "base") == (DecisionKind.PROMOTE, ReasonCode.BASELINE_ITSELF)


async def rechecked(world: World, tail: float):
    """The promoted baseline is evaluated again, and passes its tail this often now."""
    world.clock.pass_s(3601)
    world.engine = FakeEngine(lambda _, task_id: tail if task_id.startswith("tail") else 0.6)
    assert recheck(world.watch, every_s=3600, now=world.clock()) is not None
    await work_once(world.bench(), worker="w:1:1")


async def test_what_a_recheck_found_is_said_of_the_baseline_as_long_as_it_is_fresh(world):
    await world.with_baseline()
    await rechecked(world, tail=0.6)
    assert code(world, "base") == (DecisionKind.PROMOTE, ReasonCode.BASELINE_ITSELF)
    assert ReasonCode.NON_INFERIOR in {reason.code for reason in answer(world, "base").reasons}
    await rechecked(world, tail=0.2)
    assert code(world, "base") == (DecisionKind.REJECT, ReasonCode.STRATUM_REGRESSED)
    assert answer(world, "base").findings
    world.clock.pass_s(world.policy.max_age_s + 1)
    assert code(world, "base") == (DecisionKind.PROMOTE, ReasonCode.BASELINE_ITSELF)


async def test_a_recheck_that_is_not_finished_says_nothing_of_the_baseline(world):
    await world.with_baseline()
    recheck(world.watch, every_s=0, now=world.clock())
    assert code(world, "base") == (DecisionKind.PROMOTE, ReasonCode.BASELINE_ITSELF)


class Reading:
    """A store that counts the evaluations that were read from it."""

    def __init__(self, store):
        self._store = store
        self.read = 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def evaluations(self, *arguments, **options):
        found = self._store.evaluations(*arguments, **options)
        self.read += len(found)
        return found


def judged(world: World, days: int, **changes: object):
    """An evaluation of each of so many days, decided, is in the store; the newest of them."""
    for _ in range(days):
        world.clock.pass_s(86400)
        made = candidate(
            world.watch, checkpoint("equal"), baseline_of(world.watch), now=world.clock(), again=True
        )
        last = replace(made, state=State.DECIDED, finished_at=world.clock(), key=replace(made.key, **changes))
        world.store.save(last)
    return last


async def test_years_of_rechecks_are_not_read_for_an_answer(world):
    await world.with_baseline()
    newest = judged(world, NEWEST_EVALUATIONS + 100)
    store = Reading(world.store)
    watch = replace(world.watch, store=store)
    found = latest_evaluation(watch, newest.key.checkpoint, newest.key.baseline)
    assert found == newest
    assert store.read == NEWEST_EVALUATIONS


async def test_an_evaluation_counts_however_many_by_another_plan_came_after_it(world):
    await world.with_baseline()
    ours = judged(world, 1)
    judged(world, NEWEST_EVALUATIONS + 1, plan="another")
    assert latest_evaluation(world.watch, ours.key.checkpoint, ours.key.baseline) == ours


async def test_a_promoted_checkpoint_becomes_the_baseline_and_the_anchor_stays(world):
    await world.with_baseline()
    promote(world.watch, checkpoint("equal"), now=world.clock())
    assert baseline_of(world.watch) == checkpoint("equal")
    assert world.store.roles("acme")[Role.ANCHOR] == checkpoint("base").digest
    queued = poll(world.watch, FakeSource([checkpoint("equal")]), world.clock()).queued
    assert [(e.key.purpose, e.checkpoint.name) for e in queued] == [(Purpose.BANK, "equal")]


async def test_a_promotion_queues_what_was_never_judged_newest_first_and_no_history(world):
    await world.with_baseline()
    for name in ("older", "equal"):
        wanted = candidate(world.watch, checkpoint(name), baseline_of(world.watch), now=world.clock())
        world.store.save(replace(wanted, state=State.DECIDED, finished_at=world.clock()))
    promote(world.watch, checkpoint("equal"), now=world.clock())
    settled = [checkpoint(name) for name in ("base", "older", "missed", "equal", "new")]
    queued = poll(world.watch, FakeSource(settled), world.clock()).queued
    assert [(e.key.purpose, e.checkpoint.name) for e in queued] == [
        (Purpose.BANK, "equal"),
        (Purpose.CANDIDATE, "new"),
        (Purpose.CANDIDATE, "missed"),
    ]


async def test_another_plan_asks_the_whole_folder_anew(world):
    await world.with_baseline()
    wanted = candidate(world.watch, checkpoint("equal"), baseline_of(world.watch), now=world.clock())
    world.store.save(replace(wanted, state=State.DECIDED, finished_at=world.clock()))
    watch = replace(world.watch, plan=replace(world.watch.plan, temperature=0.5))
    queued = poll(watch, FakeSource([checkpoint("equal")]), world.clock()).queued
    assert [e.key.purpose for e in queued] == [Purpose.BANK, Purpose.CANDIDATE]


@pytest.mark.parametrize(("retryable", "revived"), [(True, 1), (False, 0)])
async def test_what_failed_for_a_reason_that_may_pass_is_queued_again_after_a_while(
    world, retryable, revived
):
    await world.with_baseline()
    source = FakeSource([checkpoint("equal")])
    wanted = candidate(world.watch, checkpoint("equal"), baseline_of(world.watch), now=world.clock())
    failed = replace(wanted, state=State.FAILED, finished_at=world.clock(), retryable=retryable)
    world.store.save(failed)
    world.clock.pass_s(REVIVE_S - 1)
    assert poll(world.watch, source, world.clock()).queued == ()
    world.clock.pass_s(1)
    assert len(poll(world.watch, source, world.clock()).queued) == revived
    assert poll(world.watch, source, world.clock()).queued == ()


async def test_the_promoted_checkpoint_is_rechecked_when_it_is_time_and_not_before(world):
    await world.with_baseline()
    assert recheck(world.watch, every_s=3600, now=world.clock()) is None
    world.clock.pass_s(3601)
    assert recheck(world.watch, every_s=3600, now=world.clock()).key.purpose is Purpose.RECHECK
    assert recheck(world.watch, every_s=3600, now=world.clock()) is None


async def test_a_clock_that_was_set_back_puts_off_no_recheck_and_makes_only_one(world):
    await world.with_baseline()
    earlier = world.clock() - timedelta(days=7)
    again = recheck(world.watch, every_s=3600, now=earlier)
    assert again is not None
    assert recheck(world.watch, every_s=3600, now=earlier + timedelta(minutes=59)) is None
    assert recheck(world.watch, every_s=3600, now=earlier + timedelta(minutes=60)) is not None


async def test_a_clock_that_was_set_back_puts_off_no_second_try(world):
    await world.with_baseline()
    source = FakeSource([checkpoint("equal")])
    (queued,) = poll(world.watch, source, world.clock()).queued
    world.store.save(
        replace(queued, state=State.FAILED, finished_at=world.clock(), retryable=True, trouble="Out of luck.")
    )
    assert len(poll(world.watch, source, world.clock() - timedelta(days=7)).queued) == 1


def test_nothing_is_adopted_as_the_first_while_an_older_one_may_still_be_read(world):
    watch = replace(world.watch, baseline="first")
    source = FakeSource([checkpoint("equal")], unread=["huge"])
    result = poll(watch, source, world.clock())
    assert (result.baseline, result.unread) == (None, ("huge",))
    source.unread.clear()
    assert poll(watch, source, world.clock()).baseline == checkpoint("equal").digest


def test_a_name_that_two_checkpoints_bear_is_refused_with_their_digests(world):
    for digest in ("a" * 64, "b" * 64):
        world.store.remember("acme", replace(checkpoint("x"), digest=digest), now=world.clock())
    with pytest.raises(InvalidInput, match="aaaaaaaaaaaa, bbbbbbbbbbbb"):
        find(world.watch, "x")
    assert find(world.watch, "aaaaaa").digest == "a" * 64
    assert answer(world, "x").kind is DecisionKind.HOLD


def test_a_name_is_found_as_it_is_shown_and_as_the_folder_has_it(world):
    bytes_name, literal = (
        replace(checkpoint("a"), name="caf\\xe9"),
        replace(checkpoint("b"), name="caf\\\\xe9"),
    )
    for known in (bytes_name, literal):
        world.store.remember("acme", known, now=world.clock())
    assert find(world.watch, "caf\udce9") == bytes_name
    # What is shown comes first: a folder's own name may look like another's in printable form.
    assert find(world.watch, "caf\\xe9") == bytes_name
    assert find(world.watch, "caf\\\\xe9") == literal
