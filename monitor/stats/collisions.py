"""How often two draws agree: diversity that does not depend on how many draws one has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence


def collision_probability(draws: Iterable[Hashable]) -> float | None:
    """Chance that two draws of one source are equal, unbiased at any number of draws.

    The sum of n(n-1) over the distinct values, divided by k(k-1) for k draws (Simpson 1949, Nature 163,
    688). None with fewer than two draws.

    >>> collision_probability("aab")
    0.3333333333333333
    >>> collision_probability("a") is None
    True
    """
    counts = Counter(draws).values()
    total = sum(counts)
    if total < 2:
        return None
    return sum(count * (count - 1) for count in counts) / (total * (total - 1))


def rarity_shares(
    frozen: Sequence[Hashable], draws: Sequence[tuple[int, Hashable]], *, rare_below: float
) -> list[float]:
    """For each draw, 1.0 when its value is rare among the frozen ones, else 0.0.

    The frozen draw at the same position is left out of the count, since a draw with the same seed may
    be the same: so a frozen draw, looked up among the others, is as often rare as a new one.

    >>> rarity_shares("aaab", [(0, "a"), (3, "b"), (1, "b")], rare_below=0.3)
    [0.0, 1.0, 0.0]

    Args:
        frozen: values of the reference, in order.
        draws: position among the frozen ones, and value.
        rare_below: a value is rare when its share of the others is below this.
    """
    counts, others = Counter(frozen), len(frozen) - 1
    return [
        float(counts[value] - (frozen[position] == value) < rare_below * others) for position, value in draws
    ]
