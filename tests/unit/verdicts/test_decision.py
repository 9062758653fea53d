"""From findings to PROMOTE, REJECT or HOLD."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.checkpoint import Lineage, Review
from monitor.domain.drift import Indicator, IndicatorName, Trend, Unmeasured
from monitor.domain.errors import InvalidConfig
from monitor.domain.evidence import DecisionKind, DriftSignal, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.stats.decline import Decline
from monitor.verdicts.assessment import Assessment, assess
from monitor.verdicts.decision import Circumstances, decide
from monitor.verdicts.policy import Policy

from .outcomes import BROKEN, RATIOS, bank, run, wave_of

BANK = bank()
POLICY = Policy()
WORSE = {**RATIOS, BROKEN: 0.2}
CALM = Circumstances()
STEADY, _ = run(BANK, RATIOS, POLICY)
BROKEN_TAIL, _ = run(BANK, WORSE, POLICY)
UNREPEATED, _ = run(BANK, WORSE, POLICY, confirming=RATIOS)
SIGNAL = DriftSignal(signal="tokens", method="ks", score=0.001, threshold=0.01, detected=True)
WARNING = Indicator(
    name=IndicatorName.COLLISION,
    method="sign flips of whole tasks",
    value=0.6,
    baseline=0.4,
    p_value=0.0001,
    alpha=0.001,
    noise_floor=0.05,
    clusters=100,
    stratum=Stratum.TAIL,
)


def codes(decision):
    return [reason.code for reason in decision.reasons]


def test_non_inferior_strata_promote_with_a_reason_each():
    decision = decide(STEADY, POLICY, CALM)
    assert decision.kind is DecisionKind.PROMOTE
    assert codes(decision) == [ReasonCode.NON_INFERIOR] * 3
    assert decision.findings == STEADY.findings


def test_a_confirmed_regression_rejects_in_words_an_operator_understands():
    decision = decide(BROKEN_TAIL, POLICY, CALM)
    assert decision.kind is DecisionKind.REJECT
    first = decision.reasons[0]
    assert first.code is ReasonCode.STRATUM_REGRESSED
    assert first.text.startswith("tail lost ")
    assert "against a margin of 10; " in first.text
    assert "confirmed with " in first.text
    assert first.figures["delta"] < -0.1


def test_a_regression_that_fresh_samples_do_not_repeat_holds():
    decision = decide(UNREPEATED, POLICY, CALM)
    assert decision.kind is DecisionKind.HOLD
    assert decision.reasons[0].code is ReasonCode.REGRESSION_UNCONFIRMED
    assert "did not repeat it" in decision.reasons[0].text


def test_without_samples_it_holds():
    decision = decide(assess(BANK, [], POLICY), POLICY, CALM)
    assert decision.kind is DecisionKind.HOLD
    assert set(codes(decision)) == {ReasonCode.STRATUM_UNDECIDED}


def test_without_any_critical_stratum_it_holds():
    assert decide(Assessment(findings=(), wanted=()), POLICY, CALM).kind is DecisionKind.HOLD


def test_an_advisory_regression_is_said_and_does_not_stop_a_promotion():
    policy = Policy(critical=frozenset(Stratum) - {BROKEN})
    assessment, _ = run(BANK, WORSE, policy)
    decision = decide(assessment, policy, CALM)
    assert decision.kind is DecisionKind.PROMOTE
    assert ReasonCode.ADVISORY_REGRESSED in codes(decision)


@pytest.mark.parametrize(
    ("circumstances", "code"),
    [
        (Circumstances(canaries=16, excluded_tasks=8), ReasonCode.CANARY_FAILED),
        (Circumstances(environment_changed=("dtype",)), ReasonCode.ENVIRONMENT_CHANGED),
    ],
)
@pytest.mark.parametrize("assessment", [STEADY, BROKEN_TAIL])
def test_our_own_trouble_holds_whatever_the_samples_say(assessment, circumstances, code):
    decision = decide(assessment, POLICY, circumstances)
    assert decision.kind is DecisionKind.HOLD
    assert decision.reasons[0].code is code


def test_a_few_failing_canaries_are_borne():
    assert decide(STEADY, POLICY, Circumstances(canaries=16, excluded_tasks=2)).kind is DecisionKind.PROMOTE


def test_a_signal_holds_only_where_the_policy_names_it_and_never_rejects():
    moved = Circumstances(indicators=(WARNING,), signals=(SIGNAL,))
    listed = decide(STEADY, POLICY, moved)
    assert listed.kind is DecisionKind.PROMOTE
    assert {ReasonCode.COLLAPSE_INDICATOR, ReasonCode.DRIFT} < set(codes(listed))
    held = decide(STEADY, Policy(holding_signals=frozenset({"collision"})), moved)
    assert held.kind is DecisionKind.HOLD
    assert held.reasons[0].code is ReasonCode.COLLAPSE_INDICATOR


def test_an_indicator_below_its_noise_floor_is_no_reason():
    quiet = replace(WARNING, noise_floor=0.3)
    assert ReasonCode.COLLAPSE_INDICATOR not in codes(
        decide(STEADY, POLICY, Circumstances(indicators=(quiet,)))
    )


def holding(*names):
    return Policy(holding_signals=frozenset(names))


EVERYWHERE = tuple(replace(WARNING, p_value=1.0, stratum=stratum) for stratum in Stratum)


@pytest.mark.parametrize(
    "name", ["rare-code-nll", "rubber-stamp", "tokens", "outcome=failed", "finish_reason"]
)
def test_what_the_policy_holds_on_and_nobody_measured_holds(name):
    held = decide(STEADY, holding(name), Circumstances(indicators=EVERYWHERE))
    assert held.kind is DecisionKind.HOLD
    assert codes(held)[0] is ReasonCode.INDICATOR_MISSING
    assert name in held.reasons[0].text


def test_an_indicator_that_one_critical_stratum_lacks_holds_and_names_it():
    policy = holding("collision")
    assert decide(STEADY, policy, Circumstances(indicators=EVERYWHERE)).kind is DecisionKind.PROMOTE
    some = tuple(each for each in EVERYWHERE if each.stratum is not Stratum.TAIL)
    held = decide(STEADY, policy, Circumstances(indicators=some))
    assert codes(held)[0] is ReasonCode.INDICATOR_MISSING
    assert "not measured in tail" in held.reasons[0].text
    advisory = replace(policy, critical=frozenset({Stratum.HEAD, Stratum.TORSO}))
    assert ReasonCode.INDICATOR_MISSING not in codes(decide(STEADY, advisory, Circumstances(indicators=some)))


def test_rare_code_has_no_torso_and_needs_none():
    rare = tuple(replace(each, name="rare-code-nll") for each in EVERYWHERE)
    policy = holding("rare-code-nll")
    two = tuple(each for each in rare if each.stratum is not Stratum.TORSO)
    assert decide(STEADY, policy, Circumstances(indicators=two)).kind is DecisionKind.PROMOTE
    none = tuple(each for each in rare if each.stratum is not Stratum.TAIL)
    assert decide(STEADY, policy, Circumstances(indicators=none)).kind is DecisionKind.HOLD


@pytest.mark.parametrize("stratum", [None, Stratum.HEAD])
def test_what_could_not_have_warned_holds_with_the_reason(stratum):
    gap = Unmeasured(name="outcome", stratum=stratum, why="fewer than 30 samples have a value")
    circumstances = Circumstances(signals=(replace(SIGNAL, detected=False),), unmeasured=(gap,))
    assert decide(STEADY, holding("tokens"), circumstances).kind is DecisionKind.PROMOTE
    held = decide(STEADY, holding("outcome=failed"), circumstances)
    assert held.kind is DecisionKind.HOLD
    assert held.reasons[0].text.endswith("the policy holds on it: fewer than 30 samples have a value.")


def test_a_column_that_the_policy_names_holds_by_any_of_its_values():
    signals = (replace(SIGNAL, signal="outcome=failed"),)
    held = decide(STEADY, holding("outcome"), Circumstances(signals=signals))
    assert codes(held)[0] is ReasonCode.DRIFT
    assert held.kind is DecisionKind.HOLD
    other = decide(STEADY, holding("outcome=crashed"), Circumstances(signals=signals))
    assert other.kind is DecisionKind.PROMOTE


def test_a_trend_is_listed_holds_where_the_policy_names_its_sign_and_never_rejects():
    trend = Trend(name="collision", stratum=Stratum.TAIL, slope=0.02, p_value=0.0002, alpha=0.001, points=7)
    circumstances = Circumstances(indicators=EVERYWHERE, trends=(trend,))
    listed = decide(STEADY, POLICY, circumstances)
    assert listed.kind is DecisionKind.PROMOTE
    assert ReasonCode.COLLAPSE_TREND in codes(listed)
    held = decide(STEADY, holding("collision"), circumstances)
    assert held.kind is DecisionKind.HOLD
    assert held.reasons[0].code is ReasonCode.COLLAPSE_TREND
    assert "over 7 checkpoints" in held.reasons[0].text
    chance = Circumstances(indicators=EVERYWHERE, trends=(replace(trend, p_value=0.01),))
    assert decide(STEADY, holding("collision"), chance).kind is DecisionKind.PROMOTE


def test_a_missing_lineage_holds_where_it_is_required():
    policy = Policy(require_lineage=True)
    assert decide(STEADY, policy, CALM).reasons[0].code is ReasonCode.LINEAGE_MISSING
    card = Lineage(parent=None, training_data=("web",), synthetic_share=0.0, review=Review.NONE)
    assert decide(STEADY, policy, Circumstances(lineage=card)).kind is DecisionKind.PROMOTE


def test_a_slow_decline_holds_and_gives_its_evidence():
    alarmed = Circumstances(decline=Decline(capitals=(1e4,) * 7))
    decision = decide(STEADY, POLICY, alarmed)
    assert decision.kind is DecisionKind.HOLD
    assert decision.reasons[0].figures["log10_evidence"] == pytest.approx(4.0)
    assert decide(STEADY, Policy(slow_decline_holds=False), alarmed).kind is DecisionKind.PROMOTE


@pytest.mark.parametrize(
    ("decline", "recorded"),
    [(Decline(capitals=(10.0,) * 7), pytest.approx(1.0)), (Decline(), None), (None, None)],
    ids=["calm", "no sample of the tail", "not followed"],
)
def test_the_evidence_of_a_decline_is_recorded_while_it_is_no_reason(decline, recorded):
    decision = decide(STEADY, POLICY, Circumstances(decline=decline))
    assert decision.kind is DecisionKind.PROMOTE
    assert decision.slow_decline == recorded


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), drop=st.sampled_from([0.0, 0.1, 0.3]), lost=st.integers(1, 6))
def test_unscored_samples_never_earn_a_promotion(seed, drop, lost):
    tail = bank({BROKEN: 0.5}, depth=16)
    scored = wave_of(tail, range(2), {BROKEN: 0.5 - drop}, seed=seed)
    unscored = wave_of(tail, range(2, 2 + lost), {BROKEN: 0.5}, seed=seed, unscored=1.0)[: 20 * lost]
    before = decide(assess(tail, scored, POLICY), POLICY, CALM).kind
    after = decide(assess(tail, scored + unscored, POLICY), POLICY, CALM).kind
    assert after is not DecisionKind.PROMOTE or before is DecisionKind.PROMOTE


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": 0.0},
        {"beta": 0.7},
        {"margin": {Stratum.TAIL: -0.1}},
        {"max_unscored_share": 1.0},
        {"minimum_samples": 1},
        {"max_age_s": 0.0},
        {"alpha": float("nan")},
    ],
)
def test_a_policy_outside_its_ranges_is_refused(wrong):
    with pytest.raises(InvalidConfig):
        Policy(**wrong)
