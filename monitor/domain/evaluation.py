"""One evaluation of one checkpoint, from queued to decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.evidence import Decision
from monitor.domain.identity import content_digest


class Purpose(StrEnum):
    """Why samples are drawn."""

    BANK = "bank"
    """To be the baseline's bank."""
    CANDIDATE = "candidate"
    """To decide on a checkpoint."""
    RECHECK = "recheck"
    """To see whether the promoted checkpoint, as served, still is what it was."""
    COMPARISON = "comparison"
    """To see how two checkpoints differ, whatever the baseline is: nothing is decided by it."""

    @property
    def judges(self) -> bool:
        """Whether the gate answers from it."""
        return self in {Purpose.CANDIDATE, Purpose.RECHECK}


LONGEST_DELAY_S = 3600.0
"""The longest that an evaluation is put back for."""


class State(StrEnum):
    """How far an evaluation has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DECIDED = "decided"
    FAILED = "failed"


class Stage(StrEnum):
    """Where the wall time of an evaluation goes."""

    ENGINE = "engine"
    """Starting the engine or switching its weights, identity check included."""
    GENERATION = "generation"
    """Time in which samples were being generated."""
    SANDBOX = "sandbox"
    """Time in which programs ran while nothing was being generated."""
    DRIFT = "drift"
    """Asking probes and comparing outputs with the bank's."""
    REST = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationKey:
    """What makes two evaluations the same one; a retry meets its own samples again."""

    model: str
    checkpoint: str
    suite: str
    """Suite digest."""
    plan: str
    """Sampling plan digest."""
    purpose: Purpose
    baseline: str = ""
    """Digest of the baseline it is weighed against; empty for a bank."""
    occasion: str = ""
    """Tells rechecks apart, for example an ISO date; empty for the first evaluation."""

    @property
    def evaluation_id(self) -> str:
        """32 hexadecimal digits."""
        return content_digest(
            self.model,
            self.checkpoint,
            self.suite,
            self.plan,
            self.purpose.value,
            self.baseline,
            self.occasion,
        )[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flips:
    """How many tasks changed their pass probability, each by its own evidence."""

    lost: int
    gained: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BankView:
    """What of a bank an evaluation is weighed against, and keeps to however the bank grows later."""

    depth: int
    """Only samples with an index below it."""
    seed_stable: bool
    """Whether the engine repeated itself when the bank was drawn."""
    excluded_tasks: tuple[str, ...] = ()
    """Tasks whose reference failed then."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What drew and ran the bank's samples."""
    begun_at: datetime | None = None
    """When the bank was begun, later for one that was drawn again; None where that was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The record of one evaluation."""

    key: EvaluationKey
    checkpoint: Checkpoint
    state: State
    created_at: datetime
    """UTC."""
    finished_at: datetime | None = None
    decision: Decision | None = None
    policy: str = ""
    """Digest of the policy that decided it; empty before, and where it was not kept."""
    banks: Mapping[str, BankView] = field(default_factory=dict)
    """What it is weighed against, by checkpoint digest: baseline and anchor, fixed when it begins."""
    seed_stable: bool = False
    """Whether the engine repeated a text for a repeated seed, as measured in this evaluation."""
    stage_s: Mapping[Stage, float] = field(default_factory=dict)
    """Wall seconds per stage, summed over restarts."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What drew and ran the samples: engine, its settings, sandbox. Unequal ones are not comparable."""
    excluded_tasks: tuple[str, ...] = ()
    """Tasks whose reference failed here; left out and named."""
    in_process_tasks: tuple[str, ...] = ()
    """Tasks whose tests can only run beside the program; found with the bank, the same for all."""
    resting_tasks: tuple[str, ...] = ()
    """Sealed tasks, when it was not their turn; they were neither drawn nor weighed."""
    flips: Flips | None = None
    """Tasks that moved against the bank; None for a bank, or before it is decided."""
    sealed_gap: float | None = None
    """Change of the pass ratio on sealed tasks minus that on open ones; None unless both were drawn."""
    broken: str = ""
    """What shows that the checkpoint, as it is served, computes nothing usable; empty where it does."""
    errors: int = 0
    """Attempts that an error ended since it was queued; what was killed or stopped is not among them."""
    trouble: str = ""
    """Why it failed, or waits to be tried again; empty when it did neither."""
    retryable: bool = False
    """Whether a FAILED one may yet succeed with the same checkpoint; then it is queued again later."""
