"""The seams: what the rounds need from the outside, as protocols of a few methods.

Every port has one contract suite under ``tests/``, run on the fake in :mod:`monitor.testing` and on
each adapter.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from monitor.domain.checkpoint import Arrivals, Checkpoint, EngineIdentity, Role
from monitor.domain.drift import DriftReading, Indicator, Measurement
from monitor.domain.evaluation import Evaluation, State
from monitor.domain.evidence import DriftSignal, Observation
from monitor.domain.samples import Completion, Execution, Outcome, Program, Sample, SampleRequest
from monitor.domain.tasks import Stratum

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that an evaluation needs, and whether it is here."""

    name: str
    ok: bool
    detail: str
    """What was found, or what is wrong."""
    next_step: str
    """How to mend it; empty when it is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A role given to a checkpoint; the newest one of a role names its holder."""

    role: Role
    digest: str
    """Digest of the checkpoint that received it."""
    assigned_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTally:
    """Stored aggregate of one task's samples in one evaluation."""

    task_id: str
    stratum: Stratum
    samples: int
    """All of them, UNSCORED included."""
    scored: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was removed with a checkpoint."""

    evaluations: int
    samples: int


class CheckpointSource(Protocol):
    """Where checkpoints come from."""

    def arrivals(self, now: datetime) -> Arrivals:
        """Everything the source holds now. Raises InvalidConfig: it does not exist or cannot be read."""
        ...


class CompletionModel(Protocol):
    """A served checkpoint whose identity has been proved."""

    @property
    def identity(self) -> EngineIdentity:
        """What answers, and whether it repeats itself for a repeated seed."""
        ...

    def complete(self, requests: Iterable[SampleRequest]) -> AsyncGenerator[Completion, None]:
        """Completions as they finish, in any order; one per requested sample.

        A request that the engine refuses comes back as completions with ``FinishReason.REFUSED``.

        Raises:
            DeploymentBroken: the checkpoint computes NaN for a prompt; what was yielded stays valid.
            EngineTrouble: the engine died or stopped answering; what was yielded stays valid.
        """
        ...

    async def prompt_logprobs(
        self, texts: Sequence[str], *, contexts: Sequence[str] = (), chat: bool = False
    ) -> list[tuple[float, ...]]:
        """Natural-log probability of each token of each text but its first, given those before.

        Args:
            texts: each by itself.
            contexts: one per text, or none at all. A text after a context, as a completion stands after
                its prompt, is made into tokens by itself, and all of its tokens count, no other.
            chat: whether each context is a user's turn, put to the model by its chat template.

        Raises:
            EngineTrouble: as above.
        """
        ...


class Engine(Protocol):
    """Serves one checkpoint at a time."""

    async def serve(self, checkpoint: Checkpoint) -> CompletionModel:
        """Make the checkpoint answer, switching weights or restarting, and prove that it does.

        Raises:
            InvalidCheckpoint: the engine cannot load it; a retry cannot help.
            DeploymentBroken: it computes NaN, also on a fresh server.
            ModelNotServed: a server of somebody else's does not serve it, or not yet.
            EngineTrouble: the engine died or never became ready; its last log lines are included.
        """
        ...

    async def close(self) -> None:
        """End the engine and everything it started."""
        ...


class Sandbox(Protocol):
    """Runs untrusted programs, several at once up to its number of slots."""

    @property
    def identity(self) -> str:
        """Digest of what can change an outcome: image, runtime, supervisor."""
        ...

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:
        """Run one program against its tests; waits for a free slot.

        An equal program that was run before may be answered from memory, unless ``fresh``. Whatever
        the program does is an outcome. When the sandbox is lost under it, and again on a second try,
        the outcome is UNSCORED.

        Raises:
            SandboxTrouble: no sandbox can be had at all.
        """
        ...

    async def close(self) -> None:
        """End every slot and remove what it left behind."""
        ...


class DriftDetector(Protocol):
    """Compares two frames of descriptors, one row per sample."""

    def detect(self, reference: pd.DataFrame, current: pd.DataFrame) -> Sequence[DriftSignal]:
        """Signals for the columns both frames have; too few rows give no signal."""
        ...


class DriftMeter(Protocol):
    """Compares what a candidate wrote with what the baseline wrote for the same tasks."""

    def prepare(self) -> None:
        """Load what measuring needs, which may take seconds; measuring does so where this was not called."""
        ...

    def measure(self, bank: Sequence[Sample], candidate: Sequence[Sample], *, report: str) -> DriftReading:
        """Signals and free indicators; a figure that cannot be had is left out and named.

        Depends on the samples alone, so that it can be repeated from the store.

        Args:
            bank: the baseline's samples.
            candidate: the candidate's.
            report: file name for an HTML page about the columns; empty for none.
        """
        ...


class Probe(Protocol):
    """Reads figures from a served checkpoint that its samples do not hold; costs engine time."""

    @property
    def name(self) -> str:
        """What its measurements are stored under."""
        ...

    @property
    def material(self) -> str:
        """Digest of what it asks; measurements with another one are not compared."""
        ...

    async def measure(self, model: CompletionModel, samples: Sequence[Sample]) -> Measurement:
        """Ask the served checkpoint, after its samples were drawn.

        Args:
            model: the served checkpoint.
            samples: its own samples of this evaluation, all of them.

        Raises:
            EngineTrouble: the engine died or stopped answering.
        """
        ...

    def compare(self, baseline: Measurement, candidate: Measurement) -> Sequence[Indicator]:
        """Indicators from two measurements of equal material; none where too little pairs."""
        ...


class CheckpointRegistry(Protocol):
    """Which checkpoints a model has had, and what they are to it."""

    def remember(self, model: str, checkpoint: Checkpoint, *, now: datetime) -> None:
        """Add it, or refresh name and location of a known digest. Raises StoreTrouble."""
        ...

    def checkpoint(self, model: str, digest: str) -> Checkpoint | None:
        """The checkpoint with exactly this digest, or None. Raises StoreTrouble."""
        ...

    def checkpoints(self, model: str) -> tuple[Checkpoint, ...]:
        """All of a model's checkpoints, oldest first. Raises StoreTrouble."""
        ...

    def assign(self, model: str, role: Role, digest: str, *, now: datetime) -> None:
        """Give a role to a checkpoint, taking it from its holder. Raises StoreTrouble."""
        ...

    def roles(self, model: str) -> Mapping[Role, str]:
        """Digest of the holder of each role that is held. Raises StoreTrouble."""
        ...

    def role_history(self, model: str) -> tuple[Assignment, ...]:
        """Every change of holder, oldest first. Raises StoreTrouble."""
        ...

    def fingerprint(self, digest: str, endpoint: str, found: tuple[float, ...]) -> tuple[float, ...]:
        """What an endpoint answered for a checkpoint first; what was found now if it is new there."""
        ...

    def models(self) -> tuple[str, ...]:
        """Models that have checkpoints or evaluations, sorted. Raises StoreTrouble."""
        ...


