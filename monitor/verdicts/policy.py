"""What a model's owner asks of a checkpoint before it may be promoted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from monitor.domain.errors import InvalidConfig
from monitor.domain.identity import content_digest
from monitor.domain.tasks import Stratum
from monitor.stats.boundaries import Lines, design_lines

DEFAULT_MARGIN: Mapping[Stratum, float] = {Stratum.TAIL: 0.10, Stratum.TORSO: 0.08, Stratum.HEAD: 0.08}
"""Samples, and the bank's depth, grow as 1/margin²: halving a margin costs four times as many. These
take some 350 samples for an unchanged model, and a bank of 32 on 60 tasks per stratum bears them."""

ALPHA_PRUDENCE = 0.75
"""Share of alpha that the normal approximation is trusted with. Pass counts are skewed and their
variance is estimated, which by simulation takes a part of alpha (docs/statistics.md)."""


class Depth(StrEnum):
    """How many samples an evaluation draws."""

    DECIDE = "decide"
    """As few as the decision needs."""
    FULL = "full"
    """All that are planned, for trend figures; the sequential decision is kept beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules a decision follows.

    Raises:
        InvalidConfig: a figure is outside its range.
    """

    alpha: float = 0.05
    """Chance that an unchanged checkpoint has any critical stratum screened as regressed, at most."""
    beta: float = 0.10
    """Chance that a drop by the margin in one stratum passes its screening, at most."""
    margin: Mapping[Stratum, float] = field(default_factory=lambda: dict(DEFAULT_MARGIN))
    """Drop that matters, per stratum; strata left out take the default."""
    relative_margin: float = 0.5
    """Part of what the baseline passes whose loss matters in any case, however large the margin is."""
    critical: frozenset[Stratum] = frozenset(Stratum)
    """Strata that can REJECT or HOLD; the others are advisory and only reported."""
    minimum_samples: int = 30
    """No stratum is decided on fewer scored samples."""
    max_unscored_share: float = 0.05
    """A stratum with a larger share of UNSCORED samples is UNDECIDED."""
    max_age_s: float = 30 * 86_400.0
    """An older evaluation no longer answers for a checkpoint."""
    confirm: bool = True
    """Whether REJECT needs a second test on fresh samples and the other half of the bank."""
    confirm_alpha: float = 0.02
    """Chance that the second test repeats a false alarm, at most."""
    confirm_beta: float = 0.03
    """Chance that the second test refutes a drop by the margin, at most."""
    coupling: bool = True
    """Whether samples are compared with the bank's sample at the same seed."""
    depth: Depth = Depth.DECIDE
    require_lineage: bool = False
    """Whether a checkpoint must have a valid card. One without a parent is that of a first generation."""
    holding_signals: frozenset[str] = frozenset()
    """Names of drift signals and collapse indicators that HOLD a promotion; others are only listed."""
    slow_decline_holds: bool = True
    """Whether an alarm of the slow-decline test holds a promotion."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def digest(self) -> str:
        """sha256 over everything that weighs evidence; its age is judged whenever the gate is asked.

        >>> Policy().digest == Policy(margin={Stratum.TAIL: 0.10}, max_age_s=1.0).digest
        True
        >>> Policy().digest == Policy(alpha=0.01).digest
        False
        """
        figures = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "max_age_s"}
        figures["margin"] = [self.margin_of(stratum) for stratum in Stratum]
        spelled = {
            name: sorted(figure) if isinstance(figure, frozenset) else figure
            for name, figure in figures.items()
        }
        return content_digest(json.dumps(spelled, sort_keys=True))

    def margin_of(self, stratum: Stratum) -> float:
        """The drop that matters in a stratum."""
        return self.margin.get(stratum, DEFAULT_MARGIN[stratum])

    def alpha_of(self, stratum: Stratum, strata: Iterable[Stratum]) -> float:
        """The alpha of one stratum's test: Bonferroni over the critical strata at hand.

        An advisory stratum is tested at the same level as a critical one, without taking from it.

        >>> round(Policy().alpha_of(Stratum.TAIL, list(Stratum)), 4)
        0.0125
        """
        sharing = len(self.critical.intersection(strata) | {stratum} & self.critical)
        return ALPHA_PRUDENCE * self.alpha / max(sharing, 1)


def screening_lines(
    policy: Policy, stratum: Stratum, strata: Iterable[Stratum], *, margin: float | None = None
) -> Lines:
    """The stopping lines of a stratum's first test, the bank holding these strata.

    Args:
        policy: what is asked.
        stratum: which one.
        strata: those the bank holds.
        margin: the drop that matters on this bank; None for the policy's own margin.
    """
    return design_lines(
        alpha=policy.alpha_of(stratum, strata),
        beta=policy.beta,
        margin=policy.margin_of(stratum) if margin is None else margin,
    )


def confirming_lines(policy: Policy, stratum: Stratum, *, margin: float | None = None) -> Lines:
    """The stopping lines of a stratum's second test; ``margin`` as above."""
    return design_lines(
        alpha=ALPHA_PRUDENCE * policy.confirm_alpha,
        beta=policy.confirm_beta,
        margin=policy.margin_of(stratum) if margin is None else margin,
    )


def _check(policy: Policy) -> None:
    rates = {
        "alpha": policy.alpha,
        "beta": policy.beta,
        "confirm_alpha": policy.confirm_alpha,
        "confirm_beta": policy.confirm_beta,
    } | {f"margin of {stratum.value}": margin for stratum, margin in policy.margin.items()}
    for name, rate in rates.items():
        if not 0.0 < rate < 0.5:
            raise InvalidConfig(
                f"The policy's {name} is {rate}.", next_step="Give a figure above 0 and below 0.5."
            )
    if not 0.0 < policy.relative_margin <= 1.0:
        raise InvalidConfig(
            f"The policy's relative_margin is {policy.relative_margin}.",
            next_step="Give a part of what the baseline passes, above 0 and at most 1.",
        )
    if not 0.0 <= policy.max_unscored_share < 1.0:
        raise InvalidConfig(
            f"The policy's max_unscored_share is {policy.max_unscored_share}.",
            next_step="Give a share from 0 up to, not including, 1.",
        )
    if policy.minimum_samples < 2 or not policy.max_age_s > 0.0:
        raise InvalidConfig(
            "The policy's minimum_samples or max_age_s is too small.",
            next_step="Ask for at least 2 samples and a positive age.",
        )
