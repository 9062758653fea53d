"""What a supervisor is told when it starts, the same for every kind of sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_PROCESSES_OF_A_PROGRAM = 48
_NICENESS = 10
"""Programs let their supervisor go first: it has to see what they do before they have done too much of it."""

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def inside_settings(
    *,
    uids: int,
    places: Sequence[str],
    own_places: bool,
    fresh_uids: bool,
    contained: bool,
) -> dict[str, Any]:
    """The supervisor's settings.

    Args:
        uids: how many programs will run before the sandbox is replaced.
        places: directories that programs may write to, emptied after each.
        own_places: whether these are file systems of this sandbox alone.
        fresh_uids: whether each program can get a uid of its own.
        contained: whether an engine limits memory, ends what is left, counts CPU and shares CPUs out. Else
            the supervisor does the first, dies with its parent for the second, counts by itself, and programs
            are as nice as all.
    """
    return {
        "uids": uids,
        "fresh_uids": fresh_uids,
        "places": list(places),
        "own_places": own_places,
        "watch_memory": not contained,
        "own_group": contained,
        "leashed": not contained,
        "niceness": _NICENESS if contained else 0,
        "work": f"{places[0]}/work",
        "processes": _PROCESSES_OF_A_PROGRAM,
        "preload": [],
        "environment": ENVIRONMENT,
    }
