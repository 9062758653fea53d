"""A few tasks through engine and sandbox, to see that both work: no verdict, and nothing is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from monitor.cli.app import Terminal
from monitor.cli.task_choice import matching
from monitor.domain.checkpoint import Checkpoint
from monitor.domain.evaluation import Evaluation
from monitor.domain.identity import content_digest
from monitor.domain.samples import Outcome
from monitor.domain.tasks import Stratum, Suite
from monitor.export.documents import checkpoint_document
from monitor.store import open_store
from monitor.wiring import Deployment

SAMPLES = 2
"""Of each task, unless stated."""

tasks_option = click.option(
    "--tasks",
    "patterns",
    multiple=True,
    metavar="GLOB",
    help="Smoke test: only tasks whose id matches, nothing stored, no verdict; repeatable.",
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(1),
    help="Smoke test: this many tasks, rarest strata first, nothing stored, no verdict.",
)


def narrowed(suite: Suite, patterns: Sequence[str], limit: int | None) -> Suite:
    """Some of a suite's tasks, as a suite with a digest of its own.

    Args:
        suite: the whole.
        patterns: globs of task ids; none for all.
        limit: most tasks, taken from the strata in turn, the rarest first; None for all.

    Raises:
        InvalidSuite: no task matches.
    """
    chosen = {task.task_id for task in matching(suite, patterns)}
    strata = [[task for task in suite.stratum(each) if task.task_id in chosen] for each in suite.strata]
    in_turn = [task for together in zip_longest(*strata) for task in together if task is not None]
    kept = sorted(in_turn[:limit], key=lambda task: task.task_id)
    digest = content_digest("smoke test", suite.digest, *(task.task_id for task in kept))
    return replace(suite, tasks=tuple(kept), digest=digest, seal=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTest:
    """What a few tasks showed."""

    subject: Checkpoint
    record: Evaluation
    suite: Suite
    outcomes: dict[Stratum, dict[Outcome, int]]

    def document(self) -> dict[str, Any]:
        """As JSON; it has no decision."""
        return {
            "smoke_test": True,
            "checkpoint": checkpoint_document(self.subject),
            "tasks": [task.task_id for task in self.suite],
            "excluded_tasks": list(self.record.excluded_tasks),
            "samples": sum(sum(each.values()) for each in self.outcomes.values()),
            "strata": {
                stratum.value: {outcome.value: count for outcome, count in counts.items()}
                for stratum, counts in self.outcomes.items()
            },
            "environment": dict(self.record.environment),
        }

    def render(self, out: Console) -> None:
        """In words."""
        for stratum, counts in self.outcomes.items():
            told = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
            out.print(f"{stratum.value}: {told}", highlight=False)
        if self.record.excluded_tasks:
            excluded = ", ".join(self.record.excluded_tasks)
            out.print(f"Left out, since their reference fails here: {excluded}", highlight=False)
        out.print(
            f"Smoke test of {self.subject.name} on {len(self.suite)} tasks. Nothing was stored and nothing "
            "was decided: the gate knows nothing of it.",
            highlight=False,
        )


def apart(deployment: Deployment, folder: Path, suite: Suite, *, samples: int | None) -> Deployment:
    """The deployment with some tasks, few samples, and a store of its own in a folder."""
    store = open_store(f"sqlite:///{folder / 'smoke-test.db'}")
    depth = 1 if deployment.watch.plan.greedy else samples or SAMPLES
    watch = replace(
        deployment.watch,
        suite=suite,
        plan=replace(deployment.watch.plan, samples_per_task=depth),
        store=store,
    )
    return replace(deployment, watch=watch, store=store)


def result_of(deployment: Deployment, subject: Checkpoint, record: Evaluation) -> SmokeTest:
    """What was drawn, counted."""
    suite = deployment.watch.suite
    outcomes: dict[Stratum, dict[Outcome, int]] = {stratum: {} for stratum in suite.strata}
    for (stratum, outcome), count in deployment.store.tallies(record.key.evaluation_id).items():
        outcomes[stratum][outcome] = count
    return SmokeTest(subject=subject, record=record, suite=suite, outcomes=outcomes)


def throwaway_folder() -> tempfile.TemporaryDirectory[str]:
    """Where a smoke test's store lies while it runs."""
    return tempfile.TemporaryDirectory(prefix="tailwatch-smoke-test-")


def show(speak: Terminal, found: SmokeTest) -> None:
    """Answer with what a smoke test showed."""
    speak.answer(found.document(), found.render)
