"""A store that lives and dies with its process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.domain.checkpoint import Checkpoint, Role
from monitor.domain.drift import DriftReading, Measurement
from monitor.domain.errors import StoreTrouble
from monitor.domain.evaluation import LONGEST_DELAY_S, Evaluation, State
from monitor.domain.evidence import Observation
from monitor.domain.identity import content_digest
from monitor.domain.samples import Outcome, Sample
from monitor.domain.tasks import Stratum
from monitor.ports import Assignment, Forgotten, TaskTally


@dataclass(slots=True)
class _Lease:
    """Who holds an evaluation until when, and how often it was tried."""

    worker: str | None = None
    expires_at: datetime | None = None
    not_before: datetime | None = None
    attempts: int = 0

    def free(self, now: datetime) -> bool:
        """Whether another worker may take it."""
        if self.worker is not None and self.expires_at is not None and self.expires_at > now:
            return False
        if self.not_before is None:
            return True
        return not 0.0 < (self.not_before - now).total_seconds() <= LONGEST_DELAY_S


class MemoryStore:
    """The whole Store port in dictionaries; safe between threads, gone with the process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._checkpoints: dict[str, dict[str, Checkpoint]] = {}
        self._assignments: dict[str, list[Assignment]] = {}
        self._fingerprints: dict[tuple[str, str], tuple[float, ...]] = {}
        self._evaluations: dict[str, Evaluation] = {}
        self._samples: dict[str, dict[tuple[str, int], Sample]] = {}
        self._measurements: dict[str, dict[str, Measurement]] = {}
        self._drift: dict[str, DriftReading] = {}
        self._leases: dict[str, _Lease] = {}
        self._counters: dict[str, Counter[tuple[str, str]]] = {}

    # Checkpoints and roles

    def remember(self, model: str, checkpoint: Checkpoint, *, now: datetime) -> None:  # noqa: ARG002
        """Add or refresh; the order of arrival is kept by the dictionary."""
        with self._lock:
            self._checkpoints.setdefault(model, {})[checkpoint.digest] = checkpoint

    def checkpoint(self, model: str, digest: str) -> Checkpoint | None:
        """By its whole digest."""
        with self._lock:
            return self._checkpoints.get(model, {}).get(digest)

    def checkpoints(self, model: str) -> tuple[Checkpoint, ...]:
        """In order of arrival."""
        with self._lock:
            return tuple(self._checkpoints.get(model, {}).values())

    def assign(self, model: str, role: Role, digest: str, *, now: datetime) -> None:
        """Add to the history unless the checkpoint holds the role already."""
        with self._lock:
            if digest not in self._checkpoints.get(model, {}):
                raise StoreTrouble(
                    f"Checkpoint {digest[:12]} of model {model} is not in the store.",
                    next_step="Remember the checkpoint before giving it a role.",
                )
            if self.roles(model).get(role) != digest:
                assignment = Assignment(role=role, digest=digest, assigned_at=now)
                self._assignments.setdefault(model, []).append(assignment)

    def roles(self, model: str) -> Mapping[Role, str]:
        """The last assignment of each role."""
        return {assignment.role: assignment.digest for assignment in self.role_history(model)}

    def role_history(self, model: str) -> tuple[Assignment, ...]:
        """Every change of holder."""
        with self._lock:
            return tuple(self._assignments.get(model, ()))

    def forget(self, model: str, digest: str, *, now: datetime) -> Forgotten:
        """Everything that names it."""
        with self._lock:
            of_it = [
                known_id
                for known_id, each in self._evaluations.items()
                if (each.key.model, each.key.checkpoint) == (model, digest)
            ]
            for known_id in of_it:
                lease = self._leases[known_id]
                if lease.worker is not None and lease.expires_at is not None and lease.expires_at > now:
                    raise StoreTrouble(
                        f"Checkpoint {digest[:12]} is being evaluated by {lease.worker}.", next_step="Wait."
                    )
            samples = sum(len(self._samples[known_id]) for known_id in of_it)
            for known_id in of_it:
                for kept in (self._evaluations, self._samples, self._measurements, self._drift, self._leases):
                    kept.pop(known_id, None)
            self._checkpoints.get(model, {}).pop(digest, None)
            self._assignments[model] = [
                each for each in self._assignments.get(model, []) if each.digest != digest
            ]
            if not any(digest in known for known in self._checkpoints.values()):
                for key in [key for key in self._fingerprints if key[0] == digest]:
                    del self._fingerprints[key]
            return Forgotten(evaluations=len(of_it), samples=samples)

    def fingerprint(self, digest: str, endpoint: str, found: tuple[float, ...]) -> tuple[float, ...]:
        """The first one there."""
        with self._lock:
            return self._fingerprints.setdefault((digest, endpoint), found)

    def models(self) -> tuple[str, ...]:
        """Sorted."""
        with self._lock:
            evaluated = {evaluation.key.model for evaluation in self._evaluations.values()}
            return tuple(sorted(evaluated | {model for model, known in self._checkpoints.items() if known}))

    # Evaluations and samples

    def save(self, evaluation: Evaluation) -> None:
        """Insert or replace; a state other than RUNNING ends the lease."""
        evaluation_id = evaluation.key.evaluation_id
        with self._lock:
            self._evaluations[evaluation_id] = evaluation
            self._samples.setdefault(evaluation_id, {})
            lease = self._leases.setdefault(evaluation_id, _Lease())
            if evaluation.state is State.QUEUED:
                self._leases[evaluation_id] = _Lease()
            elif evaluation.state is not State.RUNNING:
                lease.worker = lease.expires_at = lease.not_before = None

    def evaluation(self, evaluation_id: str) -> Evaluation | None:
        """The record, or None."""
        with self._lock:
            return self._evaluations.get(evaluation_id)

    def evaluations(
        self, model: str, *, checkpoint: str | None = None, limit: int | None = None
    ) -> tuple[Evaluation, ...]:
        """Sorted by creation; the newest ``limit``."""
        with self._lock:
            found = [
                evaluation
                for evaluation in self._evaluations.values()
                if evaluation.key.model == model and checkpoint in {None, evaluation.key.checkpoint}
            ]
        found.sort(key=lambda evaluation: evaluation.created_at)
        return tuple(found if limit is None else found[max(len(found) - limit, 0) :])

    def last_decided_at(self, model: str) -> datetime | None:
        """The latest of the decided ones."""
        decided = [each for each in self.evaluations(model) if each.state is State.DECIDED]
        return max((each.finished_at for each in decided if each.finished_at), default=None)

    def record(self, evaluation_id: str, samples: Sequence[Sample]) -> int:
        """Add the new ones."""
        with self._lock:
            self._check_saved(evaluation_id)
            stored = self._samples[evaluation_id]
            before = len(stored)
            for sample in samples:
                stored.setdefault((sample.task_id, sample.index), sample)
            return len(stored) - before

    def forget_unscored(self, evaluation_id: str) -> int:
        """Remove those without a result."""
        with self._lock:
            stored = self._samples.get(evaluation_id, {})
            unscored = [place for place, sample in stored.items() if sample.passed is None]
            for place in unscored:
                del stored[place]
            return len(unscored)

    def forget_samples(self, evaluation_id: str) -> int:
        """Remove all of them, and what was measured with them."""
        with self._lock:
            self._check_saved(evaluation_id)
            self._measurements.pop(evaluation_id, None)
            self._drift.pop(evaluation_id, None)
            removed = len(self._samples.get(evaluation_id, {}))
            self._samples[evaluation_id] = {}
            return removed

    def samples(self, evaluation_id: str) -> tuple[Sample, ...]:
        """Sorted by wave, task id, index."""
        with self._lock:
            stored = list(self._samples.get(evaluation_id, {}).values())
        return tuple(sorted(stored, key=lambda sample: (sample.wave, sample.task_id, sample.index)))

    def observations(self, evaluation_id: str) -> tuple[Observation, ...]:
        """The samples, reduced."""
        return tuple(
            Observation(
                task_id=sample.task_id,
                stratum=sample.stratum,
                index=sample.index,
                wave=sample.wave,
                passed=sample.passed,
                seed=sample.completion.seed,
            )
            for sample in self.samples(evaluation_id)
        )

    def tallies(self, evaluation_id: str) -> Mapping[tuple[Stratum, Outcome], int]:
        """Counted afresh."""
        return Counter((sample.stratum, sample.execution.outcome) for sample in self.samples(evaluation_id))

    def task_tallies(self, evaluation_id: str) -> tuple[TaskTally, ...]:
        """Counted afresh."""
        by_task: dict[str, list[Sample]] = {}
        for sample in self.samples(evaluation_id):
            by_task.setdefault(sample.task_id, []).append(sample)
        return tuple(
            TaskTally(
                task_id=task_id,
                stratum=by_task[task_id][0].stratum,
                samples=len(by_task[task_id]),
                scored=sum(sample.passed is not None for sample in by_task[task_id]),
                passed=sum(sample.passed is True for sample in by_task[task_id]),
            )
            for task_id in sorted(by_task)
        )

    def _check_saved(self, evaluation_id: str) -> None:
        if evaluation_id not in self._evaluations:
            raise StoreTrouble(
                f"Evaluation {evaluation_id} is not in the store.",
                next_step="Save the evaluation before recording what belongs to it.",
            )

    # What was measured about outputs

    def keep_measurement(self, evaluation_id: str, measurement: Measurement) -> None:
        """Insert or replace by probe."""
        with self._lock:
            self._check_saved(evaluation_id)
            self._measurements.setdefault(evaluation_id, {})[measurement.probe] = measurement

    def measurements(self, evaluation_id: str) -> tuple[Measurement, ...]:
        """By name of the probe."""
        with self._lock:
            kept = self._measurements.get(evaluation_id, {})
            return tuple(kept[probe] for probe in sorted(kept))

    def keep_drift(self, evaluation_id: str, reading: DriftReading) -> None:
        """Insert or replace."""
        with self._lock:
            self._check_saved(evaluation_id)
            self._drift[evaluation_id] = reading

    def drift(self, evaluation_id: str) -> DriftReading | None:
        """The reading, or None."""
        with self._lock:
            return self._drift.get(evaluation_id)

    # The queue

    def enqueue(self, evaluation: Evaluation) -> bool:
        """Save it when its id is new."""
        with self._lock:
            if evaluation.key.evaluation_id in self._evaluations:
                return False
            self.save(evaluation)
            return True

    def lease(
        self,
        *,
        worker: str,
        now: datetime,
        lease_s: float,
        model: str | None = None,
        only: str | None = None,
    ) -> Evaluation | None:
        """Take the oldest free one that fits."""
        with self._lock:
            for known_id, evaluation in sorted(
                self._evaluations.items(), key=lambda item: item[1].created_at
            ):
                fits = model in {None, evaluation.key.model} and only in {None, known_id}
                open_ = evaluation.state in {State.QUEUED, State.RUNNING}
                lease = self._leases[known_id]
                if fits and open_ and lease.free(now):
                    self._leases[known_id] = _Lease(
                        worker=worker,
                        expires_at=now + timedelta(seconds=lease_s),
                        attempts=lease.attempts + 1,
                    )
                    self._evaluations[known_id] = replace(evaluation, state=State.RUNNING)
                    return self._evaluations[known_id]
        return None

    def renew(self, evaluation_id: str, *, worker: str, now: datetime, lease_s: float) -> bool:
        """Extend, when held."""
        with self._lock:
            lease = self._leases.get(evaluation_id, _Lease())
            if lease.worker != worker:
                return False
            lease.expires_at = now + timedelta(seconds=lease_s)
            return True

    def save_held(self, evaluation: Evaluation, *, worker: str) -> bool:
        """Save, when held."""
        with self._lock:
            held = self._leases.get(evaluation.key.evaluation_id, _Lease()).worker == worker
            if held:
                self.save(evaluation)
            return held

    def postpone(
        self, evaluation_id: str, *, worker: str, now: datetime, delay_s: float, tried: bool = True
    ) -> bool:
        """Queue again for later, when held."""
        later = now + timedelta(seconds=min(delay_s, LONGEST_DELAY_S))
        return self._put_back(evaluation_id, worker, not_before=later, tried=tried)

    def hand_back(self, evaluation_id: str, *, worker: str) -> bool:
        """Queue again without counting the attempt, when held."""
        return self._put_back(evaluation_id, worker, not_before=None, tried=False)

    def requeue(self, evaluation_id: str, *, state: State) -> bool:
        """Queue again afresh, when in this state and held by nobody."""
        with self._lock:
            evaluation = self._evaluations.get(evaluation_id)
            if evaluation is None or evaluation.state is not state or self._leases[evaluation_id].worker:
                return False
            self.save(replace(evaluation, state=State.QUEUED, errors=0))
            return True

    def _put_back(self, evaluation_id: str, worker: str, *, not_before: datetime | None, tried: bool) -> bool:
        with self._lock:
            lease = self._leases.get(evaluation_id, _Lease())
            if lease.worker != worker:
                return False
            attempts = lease.attempts - (not tried)
            self._leases[evaluation_id] = _Lease(not_before=not_before, attempts=attempts)
            queued = replace(self._evaluations[evaluation_id], state=State.QUEUED)
            self._evaluations[evaluation_id] = queued
            return True

    def attempts(self, evaluation_id: str) -> int:
        """Zero for an unknown one."""
        with self._lock:
            return self._leases.get(evaluation_id, _Lease()).attempts

    def abandon(self, worker: str) -> int:
        """Queue again everything the worker holds."""
        with self._lock:
            held = [known_id for known_id, lease in self._leases.items() if lease.worker == worker]
            return sum(self._put_back(known_id, worker, not_before=None, tried=True) for known_id in held)

    def workers(self) -> tuple[str, ...]:
        """Sorted."""
        with self._lock:
            return tuple(sorted({lease.worker for lease in self._leases.values() if lease.worker}))

    def depth(self, model: str) -> Mapping[str, int]:
        """States that occur."""
        with self._lock:
            return Counter(
                evaluation.state.value
                for evaluation in self._evaluations.values()
                if evaluation.key.model == model
            )

    # Counters

    def count(self, model: str, name: str, label: str = "", *, by: int = 1) -> None:
        """Add."""
        with self._lock:
            self._counters.setdefault(model, Counter())[name, label] += by

    def counters(self, model: str) -> Mapping[tuple[str, str], int]:
        """A copy."""
        with self._lock:
            return dict(self._counters.get(model, {}))

    def revision(self) -> str:
        """A digest of everything."""
        with self._lock:
            kept = {name: value for name, value in vars(self).items() if name != "_lock"}
            return content_digest(repr(kept))

    def try_writing(self) -> None:
        """There is always room."""

    def close(self) -> None:
        """Nothing is held."""
