"""Reasons in an operator's words, with the figures behind them for machines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitor.domain.drift import Indicator, Trend
from monitor.domain.evidence import Confirmation, DriftSignal, Evidence, Finding, Reason, ReasonCode
from monitor.domain.tasks import Stratum
from monitor.verdicts.outlook import unheld

MINUS = "\N{MINUS SIGN}"
_SECOND_HALF = "the second half of the bank"


def regressed(finding: Finding) -> Reason:
    """A critical stratum is worse, and that was confirmed or needs no confirmation."""
    text = f"{_movement(finding.evidence)} against a margin of {_margin(finding.evidence)}"
    text += f"; {_samples(finding.evidence)}"
    if finding.confirmation is Confirmation.CONFIRMED and finding.confirming is not None:
        text += f"; confirmed with {finding.confirming.samples} samples against {_SECOND_HALF}"
    return _reason(ReasonCode.STRATUM_REGRESSED, text, finding)


def unconfirmed(finding: Finding) -> Reason:
    """A critical stratum looked worse, and its second test has not repeated it."""
    fresh = finding.confirming
    if finding.confirmation is Confirmation.REFUTED and fresh is not None:
        outcome = f"{fresh.samples} samples against {_SECOND_HALF} did not repeat it ({_movement(fresh)})"
    elif fresh is not None and fresh.problem:
        outcome = f"it could not be confirmed: {fresh.problem[0].lower()}{fresh.problem[1:].rstrip('.')}"
    else:
        outcome = f"it has not been confirmed against {_SECOND_HALF}"
    text = f"{_movement(finding.evidence)} against a margin of {_margin(finding.evidence)}; {outcome}"
    return _reason(ReasonCode.REGRESSION_UNCONFIRMED, text, finding)


def undecided(finding: Finding) -> Reason:
    """A critical stratum's evidence amounts to nothing."""
    evidence = finding.evidence
    text = f"{evidence.stratum.value} is undecided after {evidence.samples} samples"
    if evidence.delta is not None:
        text += f" (difference {_signed(evidence.delta)}, interval {_span(evidence)})"
    text += f": {evidence.problem}" if evidence.problem else ": more are needed."
    if evidence.minimum_detectable_delta is not None:
        text += f" So far a drop of {_points(evidence.minimum_detectable_delta)} points could be shown."
    return _reason(finding.cause or ReasonCode.STRATUM_UNDECIDED, text, finding)


def non_inferior(finding: Finding) -> Reason:
    """A stratum was shown not to be worse by its margin."""
    evidence = finding.evidence
    text = f"{_movement(evidence)}: not worse by {_margin(evidence)}; {_samples(evidence)}"
    return _reason(ReasonCode.NON_INFERIOR, text, finding)


def advisory_regressed(finding: Finding) -> Reason:
    """A stratum is worse that the policy only wants to know about."""
    text = f"{_movement(finding.evidence)}; the stratum is advisory; {_samples(finding.evidence)}"
    return _reason(ReasonCode.ADVISORY_REGRESSED, text, finding)


def nothing_weighed() -> Reason:
    """No critical stratum has a finding."""
    return Reason(code=ReasonCode.STRATUM_UNDECIDED, text="The bank holds no task of a critical stratum.")


def nothing_held(stratum: Stratum) -> Reason:
    """A critical stratum of the suite has no task that could be weighed."""
    problem = unheld(stratum)
    return Reason(code=problem.cause, text=problem.text, stratum=stratum)


def lineage_missing() -> Reason:
    """The policy wants to know where the weights came from, and nobody said."""
    return Reason(
        code=ReasonCode.LINEAGE_MISSING,
        text="The checkpoint has no valid card that says where it came from, and the policy requires one.",
    )


def canaries_failed(failed: int, run: int) -> Reason:
    """Reference solutions fail here: the sandbox cannot be trusted with the candidate's."""
    return Reason(
        code=ReasonCode.CANARY_FAILED,
        text=f"{failed} of {run} reference solutions failed in the sandbox: it, not the model, is in doubt.",
        figures={"failed": float(failed), "run": float(run)},
    )


def deployment_broken(why: str) -> Reason:
    """The candidate computes nothing that could be weighed."""
    return Reason(code=ReasonCode.DEPLOYMENT_BROKEN, text=why)


def environment_changed(names: Sequence[str]) -> Reason:
    """Bank and candidate were drawn under different settings."""
    return Reason(
        code=ReasonCode.ENVIRONMENT_CHANGED,
        text=f"Bank and candidate differ in {', '.join(names)}: differences may not be the model's. "
        "Serve the candidate as the bank was drawn, or build the bank again under the present settings.",
    )