class EvaluationLog(Protocol):
    """Evaluations and their samples; writing twice is the same as writing once."""

    def save(self, evaluation: Evaluation) -> None:
        """Insert or replace by evaluation id. Raises StoreTrouble."""
        ...

    def evaluation(self, evaluation_id: str) -> Evaluation | None:
        """The record, or None. Raises StoreTrouble."""
        ...

    def evaluations(
        self, model: str, *, checkpoint: str | None = None, limit: int | None = None
    ) -> tuple[Evaluation, ...]:
        """All, or those of one checkpoint, or only the newest so many; oldest first. Raises StoreTrouble."""
        ...

    def last_decided_at(self, model: str) -> datetime | None:
        """When an evaluation of the model was last decided, UTC; None before. Raises StoreTrouble."""
        ...

    def record(self, evaluation_id: str, samples: Sequence[Sample]) -> int:
        """Store samples and the aggregates that count them in one transaction; how many were new.

        A sample whose (task, index) is already stored is left as it was.

        Raises:
            StoreTrouble: locked, full or unreachable, or the evaluation was never saved; nothing of
                this call was stored.
        """
        ...

    def forget_unscored(self, evaluation_id: str) -> int:
        """Remove the UNSCORED samples, to be drawn again; how many there were. Raises StoreTrouble."""
        ...

    def forget_samples(self, evaluation_id: str) -> int:
        """Remove all samples and what was measured with them; how many there were. Raises StoreTrouble."""
        ...

    def samples(self, evaluation_id: str) -> tuple[Sample, ...]:
        """All samples, ordered by wave, task id, index. Raises StoreTrouble."""
        ...

    def observations(self, evaluation_id: str) -> tuple[Observation, ...]:
        """What the statistics need of all samples, same order. Raises StoreTrouble."""
        ...

    def tallies(self, evaluation_id: str) -> Mapping[tuple[Stratum, Outcome], int]:
        """Stored aggregate: number of samples by stratum and outcome. Raises StoreTrouble."""
        ...

    def task_tallies(self, evaluation_id: str) -> tuple[TaskTally, ...]:
        """Stored aggregate per task that has samples, by task id. Raises StoreTrouble."""
        ...


