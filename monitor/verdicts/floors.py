"""The drop that matters on a bank: the policy's margin, or less where the baseline cannot lose so much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.domain.evidence import Bank
from monitor.domain.tasks import Stratum
from monitor.stats.floor import drop_that_matters, least_rate
from monitor.verdicts.pairing import tally
from monitor.verdicts.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """The drop that matters in one stratum of one bank."""

    stated: float
    """By the policy."""
    effective: float
    """What is tested; 0 where the baseline passes nothing."""
    rate: float
    """Mean pass rate of the bank's tasks."""
    least: float
    """Lower confidence bound of it."""

    @property
    def lowered(self) -> bool:
        """Whether the baseline passes too little to lose the stated margin."""
        return self.effective < self.stated

    @property
    def tested(self) -> float:
        """A margin that a test can be designed with, also where none can be shown."""
        return self.effective or self.stated

    @property
    def overruled(self) -> float | None:
        """The stated margin where another one is tested; None where it is tested itself."""
        return self.stated if self.lowered else None


def margins_on(bank: Bank, policy: Policy) -> dict[Stratum, Margin]:
    """The margin of every stratum that the bank holds, by all its scored samples in both halves.

    A stratum without a scored sample keeps the policy's: nothing is known of its rate.
    """
    counts: dict[Stratum, list[tuple[int, int]]] = {one.stratum: [] for one in bank.observations}
    home = {one.task_id: one.stratum for one in bank.observations}
    for task, passes_and_samples in tally(bank.observations).items():
        counts[home[task]].append(passes_and_samples)
    return {stratum: margin_on(found, policy, stratum) for stratum, found in counts.items()}


def margin_on(counts: Sequence[tuple[int, int]], policy: Policy, stratum: Stratum) -> Margin:
    """The margin of one stratum, from passes and scored samples of each of its tasks.

    >>> margin_on([(16, 32), (32, 32)], Policy(), Stratum.TAIL).effective
    0.1
    >>> margin_on([(0, 32), (0, 32)], Policy(), Stratum.TAIL).effective
    0.0
    """
    stated = policy.margin_of(stratum)
    if not counts:
        return Margin(stated=stated, effective=stated, rate=0.0, least=0.0)
    rate = _mean(passes / samples for passes, samples in counts)
    # With unequal depths: as many samples as give the same variance of the mean at equal ones.
    independent = len(counts) / _mean(1.0 / samples for _, samples in counts)
    least = least_rate(rate, independent, beta=policy.beta)
    effective = drop_that_matters(stated, relative=policy.relative_margin, least=least)
    return Margin(stated=stated, effective=effective, rate=rate, least=least)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