def drifted(signals: Sequence[DriftSignal], stratum: Stratum | None) -> Reason:
    """Columns of the descriptors that moved in one stratum."""
    where = f" in {stratum.value}" if stratum is not None else ""
    listed = ", ".join(f"{each.signal} ({each.method} {each.score:.2g})" for each in signals)
    return Reason(
        code=ReasonCode.DRIFT,
        text=f"Outputs{where} look different: {listed}; threshold {signals[0].threshold:.2g}.",
        stratum=stratum,
        figures={each.signal: each.score for each in signals},
    )


def warned(indicator: Indicator) -> Reason:
    """A sign of collapse."""
    where = f" in {indicator.stratum.value}" if indicator.stratum is not None else ""
    return Reason(
        code=ReasonCode.COLLAPSE_INDICATOR,
        text=f"{indicator.name}{where} went from {indicator.baseline:.3g} to {indicator.value:.3g} "
        f"(p = {indicator.p_value:.2g}; chance alone moves it by up to {indicator.noise_floor:.2g})",
        stratum=indicator.stratum,
        figures={
            "value": indicator.value,
            "baseline": indicator.baseline,
            "p_value": indicator.p_value,
            "noise_floor": indicator.noise_floor,
        },
    )


def heading(trend: Trend) -> Reason:
    """A sign of collapse that grows from checkpoint to checkpoint."""
    where = f" in {trend.stratum.value}" if trend.stratum is not None else ""
    return Reason(
        code=ReasonCode.COLLAPSE_TREND,
        text=f"{trend.name}{where} has moved towards collapse over {trend.points} checkpoints, by about "
        f"{trend.slope:.2g} from each to the next (p = {trend.p_value:.2g})",
        stratum=trend.stratum,
        figures={"slope": trend.slope, "p_value": trend.p_value, "points": float(trend.points)},
    )


def indicator_missing(name: str, strata: Sequence[Stratum], why: str) -> Reason:
    """The policy holds on a sign of collapse, or a column, that nobody could see."""
    where = ", ".join(stratum.value for stratum in strata)
    cause = f": {why}." if why else "; `tailwatch drift` says why."
    return Reason(
        code=ReasonCode.INDICATOR_MISSING,
        text=f"{name} was not measured in {where}, and the policy holds on it{cause}",
        stratum=strata[0] if len(strata) == 1 else None,
    )


def declining(evidence: float, alarm: float) -> Reason:
    """Checkpoints lose a little each; together it is no accident."""
    return Reason(
        code=ReasonCode.SLOW_DECLINE,
        text=f"Over the checkpoints since the anchor the tail has been declining: evidence {evidence:.3g}, "
        f"alarm at {alarm:.0f}.",
        figures={"log10_evidence": math.log10(evidence)},
    )


def _reason(code: ReasonCode, text: str, finding: Finding) -> Reason:
    evidence = finding.evidence
    figures = {
        "delta": evidence.delta,
        "delta_low": evidence.delta_low,
        "delta_high": evidence.delta_high,
        "margin": evidence.margin,
        "samples": float(evidence.samples),
        "minimum_detectable_delta": evidence.minimum_detectable_delta,
    }
    known = {name: figure for name, figure in figures.items() if figure is not None}
    return Reason(code=code, text=text, stratum=evidence.stratum, figures=known)


def _movement(evidence: Evidence) -> str:
    assert evidence.delta is not None
    verb = "lost" if evidence.delta < 0 else "gained"
    return (
        f"{evidence.stratum.value} {verb} {_points(abs(evidence.delta))} points (interval {_span(evidence)})"
    )


def _samples(evidence: Evidence) -> str:
    """How many there were, and what comes of ending as soon as they decide."""
    early = " (stopped early, which overstates a change)" if evidence.stopped_early else ""
    return f"{evidence.samples} samples{early}"


def _span(evidence: Evidence) -> str:
    assert evidence.delta_low is not None
    assert evidence.delta_high is not None
    return f"{_signed(evidence.delta_low)} to {_signed(evidence.delta_high)}"


def _margin(evidence: Evidence) -> str:
    """The margin that was tested, and the policy's where that is another one."""
    tested = f"{100 * evidence.margin:.2g}" if evidence.margin < 0.01 else _points(evidence.margin)
    if evidence.stated_margin is None:
        return tested
    return f"{tested} (the baseline passes too little to lose the policy's {_points(evidence.stated_margin)})"


def _points(ratio: float) -> str:
    """A ratio in points, without a needless decimal.

    >>> _points(0.1), _points(0.142)
    ('10', '14.2')
    """
    return f"{round(100 * ratio, 1):g}"


def _signed(ratio: float) -> str:
    """A signed ratio in points, with a true minus sign.

    >>> _signed(0.201), _signed(-0.0)
    ('+20.1', '+0.0')
    """
    return f"{round(100 * ratio, 1) + 0.0:+.1f}".replace("-", MINUS)
