"""Numba's compiler with types that mypy can follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile a function to machine code at its first call, and keep that on disk."""
    ready: Callable[Parameters, Result] = njit(cache=True)(function)
    return ready
