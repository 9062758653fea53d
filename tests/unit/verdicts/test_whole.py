"""Recorded outcomes, weighed whole; and what early looks and UNSCORED samples may not say."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import Confirmation, DecisionKind, FindingKind, Observation, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.verdicts.assessment import assess
from monitor.verdicts.policy import Policy
from monitor.verdicts.recorded import decide_recorded
from monitor.verdicts.rules import judge, rules_for
from monitor.verdicts.whole import assess_whole

from .outcomes import RATIOS, bank, task_id, wave_of

TAIL = {Stratum.TAIL: 0.5}
BANK = bank(TAIL, depth=32)
POLICY = Policy()
WIDE = dict.fromkeys(Stratum, 0.25)
SHOWN = {FindingKind.STEADY, FindingKind.IMPROVED}


def log(passes: list[bool | None], *, against=BANK) -> list[Observation]:
    """A log of the tail whose samples end so, in passes over its tasks, each line a wave."""
    return [
        replace(one, wave=wave, passed=passed)
        for wave, (one, passed) in enumerate(
            zip(sorted(against.observations, key=lambda one: one.index), passes, strict=False)
        )
    ]


def misleading(count: int, lost: int) -> list[bool | None]:
    """Passes at first, so that an early look is pleased; all together the tail has lost a good tenth."""
    passed = round(count * BANK_RATE) - lost
    return [True] * 40 + [number < passed - 40 for number in range(count - 40)]


BANK_RATE = sum(bool(one.passed) for one in BANK.observations) / len(BANK.observations)


def test_a_log_that_lost_twelve_points_is_not_called_no_worse_after_its_first_lines():
    recorded = log(misleading(556, lost=66))
    decision = decide_recorded(BANK, recorded, rules_for(POLICY, greedy=False))
    (finding,) = decision.findings
    assert finding.kind is FindingKind.REGRESSED
    assert finding.evidence.samples == finding.evidence.decided_at == 556
    assert finding.evidence.delta == pytest.approx(-0.119, abs=0.01)
    assert not any(reason.code is ReasonCode.NON_INFERIOR for reason in decision.reasons)


def test_a_stream_that_was_steady_at_first_is_undecided_when_all_of_it_says_otherwise():
    recorded = log(misleading(556, lost=66))
    decision = decide_recorded(BANK, recorded, rules_for(POLICY, greedy=False), in_order=True)
    (finding,) = decision.findings
    assert finding.evidence.decided_at < 60
    assert finding.kind is FindingKind.UNDECIDED
    assert "556 exceed it" in finding.evidence.problem


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), drop=st.sampled_from([0.0, 0.05, 0.1, 0.15]), count=st.integers(40, 960))
def test_no_estimate_beyond_the_margin_stands_beside_non_inferior(seed, drop, count):
    rng = random.Random(seed)
    recorded = log([rng.random() < 0.5 - drop for _ in range(count)])
    for found in (assess_whole(BANK, recorded, POLICY), assess(BANK, recorded, POLICY)):
        evidence = found.findings[0].evidence
        assert evidence.delta_low <= evidence.delta <= evidence.delta_high
        if found.findings[0].kind in SHOWN:
            assert evidence.delta > -evidence.margin


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_recorded_lines_does_not_matter(seed):
    recorded = wave_of(BANK, range(4), TAIL, seed=seed)
    shuffled = [
        replace(one, wave=wave)
        for wave, one in enumerate(random.Random(seed).sample(recorded, len(recorded)))
    ]
    assert assess_whole(BANK, shuffled, POLICY).findings == assess_whole(BANK, recorded, POLICY).findings


@pytest.mark.parametrize("answered", ["what it passes", "what the baseline never passes"])
def test_a_log_that_leaves_tasks_out_is_not_called_no_worse(answered):
    passing = {task_id(Stratum.TAIL, number) for number in range(30)}
    against = replace(
        BANK, observations=tuple(replace(one, passed=one.task_id in passing) for one in BANK.observations)
    )
    kept = [one for one in against.observations if (one.task_id in passing) is (answered == "what it passes")]
    decision = decide_recorded(against, kept, rules_for(POLICY, greedy=False))
    (finding,) = decision.findings
    assert (decision.kind, finding.kind) == (DecisionKind.HOLD, FindingKind.UNDECIDED)
    assert "30 of 60 tasks have no outcome" in decision.reasons[0].text
    assert finding.evidence.decided_at is None
    # Those that were left out do not excuse what was lost of the others.
    worse = [replace(one, passed=False) for one in against.observations if one.task_id in passing]
    assert assess_whole(against, worse, POLICY).findings[0].kind is FindingKind.REGRESSED


def test_a_log_without_its_failures_is_not_called_no_worse():
    worse = wave_of(BANK, range(20), {Stratum.TAIL: 0.25})
    answered = {one.task_id for one in worse if one.passed}
    kept = [one for one in worse if one.passed or (one.task_id not in answered and one.index == 0)]
    assert {one.task_id for one in kept} == {one.task_id for one in BANK.observations}
    decision = decide_recorded(BANK, kept, rules_for(POLICY, greedy=False))
    (finding,) = decision.findings
    assert (decision.kind, finding.kind) == (DecisionKind.HOLD, FindingKind.UNDECIDED)
    assert "have no line, although others of their task follow" in decision.reasons[0].text
    # As nulls they are too many, and where they are not, they count as if they had failed.
    named = [one if one in kept else replace(one, passed=None) for one in worse]
    assert decide_recorded(BANK, named, rules_for(POLICY, greedy=False)).kind is DecisionKind.HOLD


@pytest.mark.parametrize("dealt", ["cut off", "fewer of some tasks", "numbered from 5 on", "every other one"])
def test_a_log_with_fewer_samples_than_the_bank_skips_none(dealt):
    kept = {
        "cut off": log([number % 2 == 0 for number in range(7 * 60 + 30)]),
        "fewer of some tasks": [
            one
            for one in wave_of(BANK, range(8), TAIL)
            if one.index < 2 or one.task_id < task_id(Stratum.TAIL, 40)
        ],
        "numbered from 5 on": wave_of(BANK, range(5, 13), TAIL),
        "every other one": [one for one in wave_of(BANK, range(16), TAIL) if one.index % 2],
    }[dealt]
    decision = decide_recorded(BANK, kept, rules_for(Policy(margin=WIDE), greedy=False))
    assert decision.kind is DecisionKind.PROMOTE


@pytest.mark.parametrize("greedy", [False, True])
def test_what_the_baseline_has_no_result_of_hides_no_failure(greedy):
    against = replace(
        BANK, observations=tuple(replace(one, passed=_first(one) or None) for one in BANK.observations)
    )
    failed = [replace(one, passed=_first(one)) for one in against.observations]
    with pytest.raises(InvalidOutcomes, match="90% of the baseline's samples in tail have no result"):
        decide_recorded(against, failed, rules_for(POLICY, greedy=greedy))


def _first(one: Observation) -> bool:
    return one.task_id < task_id(Stratum.TAIL, 6)


def test_reasons_call_no_recorded_sample_fresh():
    worse = wave_of(BANK, range(32), {Stratum.TAIL: 0.25})
    (reason,) = decide_recorded(BANK, worse, rules_for(POLICY, greedy=False)).reasons
    assert "confirmed with 960 samples against the second half of the bank" in reason.text


def test_a_regression_is_confirmed_by_both_halves_or_waits():
    worse = {Stratum.TAIL: 0.25}
    (found,) = assess_whole(BANK, wave_of(BANK, range(32), worse), POLICY).findings
    assert (found.kind, found.confirmation) == (FindingKind.REGRESSED, Confirmation.CONFIRMED)
    assert found.evidence.samples == 60 * 32
    (half,) = assess_whole(BANK, wave_of(BANK, range(4), worse), POLICY).findings
    assert (half.kind, half.confirmation) == (FindingKind.REGRESSED, Confirmation.PENDING)
    recovered = wave_of(BANK, range(16), worse) + wave_of(BANK, range(16, 32), TAIL)
    (mixed,) = assess_whole(BANK, recovered, POLICY).findings
    assert mixed.confirmation is Confirmation.REFUTED
    fallen = wave_of(BANK, range(16), TAIL) + wave_of(BANK, range(16, 32), {Stratum.TAIL: 0.0})
    (late,) = assess_whole(BANK, fallen, POLICY).findings
    assert (late.kind, late.confirmation) == (FindingKind.REGRESSED, Confirmation.PENDING)
    (plain,) = assess_whole(BANK, wave_of(BANK, range(4), worse), Policy(confirm=False)).findings
    assert plain.confirmation is Confirmation.NOT_NEEDED


def test_only_a_test_that_stopped_at_its_decision_says_that_it_stopped_early():
    steady = [wave_of(BANK, range(n, n + 1), TAIL, wave=n) for n in range(4)]
    for stored, early in ((steady[:2], True), (steady, False)):
        (finding,) = assess(BANK, [one for wave in stored for one in wave], POLICY).findings
        assert finding.kind is FindingKind.STEADY
        assert finding.evidence.stopped_early is early
    (whole,) = assess_whole(BANK, steady[0] + steady[1], POLICY).findings
    assert not whole.evidence.stopped_early


def test_failures_hidden_as_unscored_do_not_make_a_drop_steady():
    against = bank({Stratum.TAIL: 0.9}, depth=32)
    rng = random.Random(3)
    drawn = [rng.random() < 0.82 for _ in range(960)]
    hidden, failed = [], 0
    for passed in drawn:
        hide = not passed and failed < 0.05 * (len(hidden) + 1) - 1
        failed += hide
        hidden.append(None if hide else passed)
    policy = Policy(confirm=False)
    assert assess(against, log(drawn, against=against), policy).findings[0].kind not in SHOWN
    for weigh in (assess, assess_whole):
        (finding,) = weigh(against, log(hidden, against=against), policy).findings
        assert finding.evidence.unscored <= 0.05 * 960
        assert finding.kind not in SHOWN


def greedy_log(lost: int, unscored: int) -> list[Observation]:
    return [
        Observation(
            task_id=task_id(Stratum.TAIL, number),
            stratum=Stratum.TAIL,
            index=0,
            wave=0,
            passed=None if number < unscored else number >= unscored + lost,
        )
        for number in range(100)
    ]


def test_at_temperature_0_unscored_answers_count_as_failed_for_steady():
    passing = replace(BANK, observations=tuple(greedy_log(0, 0)))
    rules = rules_for(Policy(), greedy=True)
    kinds = {unscored: judge(passing, greedy_log(2, unscored), rules).findings[0].kind for unscored in (0, 5)}
    assert kinds[0] is FindingKind.STEADY
    assert kinds[5] is not FindingKind.STEADY


def test_recorded_strata_all_have_a_finding_and_nothing_is_wanted():
    against = bank(RATIOS)
    found = assess_whole(against, wave_of(against, range(8), RATIOS), POLICY)
    assert {finding.evidence.stratum for finding in found.findings} == set(RATIOS)
    assert {finding.kind for finding in found.findings} <= SHOWN
    assert found.wanted == ()
