"""Time that passed without a reason: the only time for which a program that waits is to blame."""

from __future__ import annotations

from dataclasses import dataclass

MAX_STALLED_S = 10.0
"""How long a disk or the kernel may keep a program; one that waits for its own vfork looks the same."""


@dataclass(slots=True, kw_only=True)
class Idleness:
    """Sums up, look by look, the time in which nobody worked, wanted a CPU or was kept from looking.

    What happens between two looks is told by the next one. They are to come at moments that nobody can
    foresee: then a share of them as large as the share of the time that is idle finds it so.
    """

    at: float
    """When the last look was, monotonic seconds."""
    cpu_s: float
    """Of all processes that matter together, at the last look."""
    idle_s: float = 0.0
    stalled_s: float = 0.0
    """In which some process was in the kernel's hands: idle as well beyond :data:`MAX_STALLED_S`."""

    def note(self, *, at: float, cpu_s: float, asked_s: float, active: bool, stalled: bool) -> None:
        """Add the time since the last look.

        Args:
            at: now, monotonic seconds.
            cpu_s: as :attr:`cpu_s`, now.
            asked_s: how soon we wanted to look again. What it took longer says that we were stopped or
                starved, and the program perhaps with us.
            active: whether any thread of these processes runs or is ready to. A busy machine keeps one
                waiting for longer than lies between two looks.
            stalled: whether a process is in an uninterruptible wait.
        """
        counted = min(at - self.at, asked_s)
        # A process that ended in between took its seconds with it, so that less than nothing may be left.
        idle = 0.0 if active else min(max(counted - (cpu_s - self.cpu_s), 0.0), counted)
        if stalled and self.stalled_s < MAX_STALLED_S:
            self.stalled_s += idle
        else:
            self.idle_s += idle
        self.at, self.cpu_s = at, cpu_s
