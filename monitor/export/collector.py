"""The Prometheus collector over the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.domain.errors import InvalidConfig, MonitorError
from monitor.domain.evidence import Decision
from monitor.export.families import metric_families
from monitor.export.process import Build
from monitor.export.snapshot import Snapshot, take_snapshot
from monitor.ports import Store
from monitor.verdicts.bank_health import StratumHealth

logger = logging.getLogger(__name__)


class StoreCollector(Collector):
    """Publishes one model's checkpoints, verdicts and pipeline from the store at each scrape.

    The store is read completely before the first series is made. When it cannot be read, the
    exposition holds ``tailwatch_store_up 0`` and no figure at all: an operator can tell "nothing is
    known" from "everything is fine", half-told checkpoints never look like vanished ones, and a scrape
    that answered 500 would hide the reason behind ``up == 0``.
    """

    def __init__(
        self,
        store: Store,
        *,
        model: str,
        decision_for: Callable[[str], Decision],
        suite_names: Mapping[str, str] = MappingProxyType({}),
        candidates: int = 10,
        bank: Callable[[], Sequence[StratumHealth]] = tuple,
    ) -> None:
        if candidates < 1:
            raise InvalidConfig(
                f"Cannot publish the last {candidates} candidates.", next_step="Publish at least one."
            )
        self._store = store
        self._model = model
        self._decision_for = decision_for
        self._suite_names = suite_names
        self._candidates = candidates
        self._bank = bank

    def describe(self) -> list[Metric]:
        """Nothing: what is published depends on the store, which registering must not read."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metric families of METRICS, made from one reading of the store."""
        snapshot = self._read()
        yield self._store_up(snapshot is not None)
        if snapshot is not None:
            yield from metric_families(snapshot, model=self._model, suite_names=self._suite_names)

    def _read(self) -> Snapshot | None:
        try:
            return take_snapshot(
                self._store,
                model=self._model,
                decision_for=self._decision_for,
                candidates=self._candidates,
                bank=self._bank,
            )
        except MonitorError as trouble:
            logger.warning("metrics are not available: %s", trouble)
            return None

    def _store_up(self, up: bool) -> Metric:
        family = GaugeMetricFamily(
            "tailwatch_store_up",
            "1 when the store could be read for this scrape; when 0, no other figure is published.",
            labels=["model"],
        )
        family.add_metric([self._model], float(up))
        return family


def new_registry(*collectors: Collector) -> CollectorRegistry:
    """A registry with the collectors and the process's own figures (version, memory, CPU, file handles)."""
    registry = CollectorRegistry()
    for collector in (*collectors, Build()):
        registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
