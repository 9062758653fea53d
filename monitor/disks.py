"""Whether a folder can be written to, found out by writing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from monitor.domain.errors import DiskTrouble, disk_trouble

TRIAL_BYTES = 256 * 1024
"""Size of a trial: about what a store writes with one wave of samples."""


def try_writing(folder: Path, *, size: int = TRIAL_BYTES) -> None:
    """Write a file of some bytes, through to the disk, and remove it; the folder is made if it is missing.

    Args:
        folder: where.
        size: bytes.

    Raises:
        DiskTrouble: it cannot be done; says why and what to do.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Without a name nothing stays behind, however this process ends.
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(size))
            trial.flush()
            # Some file systems find out only now that there is no room.
            os.fsync(trial.fileno())
    except OSError as exc:
        raise _told(exc, folder) from exc


def _told(exc: OSError, folder: Path) -> DiskTrouble:
    # What was written had no name: the folder is what the reader knows.
    named = OSError(exc.errno, exc.strerror, str(folder))
    return disk_trouble(named) or DiskTrouble(
        f"{folder} cannot be written to: {exc.strerror or exc}.",
        next_step="Check its disk with `dmesg` and `df`.",
    )
