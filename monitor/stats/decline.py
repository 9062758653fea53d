"""Slow decline over many checkpoints: an e-process that adds up what each one's samples showed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

BETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Shares of the evidence's capital staked on a decline; the e-process is the mean over them."""

ALARM = 1000.0
"""Evidence at which a decline is called; false alarms come less than once per so many checkpoints."""

NOISE_MARGIN = 2.33
"""Standard errors of the anchor's bank that no decline may be claimed within (99 %, one-sided)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """The Shiryaev-Roberts e-process after some checkpoints."""

    capitals: tuple[float, ...] = (0.0,) * len(BETS)
    """One per bet."""

    @property
    def evidence(self) -> float:
        """Mean of the capitals; an e-detector (Shin, Ramdas & Rinaldo 2024, definition 2.2)."""
        return math.fsum(self.capitals) / len(self.capitals)

    @property
    def alarm(self) -> bool:
        """Whether a slow decline is called."""
        return self.evidence >= ALARM


def tolerated_drop(noise: float) -> float:
    """eps: what the anchor's own sampling error might feign, from its variance sigma_B squared.

    >>> round(tolerated_drop(0.0001), 4)
    0.0233
    """
    return NOISE_MARGIN * math.sqrt(noise)


def follow_decline(state: Decline, drops: Iterable[float], *, tolerated: float) -> Decline:
    """Add one checkpoint: M becomes (1 + M)·Π[1 + l·(D - eps)/(1 + eps)] for each bet l.

    Each factor's expectation is at most 1 when no drop exceeds ``tolerated``, since D, a bank rate
    minus an outcome, lies between -1 and 1. That is an expectation given the bank, over the samples that
    the checkpoint happens to draw: each checkpoint must draw others. Where a copy repeats the bank's own
    outcomes, a random share of them misses the bank's mean by chance; the same share would do so again
    and again.

    >>> state = follow_decline(Decline(), [0.4, -0.6, 0.4], tolerated=0.02)
    >>> round(state.evidence, 3)
    0.962

    Args:
        state: after the checkpoints before.
        drops: p_i - X of each scored sample, p_i the anchor's bank rate of its task.
        tolerated: eps, from :func:`tolerated_drop`.

    Raises:
        ValueError: a drop outside -1 to 1.
    """
    drops = tuple(drops)
    if not all(-1.0 <= drop <= 1.0 for drop in drops):
        raise ValueError("a drop is a rate minus an outcome, between -1 and 1")
    gains = [(drop - tolerated) / (1.0 + tolerated) for drop in drops]
    return Decline(
        capitals=tuple(
            (1.0 + capital) * math.exp(math.fsum(math.log1p(bet * gain) for gain in gains))
            for bet, capital in zip(BETS, state.capitals, strict=True)
        )
    )
