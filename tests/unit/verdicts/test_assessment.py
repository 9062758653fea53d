"""What is concluded from stored observations, and what is drawn next."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Bank, Boundary, Confirmation, FindingKind, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.verdicts.assessment import Phase, assess
from monitor.verdicts.pairing import leave_out
from monitor.verdicts.policy import Depth, Policy

from .outcomes import BROKEN, DEPTH, RATIOS, TASKS, bank, run, task_id, wave_of

BANK = bank()
POLICY = Policy()
WORSE = {**RATIOS, BROKEN: 0.2}


def kinds(assessment):
    return {finding.evidence.stratum: finding.kind for finding in assessment.findings}


def test_an_unchanged_candidate_is_steady_everywhere():
    assessment, _ = run(BANK, RATIOS, POLICY)
    assert set(kinds(assessment).values()) == {FindingKind.STEADY}
    for finding in assessment.findings:
        assert finding.evidence.boundary is Boundary.LOWER
        assert finding.evidence.delta_low > -finding.evidence.margin


def test_a_broken_tail_is_confirmed_with_the_other_half_of_the_indices_and_stops_the_rest():
    assessment, drawn = run(BANK, WORSE, POLICY)
    tail = assessment.findings[0]
    assert (tail.kind, tail.confirmation) == (FindingKind.REGRESSED, Confirmation.CONFIRMED)
    assert tail.evidence.delta_high < 0 < tail.confirming.samples
    halves = [{one.index < DEPTH // 2 for one in drawn if one.wave == wave} for wave in (0, 2)]
    assert True in halves[0]
    assert {one.stratum for one in drawn if one.index >= DEPTH // 2} == {BROKEN}
    assert assessment.wanted == ()


def test_a_false_alarm_is_refuted_and_the_other_strata_go_on():
    assessment, _ = run(BANK, WORSE, POLICY, confirming=RATIOS)
    assert assessment.findings[0].confirmation is Confirmation.REFUTED
    assert set(kinds(assessment).values()) == {FindingKind.REGRESSED, FindingKind.STEADY}


def test_while_a_confirmation_is_pending_nothing_else_is_wanted():
    observations = wave_of(BANK, range(2), WORSE)
    (want,) = assess(BANK, observations, POLICY).wanted
    assert (want.stratum, want.phase) == (BROKEN, Phase.CONFIRMATION)
    assert want.indices == tuple(range(DEPTH // 2, DEPTH))


def test_the_first_wants_are_all_strata_rarest_first_with_the_first_half_of_the_indices():
    wanted = assess(BANK, [], POLICY).wanted
    assert [want.stratum for want in wanted] == [Stratum.TAIL, Stratum.TORSO, Stratum.HEAD]
    assert all(want.indices == tuple(range(DEPTH // 2)) and want.samples > 30 for want in wanted)


def test_without_confirmation_all_indices_screen():
    policy = Policy(confirm=False)
    assert assess(BANK, [], policy).wanted[0].indices == tuple(range(DEPTH))
    assessment, _ = run(BANK, WORSE, policy)
    assert assessment.findings[0].confirmation is Confirmation.NOT_NEEDED
    assert assessment.wanted == ()


def test_an_advisory_stratum_is_not_confirmed_and_stops_nothing():
    assessment, _ = run(BANK, WORSE, Policy(critical=frozenset({Stratum.HEAD, Stratum.TORSO})))
    assert assessment.findings[0].confirmation is Confirmation.NOT_NEEDED
    assert set(kinds(assessment).values()) == {FindingKind.REGRESSED, FindingKind.STEADY}


def test_full_depth_draws_everything_and_keeps_the_decision():
    small = bank(tasks=40, depth=8)
    assessment, drawn = run(small, RATIOS, Policy(depth=Depth.FULL, margin=dict.fromkeys(Stratum, 0.2)))
    assert len(drawn) == 3 * 40 * 8
    assert all(finding.evidence.decided_at <= 40 * 4 for finding in assessment.findings)
    assert all(finding.evidence.samples == 40 * 4 for finding in assessment.findings)


def test_at_full_depth_open_tests_come_first_and_then_all_that_is_planned():
    policy = Policy(depth=Depth.FULL)
    wanted = assess(BANK, wave_of(BANK, range(3), {BROKEN: 0.5}), policy).wanted
    assert [want.stratum for want in wanted[:2]] == [Stratum.TORSO, Stratum.HEAD]
    rest = {(want.stratum, want.phase): want.samples for want in wanted[2:]}
    assert rest[Stratum.TAIL, Phase.SCREENING] == TASKS * (DEPTH // 2 - 3)
    assert rest[Stratum.TAIL, Phase.CONFIRMATION] == TASKS * DEPTH // 2
    assert len(rest) == 6


def test_at_full_depth_a_confirmed_regression_is_kept_while_the_rest_is_drawn():
    assessment, drawn = run(BANK, WORSE, Policy(depth=Depth.FULL))
    tail = assessment.findings[0]
    assert (tail.kind, tail.confirmation) == (FindingKind.REGRESSED, Confirmation.CONFIRMED)
    assert len(drawn) == 3 * TASKS * DEPTH


def test_a_better_candidate_is_improved():
    assessment, _ = run(BANK, {**RATIOS, BROKEN: 0.95}, POLICY)
    assert kinds(assessment)[BROKEN] is FindingKind.IMPROVED
    assert assessment.findings[0].evidence.delta_low > 0


def test_the_same_samples_as_the_bank_need_no_more_than_one_pass():
    twins = {(one.task_id, one.index): one.passed for one in BANK.observations}
    observations = [
        replace(one, passed=twins[one.task_id, one.index]) for one in wave_of(BANK, range(1), RATIOS)
    ]
    assessment = assess(BANK, observations, POLICY)
    assert assessment.findings[0].kind is FindingKind.STEADY
    assert assessment.findings[0].evidence.coupling > 0.9
    assert assessment.findings[0].evidence.correlation == pytest.approx(1.0)


@pytest.mark.parametrize("off", [{"coupling": False}, {}])
def test_coupling_is_off_where_policy_or_engine_do_not_bear_it(off):
    against = BANK if off else replace(BANK, seed_stable=False)
    observations = wave_of(against, range(1), RATIOS)
    assert assess(against, observations, Policy(**off)).findings[0].evidence.coupling == 0.0


def test_a_stratum_without_candidate_samples_is_undecided_and_wanted():
    observations = wave_of(BANK, range(3), {Stratum.HEAD: 0.9, Stratum.TORSO: 0.7})
    assessment = assess(BANK, observations, POLICY)
    assert assessment.findings[0].kind is FindingKind.UNDECIDED
    assert assessment.findings[0].evidence.delta is None
    assert assessment.wanted[0].stratum is Stratum.TAIL


def test_one_bank_sample_per_task_is_underpowered_with_the_depth_that_would_do():
    assessment = assess(bank(depth=1), [], POLICY)
    assert all(finding.cause is ReasonCode.BASELINE_UNDERPOWERED for finding in assessment.findings)
    small = assess(bank(depth=2, tasks=20), [], POLICY).findings[0]
    assert "n0 = " in small.evidence.problem
    assert assessment.wanted == ()


def test_when_the_indices_run_out_the_stratum_stays_undecided_and_says_what_it_could_show():
    # This bank just bears a margin of .11; the drop of .06 lies midway, where the test takes longest.
    against = bank(tasks=40, depth=32)
    observations = wave_of(against, range(16), {Stratum.TAIL: 0.452})
    finding = assess(against, observations, Policy(margin={Stratum.TAIL: 0.11})).findings[0]
    assert finding.kind is FindingKind.UNDECIDED
    assert finding.cause is ReasonCode.STRATUM_UNDECIDED
    assert "without a conclusion" in finding.evidence.problem
    assert finding.evidence.minimum_detectable_delta == 0.11


def test_too_many_unscored_samples_leave_a_stratum_undecided():
    assessment, _ = run(BANK, RATIOS, POLICY, unscored=0.3)
    assert {finding.cause for finding in assessment.findings} == {ReasonCode.TOO_MANY_UNSCORED}
    assert assessment.wanted == ()


def test_a_stratum_that_always_passes_is_decided_without_nonsense():
    against = bank({Stratum.TAIL: 1.0})
    assessment, drawn = run(against, {Stratum.TAIL: 1.0}, POLICY)
    assert assessment.findings[0].kind is FindingKind.STEADY
    assert len(drawn) >= POLICY.minimum_samples


def test_an_all_pass_stratum_that_falls_regresses():
    against = bank({Stratum.TAIL: 1.0})
    assessment, _ = run(against, {Stratum.TAIL: 0.8}, POLICY)
    assert assessment.findings[0].confirmation is Confirmation.CONFIRMED


def test_outcomes_that_do_not_fit_are_refused():
    extra = wave_of(BANK, range(1), {Stratum.TAIL: 0.5})[0]
    for observations in (
        [extra, extra],
        [replace(extra, task_id="tail/unknown")],
        [replace(extra, stratum=Stratum.HEAD)],
    ):
        with pytest.raises(InvalidOutcomes):
            assess(BANK, observations, POLICY)
    with pytest.raises(InvalidOutcomes):
        assess(Bank(checkpoint="b", observations=(), seed_stable=True), [], POLICY)
    with pytest.raises(InvalidOutcomes):
        assess(replace(BANK, observations=BANK.observations[:1] * 2), [], POLICY)


def test_left_out_tasks_count_on_neither_side():
    kept = leave_out(BANK, {task_id(Stratum.TAIL, 0)})
    assert assess(kept, [], POLICY).findings[0].evidence.tasks == TASKS - 1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), drop=st.sampled_from([0.0, 0.1, 0.3]))
def test_the_order_of_observations_does_not_matter(seed, drop):
    observations = [
        one
        for wave in range(3)
        for one in wave_of(BANK, range(wave, wave + 1), {BROKEN: 0.5 - drop}, wave=wave, seed=seed)
    ]
    shuffled = list(observations)
    random.Random(seed).shuffle(shuffled)
    assert assess(BANK, shuffled, POLICY) == assess(BANK, observations, POLICY)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_more_unscored_samples_never_turn_an_answer_into_a_better_one(seed):
    observations = wave_of(BANK, range(2), {BROKEN: 0.5}, seed=seed)
    lost = wave_of(BANK, range(2, 2 + seed % 4), {BROKEN: 0.5}, seed=seed, unscored=1.0)
    before = assess(BANK, observations, POLICY).findings[0].kind
    after = assess(BANK, observations + lost, POLICY).findings[0].kind
    assert after in {before, FindingKind.UNDECIDED}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), drop=st.sampled_from([0.0, 0.1, 0.2]))
def test_what_was_decided_is_found_again_however_much_is_stored_later(seed, drop):
    waves = [
        wave_of(BANK, range(wave, wave + 1), {BROKEN: 0.5 - drop}, wave=wave, seed=seed) for wave in range(4)
    ]
    decided = None
    for count in range(1, 5):
        stored = [one for wave in waves[:count] for one in wave]
        finding = assess(BANK, stored, POLICY).findings[0]
        if decided is not None:
            assert (finding.kind, finding.evidence.decided_at) == decided
        if finding.evidence.decided_at is not None:
            decided = (finding.kind, finding.evidence.decided_at)
