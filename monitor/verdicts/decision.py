"""Findings in; the gate's answer with every reason it rests on, out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitor.domain.checkpoint import Lineage
from monitor.domain.drift import Indicator, IndicatorName, Trend, Unmeasured
from monitor.domain.evidence import (
    Confirmation,
    Decision,
    DecisionKind,
    DriftSignal,
    Finding,
    FindingKind,
    Reason,
)
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.stats.decline import ALARM, Decline
from monitor.verdicts import wording
from monitor.verdicts.assessment import Assessment
from monitor.verdicts.policy import Policy

CANARY_SHARE = 0.25
"""Share of failing reference solutions from which on the sandbox, not a task, is to blame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a decision takes into account beside the samples."""

    lineage: Lineage | None = None
    """From the candidate's card; None when it carries none."""
    excluded_tasks: int = 0
    """Canaries whose reference solution failed in this evaluation's sandbox."""
    canaries: int = 0
    """Reference solutions that were run."""
    unheld: tuple[Stratum, ...] = ()
    """Strata of the suite of which no task is weighed, since each one's reference fails or all rest."""
    broken: str = ""
    """What shows that the candidate computes nothing usable; empty where it does."""
    environment_changed: tuple[str, ...] = ()
    """Names of engine and sandbox settings that differ between bank and candidate."""
    signals: tuple[DriftSignal, ...] = ()
    """Drift signals, detected or not."""
    indicators: tuple[Indicator, ...] = ()
    """Collapse indicators, warning or not; those that could not be had are absent."""
    trends: tuple[Trend, ...] = ()
    """Of the indicators, warning or not."""
    unmeasured: tuple[Unmeasured, ...] = ()
    """Indicators and columns that could not have warned, and why."""
    decline: Decline | None = None
    """The slow-decline process with this checkpoint in it; None when it is not followed."""


def decide(assessment: Assessment, policy: Policy, circumstances: Circumstances) -> Decision:
    """Answer PROMOTE, REJECT or HOLD; whatever is in doubt holds.

    A deployment that computes NaN is rejected for that, and nothing is weighed. Otherwise:

    1. Our own trouble (failing canaries, a changed environment) holds, whatever the samples say.
    2. A confirmed regression of a critical stratum rejects.
    3. Anything unconfirmed, undecided, missing or warned of holds.
    4. Only when every critical stratum was shown to be non-inferior is the answer PROMOTE.

    The reasons of the answer come first, the others after them.
    """
    if circumstances.broken:
        reasons = (wording.deployment_broken(circumstances.broken),)
        return Decision(kind=DecisionKind.REJECT, reasons=reasons, findings=assessment.findings)
    ours = tuple(_trouble(circumstances))
    against = tuple(
        wording.regressed(finding) for finding in assessment.findings if _rejects(finding, policy)
    )
    doubts = (*_doubts(assessment, policy, circumstances), *_warnings(assessment, circumstances, policy))
    remarks = tuple(_remarks(assessment, policy, circumstances))
    kind = _kind(ours=ours, against=against, doubts=doubts)
    return Decision(
        kind=kind,
        reasons=(*ours, *against, *doubts, *remarks),
        findings=assessment.findings,
        slow_decline=_log10_evidence(circumstances.decline),
    )


def _log10_evidence(decline: Decline | None) -> float | None:
    """None where no sample was bet on, too: there is no logarithm of nothing."""
    return math.log10(decline.evidence) if decline is not None and decline.evidence > 0 else None


def _kind(
    *, ours: tuple[Reason, ...], against: tuple[Reason, ...], doubts: tuple[Reason, ...]
) -> DecisionKind:
    if ours:
        return DecisionKind.HOLD
    if against:
        return DecisionKind.REJECT
    return DecisionKind.HOLD if doubts else DecisionKind.PROMOTE


def _critical(finding: Finding, policy: Policy) -> bool:
    return finding.evidence.stratum in policy.critical


def _rejects(finding: Finding, policy: Policy) -> bool:
    if finding.kind is not FindingKind.REGRESSED or not _critical(finding, policy):
        return False
    return finding.confirmation is Confirmation.CONFIRMED or not policy.confirm


def _trouble(circumstances: Circumstances) -> Iterator[Reason]:
    if circumstances.excluded_tasks > CANARY_SHARE * circumstances.canaries:
        yield wording.canaries_failed(circumstances.excluded_tasks, circumstances.canaries)
    if circumstances.environment_changed:
        yield wording.environment_changed(circumstances.environment_changed)


