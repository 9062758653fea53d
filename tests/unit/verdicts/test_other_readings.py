"""Temperature 0, recorded outcomes, plans, flips and slow decline, from observations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.errors import InvalidOutcomes
from monitor.domain.evidence import DecisionKind, FindingKind, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.verdicts.changes import decline_over, flipped_tasks
from monitor.verdicts.decision import Circumstances, decide
from monitor.verdicts.greedy import assess_greedy
from monitor.verdicts.plan import plan
from monitor.verdicts.policy import Policy
from monitor.verdicts.rules import rules_for

from .outcomes import BROKEN, RATIOS, bank, wave_of

BANK = bank()
GREEDY_BANK = bank({BROKEN: 0.6}, tasks=120, depth=1)
GREEDY = Policy(confirm=False)


def answers(lost: int, unscored: int = 0):
    """The bank's own answers, of which the first so many passes are lost."""
    given = []
    for one in GREEDY_BANK.observations:
        passed = one.passed
        if passed and lost:
            passed, lost = False, lost - 1
        elif unscored:
            passed, unscored = None, unscored - 1
        given.append(replace(one, passed=passed))
    return given


def test_the_same_greedy_answers_are_steady():
    assessment = assess_greedy(GREEDY_BANK, answers(lost=0), GREEDY)
    assert assessment.findings[0].kind is FindingKind.STEADY
    assert assessment.wanted == ()
    assert decide(assessment, GREEDY, Circumstances()).kind is DecisionKind.PROMOTE


def test_many_lost_greedy_answers_reject():
    assessment = assess_greedy(GREEDY_BANK, answers(lost=25), GREEDY)
    assert decide(assessment, GREEDY, Circumstances()).kind is DecisionKind.REJECT
    assert assessment.findings[0].evidence.delta_high < 0


def test_a_few_lost_greedy_answers_of_few_tasks_are_undecided():
    few = bank({BROKEN: 0.6}, tasks=20, depth=1)
    given = [
        replace(one, passed=bool(one.passed) and number > 3) for number, one in enumerate(few.observations)
    ]
    finding = assess_greedy(few, given, GREEDY).findings[0]
    assert finding.cause is ReasonCode.BASELINE_UNDERPOWERED


def test_missing_and_unscored_greedy_answers_are_undecided():
    missing = assess_greedy(GREEDY_BANK, answers(lost=0)[:50], GREEDY)
    assert missing.findings[0].kind is FindingKind.UNDECIDED
    assert missing.wanted[0].samples == 70
    lost = assess_greedy(GREEDY_BANK, answers(lost=0, unscored=30), GREEDY)
    assert lost.findings[0].cause is ReasonCode.TOO_MANY_UNSCORED
    assert assess_greedy(GREEDY_BANK, [], GREEDY).findings[0].evidence.delta is None


def planned(bank, policy, **how):
    return plan(bank, rules_for(policy, greedy=False), **how)


def test_a_plan_says_what_each_stratum_takes_and_whether_the_bank_bears_it():
    plans = planned(BANK, Policy())
    assert [one.stratum for one in plans] == [Stratum.TAIL, Stratum.TORSO, Stratum.HEAD]
    assert all(one.feasible and 30 <= one.unchanged_samples < one.dropped_samples for one in plans)
    narrow = planned(BANK, Policy(margin={Stratum.TAIL: 0.03}))[0]
    assert not narrow.feasible
    assert narrow.required_depth > 100
    assert planned(BANK, Policy(), correlation=0.8)[0].unchanged_samples < plans[0].unchanged_samples
    with pytest.raises(InvalidOutcomes):
        planned(replace(BANK, observations=()), Policy())


def test_a_plan_counts_the_confirmation_where_there_is_one():
    policy = Policy(critical=frozenset({Stratum.TAIL}))
    tail, torso, head = planned(BANK, policy)
    assert tail.confirming_samples >= policy.minimum_samples
    assert torso.confirming_samples == head.confirming_samples == 0
    assert planned(BANK, replace(policy, confirm=False))[0].confirming_samples == 0


@pytest.mark.parametrize(("tasks", "feasible"), [(49, False), (50, True)])
def test_a_plan_for_temperature_nought_asks_each_task_once_and_wants_tasks_not_depth(tasks, feasible):
    greedy = bank({BROKEN: 0.6}, tasks=tasks, depth=1)
    (found,) = plan(greedy, rules_for(Policy(), greedy=True))
    assert found.unchanged_samples == found.dropped_samples == found.most_samples == tasks
    assert (found.required_depth, found.confirming_samples) == (None, 0)
    # One stratum at 0.9·0.05: five losses and no gain make 2^-5 = .031, and five are a tenth of fifty.
    assert (found.required_tasks, found.feasible) == (50, feasible)


def test_as_many_tasks_as_a_greedy_plan_wants_do_show_the_margin():
    policy = GREEDY
    required = plan(bank({BROKEN: 1.0}, tasks=50, depth=1), rules_for(policy, greedy=True))[0].required_tasks
    enough = bank({BROKEN: 1.0}, tasks=required, depth=1)
    same = list(enough.observations)
    lost = round(0.1 * required)
    worse = [replace(one, passed=number >= lost) for number, one in enumerate(same)]
    assert assess_greedy(enough, same, policy).findings[0].kind is FindingKind.STEADY
    assert assess_greedy(enough, worse, policy).findings[0].kind is FindingKind.REGRESSED


def test_tasks_that_flipped_are_named():
    given = [
        replace(one, passed=False) if one.task_id == "head/000" else one
        for one in wave_of(BANK, range(16), RATIOS)
    ]
    assert [flip.task_id for flip in flipped_tasks(BANK, given)] == ["head/000"]


def test_a_slow_decline_adds_up_over_checkpoints():
    def stream(step: float):
        return [wave_of(BANK, range(2), {BROKEN: 0.5 - step * n}, seed=100 + n) for n in range(12)]

    assert decline_over(BANK, stream(0.015)).alarm
    assert not decline_over(BANK, stream(0.0)).alarm
    tailless = bank({Stratum.HEAD: 0.9})
    assert decline_over(tailless, [wave_of(tailless, range(1), RATIOS)]).evidence == 0.0
