"""The few prctl(2) calls that the standard library does not offer."""

from __future__ import annotations

import ctypes
import os
import signal
import struct

_DIE_WITH_PARENT, _DUMPABLE, _ADOPT_ORPHANS = 1, 4, 36

_CAPABILITIES_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_cpus = sorted(os.sched_getaffinity(0))


def stay_in_lane(lane: int) -> None:
    """Run on one CPU, the same for all processes of a sandbox: they take turns, and meet warm caches.

    Sandboxes of neighbouring lanes run on different CPUs, as far as there are enough.
    """
    cpu = _cpus[lane % len(_cpus)]
    if os.sched_getaffinity(0) != {cpu}:
        os.sched_setaffinity(0, {cpu})


def prctl(option: int, *arguments: int) -> None:
    """Ask the kernel for an operation on this process. Raises OSError."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    if _libc.prctl(option, *(ctypes.c_ulong(argument) for argument in padded)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")


def die_with_parent() -> None:
    """Be killed when the parent ends; to be repeated after every change of uid."""
    prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def hide_memory() -> None:
    """Keep processes of the same uid from reading this one's memory or tracing it."""
    prctl(_DUMPABLE, 0)


def drop_capabilities() -> None:
    """Give up all power over this namespace: who is its root would otherwise keep it."""
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    if _libc.capset(header, bytes(24)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"capset: {os.strerror(code)}")


def show_memory() -> None:
    """Be an ordinary process again after a change of uid, with a /proc entry of one's own."""
    prctl(_DUMPABLE, 1)


def prefer_in_memory_shortage() -> None:
    """Be the first that the kernel kills when memory runs out."""
    # Every program's process does this: what a file object touches would be copied for each of them.
    descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    try:
        os.write(descriptor, b"1000")
    finally:
        os.close(descriptor)


def adopt_orphans() -> None:
    """Become the parent of every process below this one that loses its own."""
    prctl(_ADOPT_ORPHANS, 1)
