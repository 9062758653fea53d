"""Where the wall time of an evaluation went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

from monitor.domain.evaluation import Stage


class Stopwatch:
    """Wall seconds per stage, on top of what earlier attempts took."""

    def __init__(self, earlier_s: Mapping[Stage, float]) -> None:
        self._stage_s = dict(earlier_s)
        self._counted_s = 0.0
        self._started = monotonic()

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Count the time inside for the stage, also when it ends in an error."""
        started = monotonic()
        try:
            yield
        finally:
            self.add({stage: monotonic() - started})

    def add(self, stage_s: Mapping[Stage, float]) -> None:
        """Count seconds that were measured elsewhere."""
        for stage, seconds in stage_s.items():
            self._stage_s[stage] = self._stage_s.get(stage, 0.0) + seconds
            self._counted_s += seconds

    def reading(self) -> dict[Stage, float]:
        """Seconds per stage; what no stage claimed is REST."""
        rest = max(0.0, monotonic() - self._started - self._counted_s)
        return {**self._stage_s, Stage.REST: self._stage_s.get(Stage.REST, 0.0) + rest}