class DriftLog(Protocol):
    """What was measured about an evaluation's outputs, kept apart from its record."""

    def keep_measurement(self, evaluation_id: str, measurement: Measurement) -> None:
        """Insert or replace by probe. Raises StoreTrouble, also when the evaluation was never saved."""
        ...

    def measurements(self, evaluation_id: str) -> tuple[Measurement, ...]:
        """All of them, by name of the probe. Raises StoreTrouble."""
        ...

    def keep_drift(self, evaluation_id: str, reading: DriftReading) -> None:
        """Insert or replace. Raises StoreTrouble, also when the evaluation was never saved."""
        ...

    def drift(self, evaluation_id: str) -> DriftReading | None:
        """The reading, or None where outputs were not compared. Raises StoreTrouble."""
        ...


class WorkQueue(Protocol):
    """Evaluations waiting to be done; a lease keeps two workers off one of them.

    Every lease counts as an attempt unless it is handed back. The store has no opinion on how many
    attempts are enough: a worker that finds too many saves the evaluation as FAILED. Saving an
    evaluation as QUEUED, DECIDED or FAILED ends its lease, and as QUEUED forgets its attempts. Every
    method raises StoreTrouble, and has then changed nothing.
    """

    def enqueue(self, evaluation: Evaluation) -> bool:
        """Add a QUEUED evaluation; False when one with its id is already known."""
        ...

    def lease(
        self,
        *,
        worker: str,
        now: datetime,
        lease_s: float,
        model: str | None = None,
        only: str | None = None,
    ) -> Evaluation | None:
        """Take the oldest evaluation that waits or that nobody holds any more, marked RUNNING.

        Args:
            worker: who takes it.
            now: postponed evaluations whose time has not come by then are passed over.
            lease_s: seconds until others may take it, unless renewed.
            model: only evaluations of this model.
            only: nothing but the evaluation of this id.
        """
        ...

    def renew(self, evaluation_id: str, *, worker: str, now: datetime, lease_s: float) -> bool:
        """Extend a lease; False when the worker no longer holds it."""
        ...

    def save_held(self, evaluation: Evaluation, *, worker: str) -> bool:
        """Replace its record as ``save`` does; False, and nothing changes, when not held."""
        ...

    def postpone(
        self, evaluation_id: str, *, worker: str, now: datetime, delay_s: float, tried: bool = True
    ) -> bool:
        """Put it back, an hour at most, as an attempt unless it was not tried; False when not held."""
        ...

    def hand_back(self, evaluation_id: str, *, worker: str) -> bool:
        """Put it back unharmed, as on a clean stop: no attempt is counted; False when not held."""
        ...

    def requeue(self, evaluation_id: str, *, state: State) -> bool:
        """Queue it again, attempts, errors and delay forgotten; False unless in this state and not held."""
        ...

    def attempts(self, evaluation_id: str) -> int:
        """Leases taken on it that were not handed back, a present one included."""
        ...

    def abandon(self, worker: str) -> int:
        """Put everything a dead worker held back in the queue; how many that were."""
        ...

    def workers(self) -> tuple[str, ...]:
        """Workers that hold leases now."""
        ...

    def depth(self, model: str) -> Mapping[str, int]:
        """Number of a model's evaluations by state."""
        ...


