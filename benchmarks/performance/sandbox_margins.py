"""Programs that come near their limits: what a busy machine would tip over first."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.domain.samples import Limits, Outcome, Program

LIMITS = Limits(cpu_s=1.0, memory_bytes=256 * 2**20)

_TEST = "def check(candidate):\n    assert candidate(20) == 40\n"
_COMPUTING = """
import time
def double(x):
    while time.process_time() < {cpu_s}:
        pass
    return 2 * x
"""
_SLEEPING = """
import time
def double(x):
    time.sleep({seconds})
    return 2 * x
"""
_HOLDING = """
def double(x):
    kept = [bytearray(b'x') * 2**20 for _ in range({mebibytes})]
    return 2 * x + 0 * len(kept)
"""
_BY_CHILDREN = """
import os, time
def double(x):
    for _ in range(3):
        child = os.fork()
        if child == 0:
            while time.process_time() < {cpu_s} / 3:
                pass
            os._exit(0)
        os.waitpid(child, 0)
    return 2 * x
"""


def near_limits() -> Iterator[tuple[Program, Outcome]]:
    """Each with what it must come to, however busy the machine is."""
    for form in (_COMPUTING, _BY_CHILDREN):
        for cpu_s in (0.3, 0.5, 0.7):
            yield _program(form.format(cpu_s=cpu_s)), Outcome.PASSED
        yield _program(form.format(cpu_s=1.4)), Outcome.TIMED_OUT
    for seconds in (0.5, 1.5):
        yield _program(_SLEEPING.format(seconds=seconds)), Outcome.PASSED
    yield _program(_SLEEPING.format(seconds=60)), Outcome.TIMED_OUT
    for mebibytes in (64, 128, 192):
        yield _program(_HOLDING.format(mebibytes=mebibytes)), Outcome.PASSED
    yield _program(_HOLDING.format(mebibytes=400)), Outcome.OUT_OF_MEMORY


def _program(source: str) -> Program:
    return Program(language="python", source=source, test=_TEST, entry_point="double", limits=LIMITS)
