"""Every error Tailwatch raises on purpose.

::

    MonitorError
    ├── InvalidInput            the reader can mend it: a file, an option, a request
    │   ├── InvalidConfig
    │   ├── InvalidSuite
    │   ├── InvalidCheckpoint
    │   │   ├── CheckpointReplaced
    │   │   └── DeploymentBroken
    │   ├── InvalidCorpus
    │   ├── InvalidOutcomes
    │   └── UselessBank
    └── Trouble                 ours broke; never a fact about a model
        ├── EngineTrouble
        │   ├── EngineStalled
        │   └── ModelNotServed
        ├── SandboxTrouble
        ├── StoreTrouble
        ├── DiskTrouble
        └── PortTaken

An error says what happened, what it happened to, and the reader's next step. ``retryable`` tells
whether the same call may succeed later without anybody changing anything.
"""

from __future__ import annotations

import errno

from monitor.domain.printable import encodable


class MonitorError(Exception):
    """Root of all errors raised on purpose.

    Args:
        message: what happened and to what, in one sentence.
        next_step: what the reader can do about it, as an imperative sentence.
    """

    retryable = False

    def __init__(self, message: str, *, next_step: str) -> None:
        # What an engine answered may stand in it, and pages, records and terminals show it.
        self.message = encodable(message)
        super().__init__(self.message)
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}"


class InvalidInput(MonitorError):
    """What we were given cannot be used as it is."""


class InvalidConfig(InvalidInput):
    """A configuration file or environment variable is wrong."""


class InvalidSuite(InvalidInput):
    """A suite or task file is wrong; the message names file, field and line."""


class InvalidCheckpoint(InvalidInput):
    """A checkpoint is missing, incomplete or of a kind the engine cannot serve."""


class CheckpointReplaced(InvalidCheckpoint):
    """A folder holds other files than those a checkpoint is known by; they may be put back."""

    retryable = True


class DeploymentBroken(InvalidCheckpoint):
    """A checkpoint, as its engine serves it, computes NaN: a fact about it, which no retry changes."""


class InvalidCorpus(InvalidInput):
    """A corpus, request log or rarity table cannot be read, or holds no programs."""


class InvalidOutcomes(InvalidInput):
    """A file of recorded outcomes is malformed or does not match its counterpart."""


class UselessBank(InvalidInput):
    """A baseline passes nothing of a stratum: whatever it is compared with could not be seen to fail."""


class Trouble(MonitorError):
    """Something of ours broke. It is never counted against a model."""

    retryable = True


class EngineTrouble(Trouble):
    """The vLLM server died, never became ready, or answered nonsense."""


class EngineStalled(EngineTrouble):
    """The vLLM server has requests, and gives neither answers nor tokens."""


class ModelNotServed(EngineTrouble):
    """A vLLM server that somebody else runs does not serve the checkpoint, or not yet."""


class SandboxTrouble(Trouble):
    """No sandbox could be had, or it was lost while programs were running."""


class StoreTrouble(Trouble):
    """The store is locked, full, unreachable or of another version."""


class DiskTrouble(Trouble):
    """A file or folder that we need cannot be written, or the disk is full."""


class PortTaken(Trouble):
    """Another process listens on the address we were told to serve."""

    retryable = False


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def disk_trouble(error: OSError) -> DiskTrouble | None:
    """What a failed call to the system means to the reader, or None where it was not about a disk.

    >>> print(disk_trouble(OSError(28, "No space left on device", "/var/lib/vllm.log")))
    No space is left on the disk of /var/lib/vllm.log. Free some; what was finished is stored.
    """
    if error.errno in _FULL:
        where = f"the disk of {error.filename}" if error.filename else "a disk: `df -h` shows which"
        return DiskTrouble(
            f"No space is left on {where}.", next_step="Free some; what was finished is stored."
        )
    if error.errno in _FORBIDDEN and error.filename:
        return DiskTrouble(
            f"{error.filename} cannot be used: {error.strerror}.",
            next_step="Check its rights and those of its folder.",
        )
    return None
