"""The outputs of one evaluation beside the bank's, measured."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from monitor.domain.drift import DriftReading
from monitor.domain.evidence import DriftSignal
from monitor.domain.samples import Sample
from monitor.domain.tasks import Stratum
from monitor.drift.columns import confirmed
from monitor.drift.descriptors import Rarity, describe
from monitor.drift.indicators import free_indicators
from monitor.drift.matching import Reader, Side, TaskPair, Works, matched
from monitor.drift.significance import ALPHA

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


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


class OutputMeter:
    """The DriftMeter port.

    Args:
        read: how a sample is read.
        seed: of what the tests draw.
        detector: compares columns; None leaves that out.
        rarity: rates programs for the descriptors; None leaves that column out.
        reports: folder of the HTML reports.
        always_report: also where nothing drifted, about all columns.
        alpha: how often an indicator may warn of an unchanged model, per stratum.
    """

    def __init__(
        self,
        *,
        read: Reader,
        seed: int,
        detector: ColumnDetector | None,
        rarity: Rarity | None,
        reports: Path,
        always_report: bool = False,
        alpha: float = ALPHA,
    ) -> None:
        self._read = read
        self._seed = seed
        self._detector = detector
        self._rarity = rarity
        self._reports = reports
        self._always_report = always_report
        self._alpha = alpha

    def prepare(self) -> None:
        """Load the detector's library."""
        if self._detector is not None:
            self._detector.prepare()

    def measure(self, bank: Sequence[Sample], candidate: Sequence[Sample], *, report: str) -> DriftReading:
        """Signals and free indicators; a report where columns have drifted and a name is given."""
        started = monotonic()
        pairs = matched(bank, candidate, Works(self._read))
        if not pairs:
            problem = "Bank and candidate have no sample in common: nothing was compared."
            return DriftReading(signals=(), indicators=(), problems=(problem,))
        found = free_indicators(pairs, seed=self._seed, alpha=self._alpha)
        signals, written = self._columns(pairs, report)
        return DriftReading(
            signals=signals,
            indicators=found.indicators,
            problems=found.problems,
            report=written,
            elapsed_s=monotonic() - started,
        )

    def _columns(
        self, pairs: Mapping[Stratum, Sequence[TaskPair]], report: str
    ) -> tuple[tuple[DriftSignal, ...], str]:
        """Signals, and the name of the report that was written about them."""
        if self._detector is None:
            return (), ""
        tasks = [task for found in pairs.values() for task in found]
        # Models repeat themselves, and each text is on several sides.
        rarity = None if self._rarity is None else cache(self._rarity)
        before, after = _frame((t.before for t in tasks), rarity), _frame((t.after for t in tasks), rarity)
        signals = self._detector.detect(before, after)
        if any(signal.detected for signal in signals):
            halves = [task.halves() for task in tasks]
            even, odd = _frame((h[0] for h in halves), rarity), _frame((h[1] for h in halves), rarity)
            signals = confirmed(signals, self._detector.detect(even, odd))
        shown = [signal for signal in signals if signal.detected or self._always_report]
        if not shown or not report:
            return tuple(signals), ""
        try:
            self._detector.write_report(before, after, shown, self._reports / report)
        except OSError as trouble:
            logger.warning("the drift report was not written: %s", trouble)
            return tuple(signals), ""
        return tuple(signals), report


def _frame(sides: Iterable[Side], rarity: Rarity | None) -> pd.DataFrame:
    return describe((work for side in sides for work in side.works), rarity)
