"""Signs of collapse that cost nothing: they are in the samples that the gate has paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean

import numpy as np

from monitor.domain.drift import FALLING, Indicator, IndicatorName, Unmeasured
from monitor.domain.tasks import Stratum
from monitor.drift.embedding import embedded
from monitor.drift.matching import Side, TaskPair
from monitor.drift.significance import ALPHA
from monitor.stats.clustered import clustered_rise
from monitor.stats.collisions import collision_probability, rarity_shares
from monitor.stats.dispersion import LEAST_P_VALUE, Clusters, Exchange, Rows, displacement, narrowing

FEWEST_TASKS = 12
"""Tasks without which no pattern of signs or exchanges is rare enough to warn."""

EMBEDDED_PER_TASK = 4
"""Samples of a task that are embedded: what the spread depends on is tasks, and time goes with the square."""

RARE_BELOW = 0.1
"""A program is of the tail when fewer of the bank's programs for its task than this share are like it."""

_SIGN_FLIPS = "sign flips of whole tasks"
_EXCHANGES = "exchanges of whole tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the free indicators say."""

    indicators: tuple[Indicator, ...]
    unmeasured: tuple[Unmeasured, ...]
    """Those that could not be had, and why."""


def free_indicators(pairs: Mapping[Stratum, Sequence[TaskPair]], *, seed: int, alpha: float = ALPHA) -> Found:
    """All free indicators of every stratum.

    Args:
        pairs: tasks that both sides drew.
        seed: of the exchanges and signs that are drawn; equal samples and seeds give equal figures.
        alpha: how often an unchanged model may warn, per indicator and stratum.
    """
    indicators: list[Indicator] = []
    unmeasured: list[Unmeasured] = []
    for stratum, tasks in pairs.items():
        weigher = _Weigher(stratum=stratum, alpha=alpha, rng=np.random.default_rng(seed))
        for name, found in weigher.all_of(tasks):
            if found is None:
                why = f"fewer than {FEWEST_TASKS} tasks were drawn often enough"
                unmeasured.append(Unmeasured(name=name, stratum=stratum, why=why))
            else:
                indicators.append(found)
    return Found(indicators=tuple(indicators), unmeasured=tuple(unmeasured))


Figure = Callable[[TaskPair, Side], float | None]
"""What a side of a task amounts to; None with too few samples."""

Comparison = Callable[..., Exchange]


def collisions(_: TaskPair, side: Side) -> float | None:
    """Chance that two samples of the task are the same program."""
    return collision_probability(work.shape.form for work in side.works)


def tail_share(task: TaskPair, side: Side) -> float | None:
    """Share of the samples whose program is rare among the bank's for that task."""
    frozen = [work.shape.form for work in task.bank.works]
    places = {index: position for position, index in enumerate(task.bank.indices)}
    draws = [(places[work.sample.index], work.shape.form) for work in side.works]
    return fmean(rarity_shares(frozen, draws, rare_below=RARE_BELOW)) if draws and len(frozen) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weigher:
    """Measures one stratum."""

    stratum: Stratum
    alpha: float
    rng: np.random.Generator

    def all_of(self, tasks: Sequence[TaskPair]) -> Iterator[tuple[str, Indicator | None]]:
        name = IndicatorName.COLLISION
        yield name, self._by_task(name, tasks, collisions)
        name = IndicatorName.TAIL_MASS
        yield name, self._by_task(name, tasks, tail_share)
        halves = [half for task in tasks if (half := task.halves(EMBEDDED_PER_TASK))[0].works]
        if len(halves) < FEWEST_TASKS:
            yield IndicatorName.PARTICIPATION_RATIO, None
            yield IndicatorName.DISPLACEMENT, None
            return
        drawn, split = _vectors([(_first(t.before), _first(t.after)) for t in tasks]), _vectors(halves)
        name = IndicatorName.PARTICIPATION_RATIO
        yield name, self._by_exchange(name, drawn, split, narrowing)
        name = IndicatorName.DISPLACEMENT
        yield name, self._by_exchange(name, drawn, split, displacement)

    def _by_task(self, name: IndicatorName, tasks: Sequence[TaskPair], figure: Figure) -> Indicator | None:
        """The mean over tasks of a figure that each task has by itself."""
        figures = [(figure(task, task.before), figure(task, task.after), task) for task in tasks]
        known = [
            (before, after, task)
            for before, after, task in figures
            if before is not None and after is not None
        ]
        if len(known) < FEWEST_TASKS:
            return None
        sign = -1.0 if name in FALLING else 1.0
        rise = clustered_rise(
            [sign * (after - before) for before, after, _ in known],
            [task.task_id for _, _, task in known],
            rng=self.rng,
        )
        return self._indicator(
            name,
            method=_SIGN_FLIPS,
            figures=(fmean(before for before, _, _ in known), fmean(after for _, after, _ in known)),
            p_value=rise.p_value,
            least_p_value=rise.least_p_value,
            noise_floor=self._noise([task for _, _, task in known], figure),
            clusters=rise.clusters,
        )

    def _noise(self, tasks: Sequence[TaskPair], figure: Figure) -> float:
        """What the bank differs from itself by, at the candidate's number of samples, by chance."""
        squares = 0.0
        for task in tasks:
            even, odd = task.halves()
            first, second = figure(task, even), figure(task, odd)
            if first is not None and second is not None:
                # Halves of a shallow bank are smaller than the sides that are compared.
                scale = len(even.works) / len(task.after.works)
                squares += scale * (second - first) ** 2
        return NormalDist().inv_cdf(1.0 - self.alpha) * sqrt(squares) / len(tasks)

    def _by_exchange(self, name: str, drawn: _Vectors, split: _Vectors, compare: Comparison) -> Indicator:
        """A figure of all tasks' samples together; ``split`` is the bank against itself."""
        found = compare(drawn.first, drawn.second, drawn.clusters, rng=self.rng)
        noise = compare(split.first, split.second, split.clusters, rng=self.rng)
        return self._indicator(
            name,
            method=_EXCHANGES,
            figures=(found.baseline, found.value),
            p_value=found.p_value,
            least_p_value=LEAST_P_VALUE,
            noise_floor=max(0.0, float(np.quantile(noise.noise, 1.0 - self.alpha))),
            clusters=int(drawn.clusters.max()) + 1,
        )

    def _indicator(
        self,
        name: str,
        *,
        method: str,
        figures: tuple[float, float],
        p_value: float,
        least_p_value: float,
        noise_floor: float,
        clusters: int,
    ) -> Indicator:
        baseline, value = figures
        return Indicator(
            name=name,
            method=method,
            value=value,
            baseline=baseline,
            p_value=p_value,
            least_p_value=least_p_value,
            alpha=self.alpha,
            noise_floor=noise_floor,
            clusters=clusters,
            stratum=self.stratum,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vectors:
    """Two sides of some tasks, embedded: row i of both belongs to the same task."""

    first: Rows
    second: Rows
    clusters: Clusters
    """The task of a row, from 0."""


def _vectors(pairs: Sequence[tuple[Side, Side]]) -> _Vectors:
    clusters = np.repeat(np.arange(len(pairs)), [len(first.works) for first, _ in pairs])
    return _Vectors(
        first=embedded([first for first, _ in pairs]),
        second=embedded([second for _, second in pairs]),
        clusters=clusters,
    )


def _first(side: Side) -> Side:
    return Side(works=side.works[:EMBEDDED_PER_TASK])
