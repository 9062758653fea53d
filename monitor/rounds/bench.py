"""What an evaluation works with, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from monitor.domain.evaluation import Evaluation
from monitor.domain.samples import Completion, Execution, Program, SampleRequest, SamplingPlan
from monitor.domain.tasks import Suite, Task
from monitor.ports import DriftMeter, Engine, Probe, Sandbox, Store
from monitor.rounds.condition import Condition
from monitor.rounds.tally import Tally
from monitor.verdicts.assessment import Assessment
from monitor.verdicts.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How tasks are put to a model, and answers made into programs."""

    request: Callable[[Task, int, int], SampleRequest]
    """The request for so many samples of a task from an index on: (task, first index, count)."""
    assemble: Callable[[Task, Completion], Program | Execution]
    """The program of a completion, or its outcome where there is nothing to run."""
    reference: Callable[[Task], Program]
    """The program of a task's reference solution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """What is measured about outputs beside their correctness."""

    meter: DriftMeter | None = None
    """Compares an evaluation's samples with the bank's; None for not at all."""
    probes: tuple[Probe, ...] = ()
    """Ask each served checkpoint, the baseline included."""
    reports: bool = False
    """Whether a page about each evaluation's columns can be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an evaluation stands."""

    evaluation: Evaluation
    samples: int
    """Stored so far."""
    expected: int | None
    """How many it will be; None where the evidence decides."""
    served: bool = False
    """Whether this is told because the engine has just become ready."""
    pass_ratio: float | None = None
    """Share of the stored samples with a result that passed; None where there are none, or nobody counted."""
    assessment: Assessment | None = None
    """What the evidence says after the last wave; None for a bank."""


Watcher = Callable[[Progress], None]
"""Told when the engine is ready, whenever samples were stored, and after each wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything one evaluation needs, composed once."""

    model: str
    """Name of the watched model."""
    suite: Suite
    plan: SamplingPlan
    policy: Policy
    store: Store
    engine: Engine
    sandbox: Sandbox
    asking: Asking
    tally: Tally
    """Counts for the metrics, stored after each wave."""
    clock: Callable[[], datetime]
    """UTC now."""
    wave_samples: int
    """Samples drawn between two looks at the evidence: what the engine runs at once."""
    watcher: Watcher
    gauges: Gauges = field(default_factory=Gauges)
    condition: Condition = field(default_factory=Condition)
    """What the worker finds engine and sandbox to be like."""
