"""What a stratum can lose at all: a drop larger than what the baseline passes never happens."""

from __future__ import annotations


def least_rate(mean: float, samples: float, *, beta: float) -> float:
    """Lower confidence bound of a stratum's pass rate in the bank, one-sided level 1 - beta.

    Clopper and Pearson's bound (1934) of a share of ``samples``. Tasks differ in their rates, which makes
    the number of passes scatter less than a binomial one does (Hoeffding 1956, theorem 4): the bound holds.
    Less than half a pass, as where one task was sampled far more often than the others, bounds nothing.

    >>> round(least_rate(0.024, 1920.0, beta=0.10), 4)
    0.0196
    >>> least_rate(0.0, 1920.0, beta=0.10)
    0.0

    Args:
        mean: pass rate of the bank's samples, 0 to 1.
        samples: independent samples behind it, at least 1; with unequal depths their effective number.
        beta: chance that the true rate lies below the bound, at most.
    """
    import scipy  # noqa: PLC0415 - commands that weigh nothing import this module and need none of it

    passed = mean * samples
    return float(scipy.special.betaincinv(passed, samples - passed + 1.0, beta)) if passed >= 0.5 else 0.0


def drop_that_matters(margin: float, *, relative: float, least: float) -> float:
    """The margin, or that part of what the baseline surely passes, whichever is less; 0 for nothing.

    >>> drop_that_matters(0.10, relative=0.5, least=0.6), drop_that_matters(0.10, relative=0.5, least=0.02)
    (0.1, 0.01)
    """
    return min(margin, relative * least)
