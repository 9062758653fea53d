"""A store whose readings are kept until something in it changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

from monitor.ports import Store

READINGS = frozenset(
    {
        "checkpoint",
        "checkpoints",
        "roles",
        "role_history",
        "evaluation",
        "evaluations",
        "last_decided_at",
        "tallies",
        "drift",
        "depth",
        "counters",
    }
)
"""What gate, metrics and pages read again and again; the rest of the port goes through as it is.

So do tallies by task, which grow with the suite: one page reads them, and all of them fill the memory.
"""

MOST_READINGS = 1024
"""Readings that are kept, those that were used last."""


def remembered(store: Store) -> Store:
    """The same store; equal readings of an unchanged store are made once."""
    return cast("Store", _Remembered(store))


class _Reading(NamedTuple):
    revision: str
    """Of the store before it was read: what was read is at least as new."""
    value: Any


class _Remembered:
    """Stands before a store and delegates; safe between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], _Reading] = OrderedDict()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        return partial(self._read, name, method) if name in READINGS else method

    def _read(self, name: str, method: Callable[..., Any], *args: object, **options: object) -> Any:
        revision = self._store.revision()
        key = (name, args, *sorted(options.items()))
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.revision == revision:
                self._kept.move_to_end(key)
                return kept.value
        value = method(*args, **options)
        with self._lock:
            self._kept[key] = _Reading(revision, value)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_READINGS:
                self._kept.popitem(last=False)
        return value
