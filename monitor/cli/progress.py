"""How far evaluations are: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from monitor.domain.evaluation import Purpose, Stage
from monitor.rounds.bench import Progress, Watcher
from monitor.rounds.run import log_fields

EVERY_S = 10.0
"""Seconds between two lines about an evaluation's samples."""

log = logging.getLogger("tailwatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """Something about an evaluation that is worth a line."""

    event: str
    """``engine ready`` or ``progress``."""
    fields: dict[str, object]
    """What is known of it, by name."""


class Milestones:
    """Picks what is worth a line: the engine that is ready, the last sample, and a wave now and then.

    Args:
        clock: seconds on a clock that only goes forward.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}
        self._complete: set[str] = set()

    def of(self, progress: Progress) -> Iterator[Milestone]:
        """What a report adds to those before it."""
        evaluation_id, record = progress.evaluation.key.evaluation_id, progress.evaluation
        if progress.served:
            seconds = round(record.stage_s.get(Stage.ENGINE, 0.0), 1)
            engine = record.environment.get("engine", "")
            yield Milestone(event="engine ready", fields={"engine": engine, "seconds": seconds})
        last = self._told.setdefault(evaluation_id, self._clock())
        complete = progress.expected is not None and progress.samples >= progress.expected
        if not progress.samples or not (complete or self._clock() - last >= EVERY_S):
            return
        if complete and evaluation_id in self._complete:
            return
        if complete:
            self._complete.add(evaluation_id)
        self._told[evaluation_id] = self._clock()
        fields: dict[str, object] = {"samples": progress.samples, "expected": progress.expected}
        if progress.pass_ratio is not None:
            fields["pass_ratio"] = round(progress.pass_ratio, 3)
        if progress.assessment is not None:
            fields["sampling"] = ",".join(want.stratum.value for want in progress.assessment.wanted)
        yield Milestone(event="progress", fields=fields)


def logged() -> Watcher:
    """Progress as log lines."""
    milestones = Milestones()

    def watch(progress: Progress) -> None:
        for each in milestones.of(progress):
            log.info(each.event, extra={**log_fields(progress.evaluation), **each.fields})

    return watch


@contextmanager
def shown(console: Console) -> Iterator[Watcher]:
    """Progress on a console: a bar per evaluation on a terminal, lines elsewhere."""
    if console.is_terminal:
        with _bars(console) as watch:
            yield watch
        return
    milestones = Milestones()

    def tell(progress: Progress) -> None:
        for each in milestones.of(progress):
            console.print(
                f"{_title(progress)}: {_sentence(each)}", highlight=False, markup=False, soft_wrap=True
            )

    yield tell


def _sentence(milestone: Milestone) -> str:
    told = milestone.fields
    if milestone.event == "engine ready":
        return f"engine ready after {told['seconds']} s ({told['engine']})"
    of = "" if told["expected"] is None else f" of {told['expected']}"
    text = f"{told['samples']}{of} samples"
    if "pass_ratio" in told:
        text += f", {told['pass_ratio']:.1%} passed"
    return text + (f", sampling {told['sampling']}" if told.get("sampling") else "")


def _title(progress: Progress) -> str:
    purpose = "bank of" if progress.evaluation.key.purpose is Purpose.BANK else "samples of"
    return f"{purpose} {progress.evaluation.checkpoint.name}"


@contextmanager
def _bars(console: Console) -> Iterator[Watcher]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[passed]}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        lines: dict[str, TaskID] = {}

        def watch(progress: Progress) -> None:
            key = progress.evaluation.key.evaluation_id
            if key not in lines:
                lines[key] = bar.add_task(_title(progress), total=progress.expected, passed="")
            ratio = progress.pass_ratio
            bar.update(
                lines[key],
                completed=progress.samples,
                total=progress.expected,
                passed="" if ratio is None else f"{ratio:.1%} passed",
            )

        yield watch
