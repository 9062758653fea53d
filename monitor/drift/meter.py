"""The outputs of one evaluation beside the bank's, measured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from monitor.domain.drift import NOTHING, DriftReading, lost, together
from monitor.domain.samples import Sample
from monitor.domain.tasks import Stratum
from monitor.drift.comparing import ColumnComparison
from monitor.drift.indicators import free_indicators
from monitor.drift.matching import Reader, TaskPair, Works, matched
from monitor.drift.significance import ALPHA

logger = logging.getLogger(__name__)


class OutputMeter:
    """The DriftMeter port.

    Args:
        read: how a sample is read.
        seed: of what the tests draw.
        columns: compares columns; None leaves that out.
        signs: whether the signs of collapse are looked for.
        alpha: how often an indicator may warn of an unchanged model, per stratum.
    """

    def __init__(
        self,
        *,
        read: Reader,
        seed: int,
        columns: ColumnComparison | None,
        signs: bool = True,
        alpha: float = ALPHA,
    ) -> None:
        self._works = Works(read)
        self._seed = seed
        self._compared = columns
        self._looks_for_signs = signs
        self._alpha = alpha

    def prepare(self) -> None:
        """Load the library that compares columns."""
        if self._compared is not None:
            self._compared.prepare()

    def measure(self, bank: Sequence[Sample], candidate: Sequence[Sample], *, report: str) -> DriftReading:
        """Signals and free indicators, and a page about all columns where a name is given.

        What breaks costs its own part alone, and is a problem of the reading.
        """
        started = monotonic()
        pairs = matched(bank, candidate, self._works)
        self._works.forget_all_but(
            work for tasks in pairs.values() for task in tasks for work in task.bank.works
        )
        if not any(pairs.values()):
            problem = "Bank and candidate have no sample in common: nothing was compared."
            return replace(NOTHING, problems=(problem,))
        reading = together(
            (
                _attempted("The signs of collapse", lambda: self._signs(pairs)),
                _attempted("The columns", lambda: self._columns(pairs, report)),
            )
        )
        return replace(reading, elapsed_s=monotonic() - started)

    def _signs(self, pairs: Mapping[Stratum, Sequence[TaskPair]]) -> DriftReading:
        if not self._looks_for_signs:
            return NOTHING
        found = free_indicators(pairs, seed=self._seed, alpha=self._alpha)
        return replace(NOTHING, indicators=found.indicators, unmeasured=found.unmeasured)

    def _columns(self, pairs: Mapping[Stratum, Sequence[TaskPair]], report: str) -> DriftReading:
        return NOTHING if self._compared is None else self._compared.compare(pairs, report)


def _attempted(name: str, part: Callable[[], DriftReading]) -> DriftReading:
    try:
        return part()
    except Exception as exc:
        # One library's trouble with one column must not cost what the others say.
        logger.exception("%s could not be compared", name)
        return lost(name, exc)
