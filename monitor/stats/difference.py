"""How much worse a candidate is than the bank: estimate, information, coupling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.stats.bank import LEAST_VARIANCE, BankSummary, Floats, Indices, added_variance

PRIOR_SAMPLES = 5
"""Samples' worth of trust in the expected variance of residuals against their own: little, since tasks that
win and lose scatter far more than unchanged ones."""
PRIOR_SAMPLES_WITHIN = 60
"""Likewise within tasks, which the bank knows well and few repeated samples tell little about."""
RIDGE = 1.0
"""Added to the squared length of the bank's residuals when the coupling weight is fitted."""
COUPLING_SAMPLES = 40
"""Samples on which the coupling weight is fitted before it is frozen."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Scored samples of the candidate, one entry each."""

    task: Indices
    """Position of the sample's task in the bank's arrays."""
    passed: Floats
    """1 passed, 0 not."""
    twin: Floats
    """Outcome X' of the bank at the same task and seed, or the task's bank rate where there is none
    (which leaves that sample uncoupled)."""

    @property
    def count(self) -> int:
        """Number of samples m."""
        return len(self.passed)

    def first(self, count: int) -> Draws:
        """The first ``count`` of them."""
        return Draws(task=self.task[:count], passed=self.passed[:count], twin=self.twin[:count])

    def joined(self, others: Draws) -> Draws:
        """These and those."""
        return Draws(
            task=np.concatenate([self.task, others.task]),
            passed=np.concatenate([self.passed, others.passed]),
            twin=np.concatenate([self.twin, others.twin]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupling:
    """How closely candidate and bank move together at equal seeds."""

    weight: float
    """b of the control variate, 0 (not used) to 1."""
    correlation: float | None
    """rho of the two residuals; None when either never varies."""


UNCOUPLED = Coupling(weight=0.0, correlation=None)
"""The plain comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The drop as estimated from some draws."""

    drop: float
    """D: baseline minus candidate; positive means the candidate is worse."""
    information: float
    """I: one over the variance of ``drop``, the bank's noise included."""

    @property
    def score(self) -> float:
        """S = D·I."""
        return self.drop * self.information


def couple(bank: BankSummary, draws: Draws) -> Coupling:
    """Fit the weight b of the bank's outcome at the same seed as a control variate.

    Least squares of the candidate's residual p - X on the bank's p - X', with a ridge of 1, clipped to
    0..1 (control variates: Owen 2013, section 8.9). The expectation of ``estimate`` does not depend on
    it, only its variance does.

    >>> bank = BankSummary(rates=np.array([0.5]), depths=np.array([32.0]), variance=0.25)
    >>> passed = np.array([1.0, 0.0] * 20)
    >>> draws = Draws(task=np.zeros(40, dtype=np.intp), passed=passed, twin=passed)
    >>> couple(bank, draws) == Coupling(weight=10 / 11, correlation=1.0)
    True
    """
    rate = bank.rates[draws.task]
    own, twin = rate - draws.passed, rate - draws.twin
    length = float(twin @ twin)
    weight = float(np.clip(own @ twin / (length + RIDGE), 0.0, 1.0))
    own, twin = own - own.mean(), twin - twin.mean()
    scale = float(np.sqrt((own @ own) * (twin @ twin)))
    correlation = float(own @ twin) / scale if scale > 0.0 else None
    return Coupling(weight=weight, correlation=correlation)


def estimate(bank: BankSummary, draws: Draws, *, weight: float, supposed: float = 0.0) -> Estimate:
    """Estimate the drop over the bank's tasks from at least one draw.

    D is a mean of r = (p_i - X) - b·(p_i - X'), u_i being the weight of task i's draws together. Its
    variance is that of sampling in two stages from N tasks (Cochran 1977, theorem 10.1), and of the bank
    itself:

        Var D = W·Σ u_i²/m_i + (V - W)·(Σ u_i² - 1/N) + (1 - b)²·v·Σ u_i²/n_i

    with V the variance of one residual, W that within a task, m_i and n_i the draws and bank samples of
    task i. Where tasks differ and some were drawn more often than others, they are weighted by the inverse of
    their means' variance W/m_i + V - W (DerSimonian & Laird 1986): once all were drawn, differences
    between them hardly matter any more, as the suite is fixed. Otherwise every draw counts the same.
    Neither V nor W is taken to be less than the bank's v leads one to expect if the true drop were
    ``supposed``.

    >>> bank = BankSummary(rates=np.full(100, 0.5), depths=np.full(100, 32.0), variance=0.25)
    >>> passed = np.tile([1.0, 0.0], 50)
    >>> draws = Draws(task=np.arange(100), passed=passed, twin=bank.rates)
    >>> found = estimate(bank, draws, weight=0.0)
    >>> round(found.drop, 3), round(found.information, 0)
    (0.0, 388.0)
    """
    rate = bank.rates[draws.task]
    residual = (rate - draws.passed) - weight * (rate - draws.twin)
    counts = np.bincount(draws.task, minlength=bank.tasks)
    scatter = _scatter(bank, draws, residual, weight=weight, supposed=supposed)
    share = _shares(counts, scatter)
    drawn = counts > 0
    each = share[drawn] / counts[drawn]
    drop = float(each @ np.bincount(draws.task, weights=residual, minlength=bank.tasks)[drawn])
    uneven = max(float(np.sum(share**2)) - 1.0 / bank.tasks, 0.0)
    if scatter.between < 0.0:
        uneven = min(uneven, 1.0 / draws.count)
    noise = (1.0 - weight) ** 2 * bank.variance * float(np.sum(share**2 / bank.depths))
    inner = scatter.within * float(each @ share[drawn])
    return Estimate(drop=drop, information=1.0 / (inner + scatter.between * uneven + noise))


def _shares(counts: Indices, scatter: _Scatter) -> Floats:
    """Weights u_i of the tasks, summing to 1."""
    share: Floats = counts.astype(np.float64)
    if scatter.between > 0.0 and counts.max() > 1:
        drawn = counts > 0
        share[drawn] = 1.0 / (scatter.within / counts[drawn] + scatter.between)
    share /= share.sum()
    return share


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scatter:
    """Variance of one residual, without the bank's noise."""

    within: float
    """W: about its task's mean."""
    between: float
    """V - W: what the tasks' means add; estimated, so it may come out negative."""


def _scatter(
    bank: BankSummary, draws: Draws, residual: Floats, *, weight: float, supposed: float
) -> _Scatter:
    """Estimate V and W, each shrunk towards what the bank leads one to expect and not below it.

    By luck small samples look calmer than they are, and more so when they also look good.
    """
    expected = bank.variance * (1.0 - weight**2) + added_variance(bank.rates, supposed)
    expected = max(expected, LEAST_VARIANCE)
    spare = draws.count - 1
    squares = float(np.sum((residual - residual.mean()) ** 2))
    # Each residual also carries its bank rate's error, which the noise term counts already.
    squares -= spare * (1.0 - weight) ** 2 * bank.variance * float(np.mean(1.0 / bank.depths))
    total = _shrunk(squares, spare, towards=expected, trust=PRIOR_SAMPLES)
    inner, freedom = _within_tasks(draws, residual)
    within = _shrunk(inner, freedom, towards=expected, trust=PRIOR_SAMPLES_WITHIN)
    total = max(total, expected)
    return _Scatter(within=max(within, expected), between=total - within)


def _shrunk(squares: float, freedom: int, *, towards: float, trust: float) -> float:
    return (squares + trust * towards) / (freedom + trust)


def _within_tasks(draws: Draws, residual: Floats) -> tuple[float, int]:
    """Squares of the residuals about their tasks' means, and the degrees of freedom behind them."""
    counts = np.bincount(draws.task)
    sums = np.bincount(draws.task, weights=residual)
    seen = counts > 0
    squares = float(np.sum(residual**2) - np.sum(sums[seen] ** 2 / counts[seen]))
    return squares, draws.count - int(seen.sum())
