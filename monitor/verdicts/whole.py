"""Findings on outcomes that lie there whole: one look at all of them, since nothing was stopped early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.domain.evidence import Bank, Confirmation, Finding, FindingKind, Observation
from monitor.domain.tasks import RAREST_FIRST
from monitor.verdicts.assessment import Assessment, Phase, confirmation_of, finding_of
from monitor.verdicts.course import Table, follow
from monitor.verdicts.evidence import evidence_of
from monitor.verdicts.floors import margins_on
from monitor.verdicts.pairing import check_outcomes, halve
from monitor.verdicts.policy import Policy


def assess_whole(bank: Bank, observations: Sequence[Observation], policy: Policy) -> Assessment:
    """Weigh each stratum's samples once and together, against the whole bank.

    STEADY and REGRESSED are those of a single test at the lines' error rates. Where the policy confirms, a
    regression is confirmed only if both halves of the samples, each against its own half of the bank, show
    it too: the levels of screening and confirmation, without anything drawn again.

    Args:
        bank: the baseline's recorded outcomes.
        observations: all of the candidate's.
        policy: what is asked of the candidate.

    Raises:
        InvalidOutcomes: see :func:`~monitor.verdicts.pairing.check_outcomes`.
    """
    check_outcomes(bank, observations)
    together = Table(
        bank=bank,
        observations=[replace(one, wave=0) for one in observations],
        policy=replace(policy, confirm=False),
        halves=halve(bank, confirm=False),
        margins=margins_on(bank, policy),
        whole=True,
    )
    halved = replace(together, policy=policy, halves=halve(bank, confirm=policy.confirm))
    findings = [
        _repeated(finding_of(follow(together, stratum, Phase.SCREENING), None), halved)
        for stratum in RAREST_FIRST
        if stratum in together.margins
    ]
    return Assessment(findings=tuple(findings), wanted=())


def _repeated(found: Finding, halved: Table) -> Finding:
    """A regression with what its halves say by themselves; any other finding as it is."""
    stratum, policy = found.evidence.stratum, halved.policy
    if found.kind is not FindingKind.REGRESSED or not policy.confirm or stratum not in policy.critical:
        return found
    first, second = (follow(halved, stratum, phase) for phase in Phase)
    confirmation = confirmation_of(second)
    if confirmation is Confirmation.CONFIRMED and not first.regressed:
        confirmation = Confirmation.PENDING
    return replace(found, confirmation=confirmation, confirming=evidence_of(second))
