"""The columns of matched tasks, compared: what drifted by more than the bank does against itself."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from monitor.domain.drift import NOTHING, DriftReading
from monitor.domain.evidence import DriftSignal
from monitor.domain.tasks import Stratum
from monitor.drift.columns import FALSE_SHARE, confirmed, uncounted
from monitor.drift.descriptors import Rarity, describe
from monitor.drift.matching import Side, TaskPair
from monitor.drift.pages import Pages

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

SPLITS = 20
"""Ways in which the bank is split into halves, to see how far a column is from itself."""

FEWEST_SPLIT = 8
"""Samples of a task that are split at least, where the bank holds them; else twice the candidate's."""

_RATED = 20_000
"""Programs whose rarity is remembered."""


class ColumnDetector(Protocol):
    """A DriftDetector that can show what it saw."""

    def detect(self, reference: pd.DataFrame, current: pd.DataFrame) -> Sequence[DriftSignal]:
        """As the port says."""
        ...

    def prepare(self) -> None:
        """Load what detecting needs."""
        ...

    def write_report(
        self, reference: pd.DataFrame, current: pd.DataFrame, signals: Sequence[DriftSignal], path: Path
    ) -> None:
        """Write a page about some signals. Raises OSError."""
        ...


class ColumnComparison:
    """Compares columns by a detector, and keeps a page about them.

    Args:
        detector: does the tests.
        rarity: rates programs; None leaves that column out.
        pages: where they go.
        seed: of the splits of the bank.
    """

    def __init__(self, detector: ColumnDetector, rarity: Rarity | None, pages: Pages, *, seed: int) -> None:
        self._detector = detector
        # Models repeat themselves, each text is on several sides, and a bank comes again.
        self._rarity = None if rarity is None else lru_cache(maxsize=_RATED)(rarity)
        self._pages = pages
        self._seed = seed

    def prepare(self) -> None:
        """Load the detector's library."""
        self._detector.prepare()

    def compare(self, pairs: Mapping[Stratum, Sequence[TaskPair]], page: str) -> DriftReading:
        """Signals, columns without enough values, and the page that was written.

        Args:
            pairs: tasks that both sides drew.
            page: its file name; empty for none.
        """
        tasks = [task for found in pairs.values() for task in found]
        before = _frame((task.before for task in tasks), self._rarity)
        after = _frame((task.after for task in tasks), self._rarity)
        signals = tuple(self._detector.detect(before, after))
        detected = [signal for signal in signals if signal.detected]
        if detected:
            signals = confirmed(signals, self._floors(tasks, detected))
        gaps = tuple(uncounted(before, after, list(pairs)))
        compared = replace(NOTHING, signals=signals, unmeasured=gaps)
        shown = [each for each in signals if self._pages.stratum in {None, each.stratum}]
        if not shown or not page:
            return compared
        try:
            self._detector.write_report(before, after, shown, self._pages.folder / page)
            self._pages.prune()
        except Exception as exc:
            # The figures are had, and stand without their page.
            logger.exception("the page about the columns was not written")
            problem = f"The page about the columns was not written ({type(exc).__name__}: {exc})."
            return replace(compared, problems=(problem,), broken=True)
        return replace(compared, report=page)

    def _floors(
        self, tasks: Sequence[TaskPair], detected: Sequence[DriftSignal]
    ) -> dict[tuple[Stratum | None, str], float]:
        """Scores that the bank gets against itself, the share :data:`FALSE_SHARE` of the time."""
        columns, strata = {each.column for each in detected}, {each.stratum for each in detected}
        split = [task for task in tasks if task.stratum in strata]
        rows = _frame(
            (Side(works=task.bank.works[: _most(task)]) for task in split),
            self._rarity if "mean_rarity" in columns else None,
        )
        rows = rows[["task_id", "stratum", *sorted(columns)]]
        sizes = {task.task_id: len(task.after.works) for task in split}
        scores: dict[tuple[Stratum | None, str], list[float]] = defaultdict(list)
        for half, other in _halved(rows, sizes, np.random.default_rng(self._seed)):
            found = {(each.stratum, each.signal): each.score for each in self._detector.detect(half, other)}
            for signal in detected:
                place = (signal.stratum, signal.signal)
                scores[place].append(found.get(place, 1.0))
        return {
            place: float(np.quantile(each, FALSE_SHARE, method="lower")) for place, each in scores.items()
        }


def _halved(
    rows: pd.DataFrame, sizes: Mapping[str, int], rng: np.random.Generator
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Rows of each task at random on two sides: as many on each as its candidate drew, or half of them."""
    places = [(sizes[str(name)], each) for name, each in rows.groupby("task_id", sort=True).indices.items()]
    for _ in range(SPLITS):
        sides: tuple[list[int], list[int]] = ([], [])
        for size, own in places:
            shuffled = rng.permutation(own)
            count = min(size, len(own) // 2)
            sides[0].extend(shuffled[:count])
            sides[1].extend(shuffled[count : 2 * count])
        yield rows.iloc[sides[0]], rows.iloc[sides[1]]


def _most(task: TaskPair) -> int:
    return max(2 * len(task.after.works), FEWEST_SPLIT)


def _frame(sides: Iterable[Side], rarity: Rarity | None) -> pd.DataFrame:
    return describe((work for side in sides for work in side.works), rarity)
