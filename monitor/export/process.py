"""What only the running daemon knows: its version, and how its looks for checkpoints go."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor import __version__


class Polls(Collector):
    """Publishes whether the last look for checkpoints went through, and what it could not use."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._up: bool | None = None
        self._unusable = 0

    def succeeded(self, *, unusable: int) -> None:
        """A look went through.

        Args:
            unusable: settled folders that are not checkpoints an engine could serve.
        """
        self._up, self._unusable = True, unusable

    def failed(self) -> None:
        """A look broke off; what the one before found still stands."""
        self._up = False

    def collect(self) -> Iterator[Metric]:
        """Both figures; none before the first look."""
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
            unusable.add_metric([self._model], self._unusable)
        yield up
        yield unusable


class Build(Collector):
    """Publishes the version that runs."""

    def collect(self) -> Iterator[Metric]:
        """One series."""
        family = InfoMetricFamily("tailwatch_build", "The Tailwatch that answers.", labels=["version"])
        # An info family insists on a mapping of its own beside the labels; ours holds none.
        family.add_metric([__version__], {})
        yield family
