"""What a gate would say that looks only at the average, for contrast."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.domain.evidence import Bank, DecisionKind, Observation
from monitor.domain.tasks import Stratum, Suite
from monitor.verdicts.pairing import tally

LIMIT = 0.02
"""Drop of the average pass rate that such a gate lets pass: a usual figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much each stratum counts in an average."""

    of: Mapping[Stratum, float]
    """Sum to 1."""
    measured: bool
    """Whether they are shares of traffic; otherwise of the suite's tasks, for want of anything better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """The change of the average pass rate, candidate minus baseline."""

    change: float | None
    """None while a stratum that counts has not been drawn."""
    error: float | None
    """Its standard error."""

    @property
    def decision(self) -> DecisionKind:
        """One number against one limit, its error left aside; without the number, HOLD."""
        if self.change is None:
            return DecisionKind.HOLD
        return DecisionKind.REJECT if self.change < -LIMIT else DecisionKind.PROMOTE


def shares_of(suite: Suite) -> Shares:
    """A suite's measured shares of traffic, or the shares of its tasks where there are none."""
    if suite.traffic is not None:
        return Shares(of=suite.traffic, measured=True)
    counts = {stratum: len(suite.stratum(stratum)) / len(suite) for stratum in suite.strata}
    return Shares(of=counts, measured=False)


def average_change(bank: Bank, observations: Sequence[Observation], shares: Shares) -> Average:
    """The change of the weighted average, by every scored sample there is.

    Each sample is compared with its task's rate in the bank, so that it does not matter which tasks were
    drawn. The standard error is clustered by task (Miller 2024, arXiv 2411.00640, section 2.2) and holds
    the bank's noise, since a task's samples share its rate.

    >>> def seen(task, passed, index=0):
    ...     return Observation(task_id=task, stratum=Stratum.TAIL, index=index, wave=0, passed=passed)
    >>> bank = Bank(checkpoint="", observations=(seen("a", True), seen("b", True)), seed_stable=True)
    >>> shares = Shares(of={Stratum.TAIL: 1.0}, measured=True)
    >>> average_change(bank, [seen("a", True), seen("b", False)], shares)
    Average(change=-0.5, error=0.5)
    """
    rates = {task: passes / samples for task, (passes, samples) in tally(bank.observations).items()}
    changes: dict[Stratum, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in observations:
        if one.passed is not None and one.task_id in rates:
            changes[one.stratum][one.task_id].append(one.passed - rates[one.task_id])
    counting = {stratum: share for stratum, share in shares.of.items() if share > 0.0}
    if not counting or any(len(changes[stratum]) < 2 for stratum in counting):
        return Average(change=None, error=None)
    means = {stratum: _mean(changes[stratum].values()) for stratum in counting}
    variance = math.fsum(
        share**2 * _variance(changes[stratum].values(), means[stratum]) for stratum, share in counting.items()
    )
    change = math.fsum(share * means[stratum] for stratum, share in counting.items())
    return Average(change=change, error=math.sqrt(variance))


def _mean(clusters: Iterable[Sequence[float]]) -> float:
    values = [value for cluster in clusters for value in cluster]
    return math.fsum(values) / len(values)


def _variance(clusters: Iterable[Sequence[float]], mean: float) -> float:
    """Of the mean of at least two clusters."""
    sizes_and_sums = [(len(cluster), math.fsum(cluster)) for cluster in clusters]
    count, samples = len(sizes_and_sums), sum(size for size, _ in sizes_and_sums)
    squares = math.fsum((total - size * mean) ** 2 for size, total in sizes_and_sums)
    return squares / samples**2 * count / (count - 1)
