"""What a gate would say that looks only at the average, for contrast."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from monitor.domain.evidence import DecisionKind, Finding
from monitor.domain.tasks import Stratum

TOLERANCE = 0.05
"""Drop of the average that such a gate lets pass. Nightly jobs that compare two runs of a few hundred
samples scatter by two to three points; a tolerance below twice that blocks unchanged models."""

TRAFFIC: Mapping[Stratum, float] = {Stratum.HEAD: 0.80, Stratum.TORSO: 0.15, Stratum.TAIL: 0.05}
"""Share of requests by stratum where nothing better is known."""


def average_only_decision(
    findings: Sequence[Finding],
    *,
    weights: Mapping[Stratum, float] = TRAFFIC,
    tolerance: float = TOLERANCE,
) -> DecisionKind:
    """PROMOTE unless the traffic-weighted mean pass rate fell by more than a fixed tolerance.

    The rule of most deployment gates: one number, one threshold, no interval, no strata. It uses the
    same estimates as the real decision. A stratum without one (the tail had settled the matter before
    any sample of it was drawn) counts as unchanged; with no estimate at all it holds.
    """
    shares = [weights.get(finding.evidence.stratum, 0.0) for finding in findings]
    deltas = [finding.evidence.delta for finding in findings]
    total = math.fsum(shares)
    if total <= 0.0 or all(delta is None for delta in deltas):
        return DecisionKind.HOLD
    average = math.fsum(share * (delta or 0.0) for share, delta in zip(shares, deltas, strict=True)) / total
    return DecisionKind.REJECT if average < -tolerance else DecisionKind.PROMOTE
