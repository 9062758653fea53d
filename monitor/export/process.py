"""What only the running daemon knows: its version, and how its looks for checkpoints go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor import __version__


class Polls(Collector):
    """Publishes when the last look for checkpoints ended, whether it went through, what it could not use.

    Args:
        model: name of the model.
        every_s: seconds from one look to the next.
        wall: seconds of the clock that timestamps are told by.
        steady: seconds of a clock that is never set: the age of the last look is measured by it.
    """

    def __init__(
        self,
        model: str,
        *,
        every_s: float = 60.0,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._every_s = every_s
        self._wall = wall
        self._steady = steady
        self._ended_at_s = steady()
        self._up: bool | None = None
        self._unusable: int | None = None

    def expect_every(self, seconds: float) -> None:
        """Looks come at another interval from now on."""
        self._every_s = seconds

    def succeeded(self, *, unusable: int) -> None:
        """A look went through.

        Args:
            unusable: settled folders that are not checkpoints an engine could serve.
        """
        self._up, self._unusable, self._ended_at_s = True, unusable, self._steady()

    def failed(self) -> None:
        """A look broke off; what the one before found still stands."""
        self._up, self._ended_at_s = False, self._steady()

    def collect(self) -> Iterator[Metric]:
        """All figures; before the first look, how long it has not ended."""
        up = GaugeMetricFamily(
            "tailwatch_poll_up", "1 when the last look for checkpoints went through.", labels=["model"]
        )
        unusable = GaugeMetricFamily(
            "tailwatch_unusable_checkpoints",
            "What was found where a checkpoint was expected and cannot be evaluated.",
            labels=["model"],
        )
        if self._up is not None:
            up.add_metric([self._model], float(self._up))
        if self._unusable is not None:
            unusable.add_metric([self._model], self._unusable)
        yield up
        yield unusable
        yield self._gauge(
            "tailwatch_last_poll_timestamp_seconds",
            "When the last look for checkpoints ended; before the first, when the daemon started.",
            self._wall() - (self._steady() - self._ended_at_s),
        )
        yield self._gauge(
            "tailwatch_poll_interval_seconds",
            "From one look for checkpoints to the next.",
            self._every_s,
        )

    def _gauge(self, name: str, meaning: str, value: float) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, meaning, labels=["model"])
        family.add_metric([self._model], value)
        return family


class Sampling(Collector):
    """Publishes when the engine last gave a text.

    Args:
        model: the label.
        last_sample_at: UTC; None before the first.
    """

    def __init__(self, model: str, last_sample_at: Callable[[], datetime | None]) -> None:
        self._model = model
        self._last_sample_at = last_sample_at

    def collect(self) -> Iterator[Metric]:
        """One series, or none before the first sample."""
        family = GaugeMetricFamily(
            "tailwatch_last_sample_timestamp_seconds",
            "When the engine last gave a text, seconds since 1970.",
            labels=["model"],
        )
        if (moment := self._last_sample_at()) is not None:
            family.add_metric([self._model], moment.timestamp())
        yield family


class Build(Collector):
    """Publishes the version that runs."""

    def collect(self) -> Iterator[Metric]:
        """One series."""
        family = InfoMetricFamily("tailwatch_build", "The Tailwatch that answers.", labels=["version"])
        # An info family insists on a mapping of its own beside the labels; ours holds none.
        family.add_metric([__version__], {})
        yield family