class Count(StrEnum):
    """Names of the counters that are published; what else is counted stays in the store."""

    GENERATED_TOKENS = "generated_tokens"
    PROGRAMS_EXECUTED = "programs_executed"
    """Programs that really ran; one answered from the cache is not counted again."""
    SANDBOX_EVENTS = "sandbox_events"
    """Labelled by :class:`SandboxEvent`."""
    ENGINE_EVENTS = "engine_events"
    """Labelled by :class:`EngineEvent`."""
    DRIFT_EVENTS = "drift_events"
    """Labelled by :class:`DriftEvent`."""


class SandboxEvent(StrEnum):
    """Things that happen to the sandbox, as opposed to the programs in it."""

    UNSCORED = "unscored"
    """A program got no verdict, for a reason of ours."""
    TROUBLE = "trouble"
    """No sandbox could be had (SandboxTrouble)."""
    IN_PROCESS = "in_process"
    """A verdict of lower trust: the tests ran in the program's own process."""
    RECYCLED = "recycled"
    """A sandbox was replaced, worn or after one of the events below."""
    LOST = "lost"
    """A sandbox ended under the program that ran in it."""
    STRAYS = "strays"
    """A program left processes behind."""
    RESIDUE = "residue"
    """Something a program wrote could not be wiped."""
    OOM = "oom"
    """The kernel killed for memory."""
    FLOOD = "flood"
    """A program wrote more than it may."""
    JUDGE_RESTART = "judge_restart"
    """The judge died or hung on what a program returned."""


class EngineEvent(StrEnum):
    """Things that happen to the engine, as opposed to the texts it writes."""

    SERVED = "served"
    """A checkpoint was made to answer, by a switch or a start."""
    ABORTED = "aborted"
    """A sample came back without a text."""
    TROUBLE = "trouble"
    """The engine died, never became ready or answered nonsense (EngineTrouble)."""
    STALLED = "stalled"
    """The engine had requests and gave neither answers nor tokens (EngineStalled)."""


class DriftEvent(StrEnum):
    """Things that happen when outputs are compared."""

    MEASURED = "measured"
    """An evaluation's outputs were compared with the bank's."""
    FAILED = "failed"
    """Some of that could not be, for a reason of ours: the decision was made without."""
    PROBE_FAILED = "probe_failed"
    """A probe did not come back with a measurement."""


class Counters(Protocol):
    """Counts that only grow and survive restarts, each model's by itself."""

    def count(self, model: str, name: str, label: str = "", *, by: int = 1) -> None:
        """Add to a counter of a model. Raises StoreTrouble."""
        ...

    def counters(self, model: str) -> Mapping[tuple[str, str], int]:
        """All counters of a model by (name, label). Raises StoreTrouble."""
        ...


class Store(CheckpointRegistry, EvaluationLog, DriftLog, WorkQueue, Counters, Protocol):
    """Everything that is kept; one adapter offers all of it over one database."""

    def forget(self, model: str, digest: str, *, now: datetime) -> Forgotten:
        """Remove a checkpoint, its roles, and its evaluations with all that belongs to them.

        Each of its roles goes back to whoever held it before. What others were judged by against it stays.

        Raises:
            StoreTrouble: a worker holds one of its evaluations; nothing was removed.
        """
        ...

    def revision(self) -> str:
        """Equal as long as nothing was stored, by whatever process; cheap to ask. Raises StoreTrouble."""
        ...

    def try_writing(self) -> None:
        """Find out by writing whether anything could be stored. Raises StoreTrouble."""
        ...

    def close(self) -> None:
        """Release the connections."""
        ...
