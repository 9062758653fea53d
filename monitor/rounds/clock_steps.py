"""Notices that the wall clock was set, by a clock that only runs forward."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST_STEP_S = 1.0
"""Smaller ones are the clock being slewed, which nothing that waits for minutes needs to know."""


class ClockSteps:
    """Compares two clocks whenever it is asked.

    Args:
        wall: seconds of a clock that can be set.
        steady: seconds of one that cannot.
    """

    def __init__(
        self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._apart_s = wall() - steady()

    def step_s(self) -> float:
        """Seconds by which the wall clock was set since this was asked before; 0 when it was not.

        >>> now = [100.0, 5.0]
        >>> steps = ClockSteps(wall=lambda: now[0], steady=lambda: now[1])
        >>> now[:] = 41.0, 6.0
        >>> steps.step_s(), steps.step_s()
        (-60.0, 0.0)
        """
        apart_s = self._wall() - self._steady()
        step_s, self._apart_s = apart_s - self._apart_s, apart_s
        return step_s if abs(step_s) >= LEAST_STEP_S else 0.0
