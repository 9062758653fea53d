"""Whether engine and sandbox worked when they were last needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.domain.errors import EngineTrouble, InvalidConfig, MonitorError, PortTaken, SandboxTrouble


@dataclass(slots=True, kw_only=True)
class Condition:
    """What stood in the way of the last evaluation; the one noun here that changes."""

    engine: str = ""
    """Trouble with the next step; empty while it works."""
    sandbox: str = ""
    """Likewise."""
    last_sample_at: datetime | None = None
    """When the engine last gave a text, UTC; None before it first did."""

    def worked(self) -> None:
        """Take note that an evaluation came to its end."""
        self.engine = self.sandbox = ""

    def broke(self, error: MonitorError) -> None:
        """Take note of what an evaluation broke off for; what is neither's fault changes nothing."""
        if isinstance(error, SandboxTrouble):
            self.sandbox = str(error)
        elif isinstance(error, (EngineTrouble, InvalidConfig, PortTaken)):
            self.engine = str(error)
