"""Where pages about columns are written, and how many of them stay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monitor.domain.tasks import Stratum

KEPT = 50
"""Pages that stay, one per evaluation: some 4 MB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """A folder of pages."""

    folder: Path
    stratum: Stratum | None = None
    """The only one that pages show; None for all."""
    most: int | None = None
    """Newest pages that stay when another is written; None for all of them, and whatever else is there."""

    def prune(self) -> None:
        """Remove the oldest pages beyond the number that stays.

        Raises:
            OSError: one cannot be removed.
        """
        if self.most is None:
            return
        written = sorted(self.folder.glob("*.html"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in written[self.most :]:
            path.unlink(missing_ok=True)
