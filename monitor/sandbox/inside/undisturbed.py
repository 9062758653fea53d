"""Puts back what a task's tests change in the judge's own interpreter, so that no other task meets it."""

from __future__ import annotations

import builtins
import contextlib
import decimal
import gc
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import Any

_STREAMS = ("stdin", "stdout", "stderr")
_BUILTINS = vars(builtins)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Run tests from a fixed seed, and give the next ones the interpreter that these were given.

    Covers what tests are known to set: built-in names, streams, recursion limit, decimal arithmetic,
    environment, import path, warnings, alarms, tracing and garbage collection. What they do to the
    inside of imported modules stays.
    """
    import random  # noqa: PLC0415 - the zygote must not have it, see candidate._PRELOADED

    random.seed(0)
    names, environment, path = dict(_BUILTINS), dict(os.environ), list(sys.path)
    streams = {name: getattr(sys, name) for name in _STREAMS}
    recursion, arithmetic = sys.getrecursionlimit(), decimal.getcontext().copy()
    shown, tracing, profiling = list(warnings.filters), sys.gettrace(), sys.getprofile()
    try:
        yield
    finally:
        # First of all, since the rest is done with them.
        _renew(_BUILTINS, names)
        sys.settrace(tracing)
        sys.setprofile(profiling)
        sys.setrecursionlimit(recursion)
        signal.alarm(0)
        for name, stream in streams.items():
            setattr(sys, name, stream)
        decimal.setcontext(arithmetic)
        if os.environ != environment:
            _renew(os.environ, environment)
        sys.path[:] = path
        warnings.filters = shown
        gc.enable()


def _renew(mapping: Any, contents: dict[str, Any]) -> None:
    for name in [name for name in mapping if name not in contents]:
        del mapping[name]
    mapping.update(contents)
