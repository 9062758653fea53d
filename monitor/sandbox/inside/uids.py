"""Which uids a sandbox takes for its judge and its programs.

The kernel counts the processes of a uid on the whole machine, across containers: were two sandboxes to
share uids, a fork bomb in one would keep an innocent program in the other from forking. Sandboxes of
several drivers do not know of each other, so each draws its range by chance.
"""

from __future__ import annotations

import os

_MAP = "/proc/self/uid_map"
_PLENTY = range(0x7100_0000, 0x7FFF_0000)
"""Where every uid is mapped: above all that distributions give to users, and to containers."""
_PEOPLE_END = 2000
"""Where only some are mapped: images have their own users below."""


def draw(count: int) -> range:
    """``count`` uids in a row that nobody else is likely to have. Raises ValueError: too few are mapped."""
    mapped = free()
    choices = len(mapped) // count
    if choices == 0:
        raise ValueError(f"{len(mapped)} free uids are mapped into this namespace, {count} are needed")
    number = int.from_bytes(os.urandom(8), "big") % choices
    return mapped[number * count : (number + 1) * count]


def free() -> range:
    """The uids of this process's namespace that are no user's."""
    with open(_MAP, encoding="ascii") as file:
        return unowned(file.read())


def unowned(uid_map: str) -> range:
    """The uids of a namespace that are no user's, from its map as user_namespaces(7) describes it."""
    spans = [(int(first), int(length)) for first, _, length in map(str.split, uid_map.splitlines())]
    first, length = max(spans, key=lambda span: span[1])
    if first + length >= _PLENTY.stop:
        return _PLENTY
    return range(max(first, _PEOPLE_END), first + length)
