"""What is concluded: banks, observations, evidence, findings, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.tasks import Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One scored or unscored sample, as the statistics see it."""

    task_id: str
    stratum: Stratum
    index: int
    wave: int
    """Evidence is weighed after each wave; order inside a wave does not matter."""
    passed: bool | None
    """None when unscored."""
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """The baseline's stored outcomes, drawn once and reused for every candidate."""

    checkpoint: str
    """Digest of the baseline."""
    observations: tuple[Observation, ...]
    """n0 per task where nothing was lost; unscored ones included."""
    seed_stable: bool
    """Whether the engine repeats a text for a repeated seed, as measured: coupling needs it."""


class Boundary(StrEnum):
    """Which boundary of the sequential test was reached."""

    NONE = "none"
    UPPER = "upper"
    """Worse than the baseline."""
    LOWER = "lower"
    """Non-inferior at the margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the samples say about one stratum. Ratios are 0 to 1, differences candidate - baseline."""

    stratum: Stratum
    samples: int
    """Scored candidate samples used."""
    unscored: int
    tasks: int
    """Tasks of the stratum that the bank holds."""
    baseline_ratio: float | None
    """Mean pass probability of the bank; None when it holds nothing."""
    pass_ratio: float | None
    """Estimate for the candidate on the same tasks; None before the first sample."""
    pass_low: float | None
    pass_high: float | None
    delta: float | None
    """Candidate minus baseline; negative means worse."""
    delta_low: float | None
    """Bounds of an interval that stays valid at every look."""
    delta_high: float | None
    margin: float
    """The difference that matters; 0 where the baseline passes nothing that could be lost."""
    boundary: Boundary
    decided_at: int | None
    """Sample count of the look at which the boundary was reached; None while open."""
    max_samples: int
    """Sample count at which the test must have ended."""
    minimum_detectable_delta: float | None
    """Smallest drop that this run could have shown, positive."""
    coupling: float
    """Weight b of the coupled control variate, 0 when it is not used."""
    correlation: float | None
    """Correlation rho of candidate and bank outcomes at equal seeds; None when not measured."""
    problem: str = ""
    """Why no conclusion can be drawn, for example an underpowered bank; empty when none."""
    stopped_early: bool = False
    """Whether drawing ended at the look that decided: then ``delta`` leans towards what was decided."""
    stated_margin: float | None = None
    """The policy's margin where ``margin`` is less, since the baseline passes too little to lose it."""


class FindingKind(StrEnum):
    """What one stratum's evidence amounts to."""

    REGRESSED = "regressed"
    STEADY = "steady"
    """Shown to be non-inferior at the margin; never merely 'not significant'."""
    IMPROVED = "improved"
    UNDECIDED = "undecided"


class Confirmation(StrEnum):
    """Whether a REGRESSED finding was repeated on fresh samples and an independent half of the bank."""

    NOT_NEEDED = "not-needed"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A stratum's result with the evidence it rests on."""

    kind: FindingKind
    evidence: Evidence
    confirmation: Confirmation = Confirmation.NOT_NEEDED
    confirming: Evidence | None = None
    """Evidence of the confirmation run; None when there was none."""
    cause: ReasonCode | None = None
    """Why it is UNDECIDED, for machines; ``evidence.problem`` says it for people."""


class ReasonCode(StrEnum):
    """Why a decision is what it is; machine-readable."""

    NON_INFERIOR = "non_inferior"
    STRATUM_REGRESSED = "stratum_regressed"
    REGRESSION_UNCONFIRMED = "regression_unconfirmed"
    ADVISORY_REGRESSED = "advisory_regressed"
    STRATUM_UNDECIDED = "stratum_undecided"
    BASELINE_UNDERPOWERED = "baseline_underpowered"
    FLOOR = "floor"
    """The baseline passes too little for its loss to be seen: what cannot fall cannot regress."""
    BASELINE_MISSING = "baseline_missing"
    BASELINE_ITSELF = "baseline_itself"
    EVALUATION_MISSING = "evaluation_missing"
    EVALUATION_STALE = "evaluation_stale"
    EVALUATION_FAILED = "evaluation_failed"
    EVALUATION_RUNNING = "evaluation_running"
    TOO_MANY_UNSCORED = "too_many_unscored"
    DRIFT = "drift"
    COLLAPSE_INDICATOR = "collapse_indicator"
    COLLAPSE_TREND = "collapse_trend"
    INDICATOR_MISSING = "indicator_missing"
    SLOW_DECLINE = "slow_decline"
    LINEAGE_MISSING = "lineage_missing"
    ENVIRONMENT_CHANGED = "environment_changed"
    CANARY_FAILED = "canary_failed"
    CHECKPOINT_UNKNOWN = "checkpoint_unknown"
    CHECKPOINT_INVALID = "checkpoint_invalid"
    DEPLOYMENT_BROKEN = "deployment_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason, for machines (code, stratum, figures) and for people (text)."""

    code: ReasonCode
    text: str
    stratum: Stratum | None = None
    figures: Mapping[str, float] | None = None


class DecisionKind(StrEnum):
    """The gate's answer."""

    PROMOTE = "promote"
    REJECT = "reject"
    HOLD = "hold"

    @property
    def exit_code(self) -> int:
        """0 PROMOTE, 1 REJECT, 2 HOLD (3 is an error)."""
        return {"promote": 0, "reject": 1, "hold": 2}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The gate's answer with every reason it rests on."""

    kind: DecisionKind
    reasons: tuple[Reason, ...]
    findings: tuple[Finding, ...] = ()
    slow_decline: float | None = None
    """Base-10 logarithm of the evidence that the tail declines since the anchor, alarming or not; None
    where it was not followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSignal:
    """A warning that outputs moved; it can HOLD a promotion, never REJECT alone."""

    signal: str
    method: str
    score: float
    threshold: float
    detected: bool
    stratum: Stratum | None = None

    @property
    def column(self) -> str:
        """The column it is about; a value of one may have its own signal, as ``outcome=failed``."""
        return self.signal.partition("=")[0]
