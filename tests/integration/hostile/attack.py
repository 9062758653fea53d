"""What a hostile program is, and the honest task that all of them pretend to solve."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.domain.samples import Limits, Outcome, Program

SECRET = "e7c1f0a4-what-only-the-tests-know"
MARKER = "tailwatch-hostile-marker"
"""Name of whatever hostile programs try to leave behind."""

TEST = f"""
SECRET = "{SECRET}"

def check(candidate):
    assert candidate(2, 3) == 5
    assert candidate(-1, 1) == 0
    assert candidate("a", "b") == "ab"
    assert candidate([1], [2]) == [1, 2]
    result = candidate(20, 22)
    assert type(result) is int and result == 42 and repr(result) == "42"
"""
HONEST = "def add(a, b):\n    return a + b\n"
LIMITS = Limits(cpu_s=0.4, memory_bytes=128 * 2**20, output_bytes=2**16)

NOT_OURS = frozenset(
    {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.CRASHED, Outcome.REJECTED}
)
"""Facts about a program: neither a pass nor something that could be blamed on the sandbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One hostile program."""

    name: str
    source: str
    outcomes: frozenset[Outcome] = NOT_OURS
    """What it may come to."""
    in_process: bool = False
    language: str = "python"
    test: str = TEST

    @property
    def program(self) -> Program:
        """As the sandbox is given it."""
        return Program(
            language=self.language,
            source=self.source,
            test=self.test,
            entry_point="add",
            limits=LIMITS,
            in_process=self.in_process,
        )


def canary(number: int) -> Program:
    """An honest program, new each time, that also looks whether anything was left for it."""
    source = f"""
import os

def add(a, b):
    return a + b

def traces():
    return sorted(os.listdir("/tmp")), sorted(os.listdir("/dev/shm")), sorted(os.listdir("."))

add.number = {number}
seen = traces()

def with_traces(*args):
    return seen if not args else add(*args)
"""
    test = """
def check(candidate):
    assert candidate() == (["work"], [], []), candidate()
    assert candidate(2, 3) == 5 and candidate("a", "b") == "ab"
"""
    return Program(language="python", source=source, test=test, entry_point="with_traces", limits=LIMITS)


def calling(body: str, before: str = "") -> str:
    """Source whose ``add`` has this body, indented by us."""
    lines = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    return f"{before}\ndef add(a, b):\n{lines}\n"
