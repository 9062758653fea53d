"""A running daemon's configuration, read again on SIGHUP: what can change at once does, the rest is named."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import BaseModel

from monitor.config import ScheduleOptions, load_options
from monitor.domain.errors import MonitorError
from monitor.rounds.banks import Banks
from monitor.rounds.bench import Bench
from monitor.rounds.gate import Gate
from monitor.verdicts.policy import Policy
from monitor.wiring import Deployment, gauges

log = logging.getLogger("tailwatch")

LIVE = ("policy", "drift", "schedule")
"""Sections that a running daemon takes over; an evaluation that is being done keeps those it began with."""


class Judges(NamedTuple):
    """Who answers by the policy."""

    gate: Gate
    banks: Banks

    def judge_by(self, policy: Policy) -> None:
        """Answer by another one from now on."""
        self.gate.judge_by(policy)
        self.banks.judge_by(policy)


class Scheduled(Protocol):
    """What is done by the schedule."""

    def reschedule(self, schedule: ScheduleOptions) -> None:
        """Keep to another schedule from now on."""
        ...


class Live:
    """The configuration as it is followed now, and those who follow it.

    Args:
        deployment: as the daemon was started.
        judges: answer by the policy.
        bench: what the next evaluation works with, until the configuration changes.
        scheduled: keeps to the schedule.
    """

    def __init__(self, deployment: Deployment, judges: Judges, bench: Bench, scheduled: Scheduled) -> None:
        self.options = deployment.options
        self.bench = bench
        self._deployment = deployment
        self._judges = judges
        self._scheduled = scheduled

    def reload(self, config: Path | None) -> None:
        """Read the file again, and tell in the log what came of it; a wrong one changes nothing.

        Args:
            config: the file, as for :func:`monitor.config.load_options`.
        """
        try:
            wanted = load_options(config)
            policy, measured_by = wanted.policy.policy(), gauges(wanted, self._deployment.watch)
        except MonitorError as error:
            log.error("configuration kept", extra={"problem": str(error)})  # noqa: TRY400 - it says it all
            return
        keys = list(changed_keys(self.options, wanted))
        waiting = [key for key in keys if key.partition(".")[0] not in LIVE]
        taken = {section: getattr(wanted, section) for section in LIVE}
        self.options = self.options.model_copy(update=taken)
        self._judges.judge_by(policy)
        self.bench = replace(self.bench, policy=policy, gauges=measured_by)
        self._scheduled.reschedule(wanted.schedule)
        log.info(
            "configuration reloaded",
            extra={"changed": ", ".join(key for key in keys if key not in waiting) or "nothing"},
        )
        if waiting:
            log.warning("restart needed", extra={"keys": ", ".join(waiting)})


def changed_keys(before: BaseModel, after: BaseModel) -> Iterator[str]:
    """Dotted names of the keys whose values differ.

    >>> from monitor.config import ScheduleOptions
    >>> list(changed_keys(ScheduleOptions(), ScheduleOptions(poll=5)))
    ['poll']
    """
    for key in type(before).model_fields:
        old, new = getattr(before, key), getattr(after, key)
        if isinstance(old, BaseModel) and isinstance(new, BaseModel):
            yield from (f"{key}.{inner}" for inner in changed_keys(old, new))
        elif old != new:
            yield key


async def reload_when(asked: asyncio.Event, live: Live, config: Path | None) -> None:
    """Reload each time it is asked for, until cancelled."""
    while True:
        await asked.wait()
        asked.clear()
        try:
            await asyncio.to_thread(live.reload, config)
        except Exception:
            # Whoever sends a signal is not there to be told; the daemon goes on as it is.
            log.exception("configuration kept")