def _doubts(assessment: Assessment, policy: Policy, circumstances: Circumstances) -> Iterator[Reason]:
    critical = [finding for finding in assessment.findings if _critical(finding, policy)]
    for stratum in circumstances.unheld:
        if stratum in policy.critical:
            yield wording.nothing_held(stratum)
    if not critical:
        yield wording.nothing_weighed()
    for finding in critical:
        if finding.kind is FindingKind.UNDECIDED:
            yield wording.undecided(finding)
        elif finding.kind is FindingKind.REGRESSED and not _rejects(finding, policy):
            yield wording.unconfirmed(finding)


def _warnings(assessment: Assessment, circumstances: Circumstances, policy: Policy) -> Iterator[Reason]:
    if policy.require_lineage and circumstances.lineage is None:
        yield wording.lineage_missing()
    for indicator in circumstances.indicators:
        if indicator.warns and indicator.name in policy.holding_signals:
            yield wording.warned(indicator)
    for trend in circumstances.trends:
        if trend.warns and trend.name in policy.holding_signals:
            yield wording.heading(trend)
    yield from _drifted(circumstances, lambda signal: _holds(signal, policy))
    yield from _missing(assessment, circumstances, policy)
    decline = circumstances.decline
    if decline is not None and decline.alarm and policy.slow_decline_holds:
        yield wording.declining(decline.evidence, ALARM)


def _remarks(assessment: Assessment, policy: Policy, circumstances: Circumstances) -> Iterator[Reason]:
    """What is worth saying and decides nothing."""
    for finding in assessment.findings:
        if finding.kind in {FindingKind.STEADY, FindingKind.IMPROVED}:
            yield wording.non_inferior(finding)
        elif finding.kind is FindingKind.REGRESSED and not _critical(finding, policy):
            yield wording.advisory_regressed(finding)
    for indicator in circumstances.indicators:
        if indicator.warns and indicator.name not in policy.holding_signals:
            yield wording.warned(indicator)
    for trend in circumstances.trends:
        if trend.warns and trend.name not in policy.holding_signals:
            yield wording.heading(trend)
    yield from _drifted(circumstances, lambda signal: not _holds(signal, policy))


def _holds(signal: DriftSignal, policy: Policy) -> bool:
    """Whether the policy names the column, or one of its values."""
    return not policy.holding_signals.isdisjoint({signal.signal, signal.column})


def _missing(assessment: Assessment, circumstances: Circumstances, policy: Policy) -> Iterator[Reason]:
    """What the policy holds on, and nobody could have seen in a critical stratum."""
    weighed = {finding.evidence.stratum for finding in assessment.findings if _critical(finding, policy)}
    for name in sorted(policy.holding_signals):
        blind: dict[str, list[Stratum]] = defaultdict(list)
        for stratum in RAREST_FIRST:
            if stratum in weighed and (why := _blindness(name, stratum, circumstances)) is not None:
                blind[why].append(stratum)
        for why, strata in blind.items():
            yield wording.indicator_missing(name, strata, why)


def _blindness(name: str, stratum: Stratum, circumstances: Circumstances) -> str | None:
    """Why something could not have warned in a stratum, empty where nobody said; None when it could."""
    here = {stratum, None}
    for gap in circumstances.unmeasured:
        if gap.name == name.partition("=")[0] and gap.stratum in here:
            return gap.why
    if name == IndicatorName.RARE_CODE_NLL and stratum is not Stratum.TAIL:
        return None  # Code that people wrote is cut into common and rare, and not by the suite's strata.
    if name in set(IndicatorName):
        return None if any(i.name == name and i.stratum in here for i in circumstances.indicators) else ""
    # A value that never occurs has no signal; that no column has one is another matter.
    return None if any(signal.stratum in here for signal in circumstances.signals) else ""


def _drifted(circumstances: Circumstances, counts: Callable[[DriftSignal], bool]) -> Iterator[Reason]:
    """One reason per stratum, since columns move together."""
    detected = [signal for signal in circumstances.signals if signal.detected and counts(signal)]
    for stratum in (*RAREST_FIRST, None):
        signals = [signal for signal in detected if signal.stratum is stratum]
        if signals:
            yield wording.drifted(signals, stratum)
