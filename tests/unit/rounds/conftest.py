"""A small deployment of fakes, in which whole evaluations take milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.identity import base_seed, content_digest
from monitor.domain.samples import Program, SampleRequest, SamplingPlan
from monitor.domain.tasks import Provenance, Stratum, Suite, Task, TaskKind
from monitor.rounds.bench import Asking, Bench, Gauges
from monitor.rounds.tally import Tally
from monitor.rounds.watching import Watch, adopt, bank
from monitor.rounds.worker import work_once
from monitor.testing import FakeEngine, FakeSandbox, MemoryStore
from monitor.verdicts.policy import Policy

PLAN = SamplingPlan(samples_per_task=32, temperature=1.0, max_tokens=16)
START = datetime(2026, 1, 1, tzinfo=UTC)


def task(stratum: Stratum, number: int) -> Task:
    task_id = f"{stratum.value}/{number:03}"
    return Task(
        task_id=task_id,
        prompt=f"def f{number}():\n",
        canonical_solution=f"    return {number}\n",
        test="def check(candidate):\n    assert candidate() is not None\n",
        entry_point=f"f{number}",
        language="python",
        kind=TaskKind.PROGRAM,
        time_limit_s=1.0,
        topic="numbers",
        rarity={Stratum.HEAD: 1.0, Stratum.TORSO: 5.0, Stratum.TAIL: 10.0}[stratum],
        stratum=stratum,
        provenance=Provenance(
            author="us", created="2026-01-01", licence="Apache-2.0", source="original", written_by="human"
        ),
        digest=content_digest(task_id),
    )


def small_suite(per_stratum: int = 60) -> Suite:
    tasks = [task(stratum, number) for stratum in Stratum for number in range(per_stratum)]
    tasks.sort(key=lambda each: each.task_id)
    return Suite(
        name="small",
        version="1",
        licence="Apache-2.0",
        description="made for tests",
        seed=7,
        rarity_method="made up",
        tasks=tuple(tasks),
        digest=content_digest("small", str(per_stratum)),
    )


def checkpoint(name: str) -> Checkpoint:
    return Checkpoint(digest=content_digest(name), name=name, location=f"/models/{name}")


def pass_ratio(subject: Checkpoint, task_id: str) -> float:
    """The baseline has .6 everywhere; 'worse' loses 30 points of the tail, 'equal' nothing."""
    return 0.3 if subject.name == "worse" and task_id.startswith("tail") else 0.6


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def asking(suite: Suite) -> Asking:
    def request(task: Task, first_index: int, count: int) -> SampleRequest:
        return SampleRequest(
            task_id=task.task_id,
            prompt=task.prompt,
            first_index=first_index,
            count=count,
            seed=base_seed(suite.seed, task.digest) + first_index,
            stop=(),
            plan=PLAN,
        )

    def program(task: Task, text: str) -> Program:
        return Program(
            language=task.language, source=task.prompt + text, test=task.test, entry_point=task.entry_point
        )

    return Asking(
        request=request,
        assemble=lambda task, completion: program(task, completion.text),
        reference=lambda task: program(task, task.canonical_solution),
    )


class World:
    """One model's deployment, whose engine and sandbox a test replaces."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.suite = small_suite()
        self.store = store or MemoryStore()
        self.plan = PLAN
        self.clock = Clock()
        self.engine = FakeEngine(pass_ratio)
        self.sandbox = FakeSandbox()
        self.policy = Policy(margin=dict.fromkeys(Stratum, 0.2))
        self.watch = Watch(model="acme", suite=self.suite, plan=PLAN, baseline="promoted", store=self.store)
        self.progress: list[object] = []
        self.gauges = Gauges()

    def bench(self) -> Bench:
        return Bench(
            model="acme",
            suite=self.suite,
            plan=self.plan,
            policy=self.policy,
            store=self.store,
            engine=self.engine,
            sandbox=self.sandbox,
            asking=asking(self.suite),
            tally=Tally("acme"),
            clock=self.clock,
            wave_samples=48,
            watcher=self.progress.append,
            gauges=self.gauges,
        )

    async def with_baseline(self) -> World:
        subject = checkpoint("base")
        adopt(self.watch, subject, now=self.clock())
        self.store.enqueue(bank(self.watch, subject, now=self.clock()))
        await work_once(self.bench(), worker="w:1:1")
        return self


@pytest.fixture
def world() -> World:
    return World()
