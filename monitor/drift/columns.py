"""Drift of single columns, tested by Evidently: the only file that imports it.

Its import takes seconds, so it happens when a frame is compared. Left to itself it picks another method
for 1000 rows than for 999, with the opposite direction of the score; here method and threshold are given.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.atomic_files import write_file
from monitor.domain.drift import Unmeasured
from monitor.domain.evidence import DriftSignal
from monitor.domain.tasks import Stratum
from monitor.drift.names import CHOICES, NUMBERS
from monitor.stats.discoveries import discovery_threshold

if TYPE_CHECKING:
    import pandas as pd

FALSE_SHARE = 0.01
"""Share of the detected columns that may be false; also the chance of any in an unchanged model."""

FEWEST_ROWS = 30
"""Rows with a value, on either side, without which a column is not compared."""

FEWEST_OF_A_KIND = 5
"""Rows of both sides together without which an outcome or error is not compared by itself."""

NUMBER_METHOD = "ks"
"""Kolmogorov and Smirnov's test of two samples. Evidently's Mann-Whitney test looks to one side only, and
its chi-square test takes the reference for exactly known, which doubles the statistic at equal sizes."""

CHOICE_METHOD = "fisher_exact"

_TESTS = "evidently.legacy.calculations.stattests"

_ALREADY_JUDGED = frozenset({"passed", "stop", "none"})
"""Kinds that say that nothing went wrong: the others of their column say it too, and the gate better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One column of one stratum on both sides, without missing values."""

    name: str
    stratum: Stratum
    method: str
    reference: pd.Series[Any]
    current: pd.Series[Any]


class EvidentlyDetector:
    """The DriftDetector port: each column of each stratum by a p-value test, at any number of rows.

    The rows of both frames should be of the same tasks, as often: differences between tasks then widen
    both sides alike, and the tests, which take rows for independent, err on the careful side.

    Args:
        false_share: of the detected columns, on average (Benjamini and Hochberg over columns and strata).
    """

    def __init__(self, *, false_share: float = FALSE_SHARE) -> None:
        self._false_share = false_share

    def detect(self, reference: pd.DataFrame, current: pd.DataFrame) -> tuple[DriftSignal, ...]:
        """A signal per column and stratum with enough rows whose values are not all the same."""
        columns = list(_comparable(reference, current))
        if not columns:
            return ()
        scores = [_p_value(column) for column in columns]
        threshold = discovery_threshold(scores, self._false_share)
        return tuple(
            DriftSignal(
                signal=column.name,
                method=column.method,
                score=score,
                threshold=threshold,
                detected=score <= threshold,
                stratum=column.stratum,
            )
            for column, score in zip(columns, scores, strict=True)
        )

    def prepare(self) -> None:
        """Import Evidently's tests now, for instance while an engine starts."""
        _tests()

    def write_report(
        self, reference: pd.DataFrame, current: pd.DataFrame, signals: Sequence[DriftSignal], path: Path
    ) -> None:
        """Evidently's HTML page of the signals' columns, with their distributions on both sides.

        Args:
            reference: the frame that :meth:`detect` got.
            current: likewise.
            signals: those to show.
            path: of the file; its folder is made.

        Raises:
            OSError: it cannot be written.
        """
        wanted = {(signal.stratum, signal.signal): signal for signal in signals}
        columns = [
            column for column in _comparable(reference, current) if (column.stratum, column.name) in wanted
        ]
        page = _page(columns, [wanted[column.stratum, column.name] for column in columns])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, page)


def confirmed(
    signals: Sequence[DriftSignal], floors: Mapping[tuple[Stratum | None, str], float]
) -> tuple[DriftSignal, ...]:
    """Signals that are stronger than what the bank shows against itself.

    Args:
        signals: candidate against bank.
        floors: score, by stratum and signal, that halves of the bank seldom go below against each other. A
            column that looks drifted there already has to look more so here.
    """
    return tuple(_below(signal, floors.get((signal.stratum, signal.signal), 1.0)) for signal in signals)


def _below(signal: DriftSignal, floor: float) -> DriftSignal:
    threshold = min(signal.threshold, floor)
    detected = signal.detected and signal.score <= threshold
    return replace(signal, threshold=threshold, detected=detected)


def uncounted(
    reference: pd.DataFrame, current: pd.DataFrame, strata: Sequence[Stratum]
) -> Iterator[Unmeasured]:
    """Columns of some strata that :meth:`EvidentlyDetector.detect` passes over for want of values."""
    for stratum in strata:
        sides = [side[side["stratum"] == stratum.value] for side in (reference, current)]
        for name in (*NUMBERS, *CHOICES):
            if min(side[name].count() if name in side else 0 for side in sides) < FEWEST_ROWS:
                why = f"fewer than {FEWEST_ROWS} samples have a value"
                yield Unmeasured(name=name, stratum=stratum, why=why)


def _comparable(reference: pd.DataFrame, current: pd.DataFrame) -> Iterator[_Column]:
    for stratum in Stratum:
        before = reference[reference["stratum"] == stratum.value]
        after = current[current["stratum"] == stratum.value]
        for name in NUMBERS:
            if name in before and name in after:
                yield from _usable(name, stratum, NUMBER_METHOD, before[name], after[name])
        for name in CHOICES:
            if name in before and name in after:
                yield from _kinds(name, stratum, before[name].dropna(), after[name].dropna())


