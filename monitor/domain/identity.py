"""How things are known: content digests, and the seeds that follow from them."""

from __future__ import annotations

import hashlib

SEED_SPACE = 2**31
"""Seeds are below this, so that every engine's signed 32-bit field holds them."""


def content_digest(*parts: str) -> str:
    """sha256 over parts, each framed by its length so that no two lists collide.

    >>> content_digest("ab", "c") == content_digest("a", "bc")
    False
    """
    hasher = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        hasher.update(len(encoded).to_bytes(8, "big"))
        hasher.update(encoded)
    return hasher.hexdigest()


def base_seed(suite_seed: int, task_digest: str) -> int:
    """Seed of a task's sample 0; sample i uses this plus i, on every checkpoint.

    Leaves room for a million indices below :data:`SEED_SPACE`.

    >>> base_seed(7, "a" * 64) == base_seed(7, "a" * 64) < SEED_SPACE
    True
    """
    head = content_digest("seed", str(suite_seed), task_digest)[:16]
    return int(head, 16) % (SEED_SPACE - 1_000_000)
