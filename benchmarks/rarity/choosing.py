"""Whether another way to weigh features would explain a model's likelihoods better, and would do so again.

Which of many ways correlates best is decided by chance as well. Here the best way of one half of the
tasks is compared with the present one on the other half, over many random halves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from benchmarks.rarity.correlation import AGGREGATES, measured_tasks
from monitor.rarity.features import PYTHON
from monitor.rarity.table import RarityTable

PRESENT = "weights 1, 1/2, 1/4 … of the 5 rarest"
MONOTONE = frozenset(AGGREGATES) - {"mean of all"}
"""Ways by which one more feature never makes a program more common."""
SPLITS = 1_000
SEED = 135

Figures = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What choosing by one half of the tasks would bring on the other."""

    ways: str
    """Which ways there were to choose from."""
    gain: float
    """Mean change of Spearman's rho on the half that had no say."""
    low: float
    """Lower end of the middle 95 % of the splits."""
    high: float
    mostly: str
    """The way that most splits choose."""


def choose(suite_name: str, table: RarityTable) -> list[Choice]:
    """What the best way would bring, of all ways and of the monotone ones, Python tasks only."""
    tasks = [each for each in measured_tasks(suite_name, table) if each.task.language == PYTHON]
    nats = np.array([each.nats for each in tasks])
    bits = [[feature.bits for feature in each.told.features] for each in tasks]
    scores = {name: np.array([way(each) for each in bits]) for name, way in AGGREGATES.items()}
    return [
        gain_of_choosing("all", scores, nats),
        gain_of_choosing("monotone", {name: scores[name] for name in sorted(MONOTONE)}, nats),
    ]


def gain_of_choosing(ways: str, scores: Mapping[str, Figures], nats: Figures) -> Choice:
    """What the best of some scores in one half gains over the present one in the other half."""
    rng = np.random.default_rng(SEED)
    gains: list[float] = []
    picks: Counter[str] = Counter()
    for _ in range(SPLITS):
        one, other = np.array_split(rng.permutation(len(nats)), 2)
        best = max(scores, key=lambda name: _rho(scores[name][one], nats[one]))
        picks[best] += 1
        gains.append(_rho(scores[best][other], nats[other]) - _rho(scores[PRESENT][other], nats[other]))
    low, high = np.quantile(gains, (0.025, 0.975))
    return Choice(
        ways=ways,
        gain=float(np.mean(gains)),
        low=float(low),
        high=float(high),
        mostly=picks.most_common(1)[0][0],
    )


def as_lines(choices: Sequence[Choice]) -> list[str]:
    """One line per set of ways."""
    return [
        f"{each.ways}: {each.gain:+.3f} ({each.low:+.3f} to {each.high:+.3f}), mostly {each.mostly}"
        for each in choices
    ]


def _rho(scores: Figures, nats: Figures) -> float:
    return float(spearmanr(scores, nats).statistic)
