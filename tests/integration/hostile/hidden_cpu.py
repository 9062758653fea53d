"""Programs that compute for longer than they may, in processes whose time nobody is told of."""

from __future__ import annotations

from monitor.domain.samples import Outcome
from tests.integration.hostile.attack import HONEST, Attack

_TIMED_OUT = frozenset({Outcome.TIMED_OUT})

_BURN = """
import ctypes, os, signal, subprocess, time

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def children(count=40, seconds=0.04, fork=os.fork):
    for _ in range(count):
        if fork() == 0:
            burn(seconds)
            os._exit(0)
        try:
            os.waitpid(-1, 0x40000000)
        except ChildProcessError:
            pass
"""
"""Forty children that use four times as much as the program may, and do so before anybody calls it."""

_IGNORE = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
_NO_ZOMBIES = """
class Action(ctypes.Structure):
    _fields_ = [("handler", ctypes.c_void_p), ("mask", ctypes.c_ulong * 16), ("flags", ctypes.c_int),
                ("restorer", ctypes.c_void_p)]
kept = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: None)
action = Action(ctypes.cast(kept, ctypes.c_void_p).value, (ctypes.c_ulong * 16)(), 2, None)
assert ctypes.CDLL(None).sigaction(signal.SIGCHLD, ctypes.byref(action), None) == 0
"""
"""A handler beside SA_NOCLDWAIT: in /proc such a process looks like any other."""
_DAEMONS = """
ended, lives = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            burn(0.2)
        os._exit(0)
    os.wait()
os.close(lives)
os.read(ended, 1)
"""
_IN_A_MANAGER = """
ended, lives = os.pipe()
if os.fork() == 0:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    os.setsid()
    children()
    os._exit(0)
os.close(lives)
os.read(ended, 1)
"""
"""Nobody waits for these but for the end of the pipe that all of them hold."""
_SILENT_CLONES = "children(fork=lambda: ctypes.CDLL(None).syscall(56, 0, 0, 0, 0, 0))\n"
"""Their end is no signal to anybody."""
_EXECUTED = """
for _ in range(40):
    subprocess.Popen(["sh", "-c", "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"]).wait()
"""
_ELSEWHERE = "os.sched_setaffinity(0, range(os.cpu_count()))\n"


def _attack(name: str, body: str, *, source: str = HONEST) -> Attack:
    return Attack(name=f"hides-cpu-{name}", source=_BURN + body + source, outcomes=_TIMED_OUT)


HIDDEN_CPU = (
    _attack("by-ignoring-children", _IGNORE + "children()\n"),
    _attack("by-wanting-no-zombies", _NO_ZOMBIES + "children()\n"),
    _attack("in-very-short-children", _IGNORE + "children(400, 0.004)\n"),
    _attack("in-daemons", _DAEMONS),
    _attack("below-a-manager-of-its-own", _IN_A_MANAGER),
    _attack("in-silent-clones", _SILENT_CLONES),
    _attack("in-what-it-executes", _IGNORE + _EXECUTED),
    _attack("by-stopping-counters", "ctypes.CDLL(None).prctl(31, 0, 0, 0, 0)\n" + _IGNORE + "children()\n"),
    _attack("for-ever-and-everywhere", _ELSEWHERE + _IGNORE + "while True:\n    children()\n", source=""),
    Attack(
        name="hides-cpu-in-subshells",
        language="shell",
        source="trap '' CHLD\nfor i in {1..60}; do (for j in {1..9000}; do :; done; exec true) & wait; done\n",
        test="",
        outcomes=_TIMED_OUT,
    ),
    Attack(
        name="hides-cpu-in-perl",
        language="perl",
        source="$SIG{CHLD} = 'IGNORE';\nfor (1..40) { unless (fork) { 1 while (times)[0] < 0.05; exit } wait }\n",
        test="",
        outcomes=_TIMED_OUT,
    ),
)
