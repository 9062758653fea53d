"""In-memory stand-ins for every port, for Tailwatch's own tests and for those of its users.

They keep the promises of :mod:`monitor.ports` and nothing else: no file, process, clock or global
randomness. A fake model's text follows from the request's seed, so two fake checkpoints are coupled
at equal seeds just as two real ones are.
"""

from __future__ import annotations

from monitor.testing.fakes import (
    MARKER,
    Failings,
    FakeEngine,
    FakeModel,
    FakeSandbox,
    FakeSource,
    PassRatio,
    marked,
)
from monitor.testing.gauges import FakeDetector, FakeMeter, FakeProbe
from monitor.testing.memory_store import MemoryStore

__all__ = [
    "MARKER",
    "Failings",
    "FakeDetector",
    "FakeEngine",
    "FakeMeter",
    "FakeModel",
    "FakeProbe",
    "FakeSandbox",
    "FakeSource",
    "MemoryStore",
    "PassRatio",
    "marked",
]