def _kinds(name: str, stratum: Stratum, before: pd.Series[Any], after: pd.Series[Any]) -> Iterator[_Column]:
    """A yes-or-no column per value that is not too seldom."""
    counts = before.value_counts().add(after.value_counts(), fill_value=0)
    # Evidently's Fisher test wants equally many rows.
    fewer = min(len(before), len(after))
    sides = [_thinned(side, fewer) for side in (before, after)]
    for kind in sorted(set(counts.index[counts >= FEWEST_OF_A_KIND]) - _ALREADY_JUDGED):
        yield from _usable(f"{name}={kind}", stratum, CHOICE_METHOD, *(_marked(side, kind) for side in sides))


def _usable(
    name: str, stratum: Stratum, method: str, before: pd.Series[Any], after: pd.Series[Any]
) -> Iterator[_Column]:
    reference, current = before.dropna(), after.dropna()
    if min(len(reference), len(current)) >= FEWEST_ROWS and len({*reference.unique(), *current.unique()}) > 1:
        yield _Column(name=name, stratum=stratum, method=method, reference=reference, current=current)


def _thinned(side: pd.Series[Any], size: int) -> pd.Series[Any]:
    """So many rows of it, evenly spread."""
    return side.iloc[np.arange(size) * len(side) // max(size, 1)]


def _marked(side: pd.Series[Any], kind: str) -> pd.Series[Any]:
    """Whether each row is of this kind, in words."""
    import pandas as pd  # noqa: PLC0415 - half a second that most commands do not need

    return pd.Series(np.where(side.to_numpy() == kind, "yes", "no"))


def _p_value(column: _Column) -> float:
    tests = _tests()
    with _quietly():
        test, kind = tests[column.method]
        result = test(column.reference, column.current, kind, FALSE_SHARE)
    return float(result.drift_score)


_LOADING = Lock()


def _tests() -> Mapping[str, tuple[Any, Any]]:
    """Evidently's test and the kind of column it takes, by method."""
    with _LOADING:
        return _load_tests()


@cache
def _load_tests() -> Mapping[str, tuple[Any, Any]]:
    with _quietly(), _parts_alone("evidently", _TESTS):
        # Takes a quarter of a second, and several where the rest of the library comes with it.
        from evidently.legacy.calculations.stattests.fisher_exact_stattest import (  # noqa: PLC0415
            fisher_exact_test,
        )
        from evidently.legacy.calculations.stattests.ks_stattest import ks_stat_test  # noqa: PLC0415
        from evidently.legacy.core import ColumnType  # noqa: PLC0415

    return {
        NUMBER_METHOD: (ks_stat_test, ColumnType.Numerical),
        CHOICE_METHOD: (fisher_exact_test, ColumnType.Categorical),
    }


@contextmanager
def _parts_alone(library: str, *packages: str) -> Iterator[None]:
    """Import modules of a library without what its packages import for everybody.

    Evidently's packages load 1400 modules more, its web service and two plotting libraries among them. For
    the modules that are imported inside, packages are empty; afterwards none of them is left, so that
    whoever imports the library finds it whole. Where it is loaded already, it is taken as it is.

    Args:
        library: whose own package is empty.
        packages: others of it.
    """
    found = None if library in sys.modules else find_spec(library)
    if found is None or found.submodule_search_locations is None:
        yield
        return
    for package in (library, *packages):
        inner = package.split(".")[1:]
        empty = ModuleType(package)
        empty.__path__ = [str(Path(place, *inner)) for place in found.submodule_search_locations]
        sys.modules[package] = empty
    try:
        yield
    finally:
        for name in [each for each in sys.modules if each == library or each.startswith(f"{library}.")]:
            del sys.modules[name]


@contextmanager
def _quietly() -> Iterator[None]:
    """Telemetry off before Evidently is imported, and no warnings of its own about what it does.

    Among them: with many ties Kolmogorov's p-value is the asymptotic one, which errs on the careful side.
    """
    os.environ["DO_NOT_TRACK"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _page(columns: Sequence[_Column], signals: Sequence[DriftSignal]) -> str:
    import pandas as pd  # noqa: PLC0415 - half a second that most commands do not need

    # Not while its tests are being loaded, for which its packages are empty.
    with _LOADING, _quietly():
        from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - takes seconds
        from evidently.metrics import ValueDrift  # noqa: PLC0415 - likewise

    titles = [f"{column.stratum.value}: {column.name}" for column in columns]
    definition = DataDefinition(
        numerical_columns=[t for t, c in zip(titles, columns, strict=True) if c.method == NUMBER_METHOD],
        categorical_columns=[t for t, c in zip(titles, columns, strict=True) if c.method == CHOICE_METHOD],
    )
    # Strata have other numbers of rows: one frame holds them all, with gaps that Evidently passes over.
    frames = [
        pd.DataFrame({t: pd.Series(side.to_numpy()) for t, side in zip(titles, sides, strict=True)})
        for sides in ([c.current for c in columns], [c.reference for c in columns])
    ]
    current, reference = (Dataset.from_pandas(frame, data_definition=definition) for frame in frames)
    metrics = [
        ValueDrift(column=title, method=signal.method, threshold=signal.threshold)
        for title, signal in zip(titles, signals, strict=True)
    ]
    with _quietly():
        snapshot = Report(metrics).run(current_data=current, reference_data=reference)
        page: str = snapshot.get_html_str(as_iframe=False)
    return page
