"""Temperature 0: one answer per task and checkpoint, compared by exact tests on the tasks that changed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy


@dataclass(frozen=True, slots=True, kw_only=True)
class Discordance:
    """Tasks on which two greedy runs differ."""

    tasks: int
    lost: int
    """Passed by the baseline, failed by the candidate."""
    gained: int
    """Failed by the baseline, passed by the candidate."""

    @property
    def drop(self) -> float:
        """Baseline minus candidate, as a ratio of all tasks."""
        return (self.lost - self.gained) / self.tasks


def mcnemar(changed: Discordance) -> float:
    """Exact one-sided p-value of "the candidate is no worse" (McNemar 1947; exact form Cochran 1950).

    Without a difference each changed task is as likely lost as gained: P(Bin(lost + gained, 1/2) >= lost).

    >>> round(mcnemar(Discordance(tasks=100, lost=9, gained=1)), 4)
    0.0107
    >>> mcnemar(Discordance(tasks=100, lost=0, gained=0))
    1.0
    """
    total = changed.lost + changed.gained
    return float(scipy.stats.binom.sf(changed.lost - 1, total, 0.5))


def largest_drop(changed: Discordance, *, beta: float) -> float:
    """Upper bound of the drop in a population of such tasks, one-sided level 1 - beta.

    The net loss is a mean of N values -1, 0 and 1, of which at most ``lost`` are 1: the exact binomial
    bound (Clopper & Pearson 1934) of the share lost, less the exact lower bound of the share gained, each
    at half of beta.

    >>> round(largest_drop(Discordance(tasks=100, lost=0, gained=0), beta=0.10), 4)
    0.0295
    """
    return _upper(changed.lost, changed.tasks, beta / 2) - _lower(changed.gained, changed.tasks, beta / 2)


def smallest_drop(changed: Discordance, *, alpha: float) -> float:
    """Lower bound of the drop, one-sided level 1 - alpha; the mirror image of :func:`largest_drop`.

    >>> round(smallest_drop(Discordance(tasks=100, lost=30, gained=1), alpha=0.05), 3)
    0.158
    """
    mirrored = Discordance(tasks=changed.tasks, lost=changed.gained, gained=changed.lost)
    return -largest_drop(mirrored, beta=alpha)


def fewest_tasks(margin: float, *, alpha: float, beta: float) -> int:
    """Fewest tasks that can tell anything: unchanged answers are steady, and a loss of the margin shows.

    With no task changed :func:`largest_drop` is 1 - (beta/2)^(1/N), which must be below the margin; and
    the margin's share of the tasks, all lost and none gained, must reach McNemar's 2^-lost <= alpha. Tasks
    that change back and forth ask for more.

    >>> fewest_tasks(0.10, alpha=0.05, beta=0.10), fewest_tasks(0.10, alpha=0.001, beta=0.10)
    (50, 100)
    """
    steady = math.floor(math.log(beta / 2) / math.log1p(-margin)) + 1
    lost = math.ceil(-math.log2(alpha))
    return max(steady, math.ceil(lost / margin))


def _upper(count: int, total: int, tail: float) -> float:
    """Clopper and Pearson's upper bound of a share."""
    return 1.0 if count == total else float(scipy.special.betaincinv(count + 1, total - count, 1.0 - tail))


def _lower(count: int, total: int, tail: float) -> float:
    """Clopper and Pearson's lower bound of a share."""
    return 0.0 if count == 0 else float(scipy.special.betaincinv(count, total - count + 1, tail))
