"""What is concluded from the shape of outputs rather than from their correctness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from monitor.domain.evidence import DriftSignal
from monitor.domain.tasks import Stratum


class IndicatorName(StrEnum):
    """Every sign of collapse that is looked for, by the name that metrics, policy and docs give it."""

    RARE_CODE_NLL = "rare-code-nll"
    """How surprised the model is by code that people wrote."""
    RUBBER_STAMP = "rubber-stamp"
    """How much oftener it approves of its programs than they are right."""
    COLLISION = "collision"
    """How often two of a task's samples are the same program."""
    TAIL_MASS = "tail-mass"
    """How many samples are programs that the bank seldom holds."""
    PARTICIPATION_RATIO = "participation-ratio"
    """How many directions the programs spread in."""
    DISPLACEMENT = "displacement"
    """How far the programs as a whole lie from the bank's."""


FALLING = frozenset({IndicatorName.TAIL_MASS, IndicatorName.PARTICIPATION_RATIO})
"""Signs that fall when a model collapses; the others rise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A sign of model collapse, measured on candidate and baseline alike.

    It can HOLD a promotion, never REJECT alone.
    """

    name: str
    """One of :class:`IndicatorName`."""
    method: str
    """The test behind ``p_value``, in a few words."""
    value: float
    """The candidate's."""
    baseline: float
    """The baseline's, on the same tasks or texts."""
    p_value: float
    """Chance of a difference like this, in the direction of collapse, between two draws of one model."""
    alpha: float
    """A p-value up to this warns: how often an unchanged model may."""
    noise_floor: float
    """Difference that chance alone reaches with probability ``alpha``, 0 where there is no chance."""
    clusters: int
    """Independent units that were compared: tasks or projects."""
    stratum: Stratum | None = None
    """None where it is measured on texts that belong to no stratum."""
    least_p_value: float = 0.0
    """The smallest that the test could have given on so few clusters."""

    @property
    def blind(self) -> bool:
        """Whether it could not have warned, whatever was measured."""
        return self.least_p_value > self.alpha

    @property
    def difference(self) -> float:
        """Candidate minus baseline."""
        return self.value - self.baseline

    @property
    def warns(self) -> bool:
        """Whether it moved more than an unchanged model's does."""
        return self.p_value <= self.alpha and abs(self.difference) > self.noise_floor


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a served model made of one text."""

    item: str
    """Which text: a snippet's id, or task id and index of a sample. Readings pair by it."""
    group: str
    """What it counts for: ``rare``, ``common``, or a stratum."""
    cluster: str
    """What it depends on: readings of one project or task are not independent."""
    value: float
    """In the unit that the probe states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one probe read from one served checkpoint."""

    probe: str
    """Name of the probe."""
    material: str
    """Digest of what was asked; only measurements with the same material are compared."""
    readings: tuple[Reading, ...]
    engine_s: float
    """Wall seconds that the engine worked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Where an indicator's difference to one baseline is heading from checkpoint to checkpoint.

    It can HOLD a promotion, never REJECT alone.
    """

    name: str
    """The indicator's."""
    stratum: Stratum | None
    slope: float
    """Typical change towards collapse from one checkpoint to the next, in the indicator's unit."""
    p_value: float
    """One-sided, of "the order of the checkpoints is chance" against "they move towards collapse"."""
    alpha: float
    """A p-value up to this warns: the share that this look may spend of the sign's alpha."""
    points: int
    """Checkpoints, this one among them."""

    @property
    def warns(self) -> bool:
        """Whether checkpoints in a random order would hardly ever look like this."""
        return self.p_value <= self.alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """An indicator or column that could not be had."""

    name: str
    """One of :class:`IndicatorName`, or of a column of descriptors."""
    stratum: Stratum | None
    """None for all of them."""
    why: str
    """The end of a sentence, without its full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReading:
    """What one evaluation's outputs look like beside the bank's."""

    signals: tuple[DriftSignal, ...]
    """One per column and stratum that could be compared, detected or not."""
    indicators: tuple[Indicator, ...]
    """Warning or not."""
    trends: tuple[Trend, ...] = ()
    """Of the indicators, over the checkpoints that were weighed against the same baseline."""
    unmeasured: tuple[Unmeasured, ...] = ()
    """What could not be had, and why."""
    problems: tuple[str, ...] = ()
    """What else went wrong, one sentence each."""
    broken: bool = False
    """Whether a problem is something of ours that broke."""
    report: str = ""
    """File name of the HTML report; empty when none was kept."""
    elapsed_s: float = 0.0
    """Wall seconds that measuring took, the engine's not included."""
    engine_s: float = 0.0
    """Wall seconds that the probes kept the engine for this evaluation."""

    @property
    def gaps(self) -> tuple[Unmeasured, ...]:
        """Everything that could not have warned: what was not measured, and too few clusters."""
        blind = (each for each in self.indicators if each.blind)
        return (*self.unmeasured, *(_blindness(each) for each in blind))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Everything that is not as it should be, one sentence each."""
        groups: dict[tuple[Stratum | None, str], list[str]] = defaultdict(list)
        for gap in self.gaps:
            groups[gap.stratum, gap.why].append(gap.name)
        found = (
            f"{', '.join(names)}{'' if stratum is None else f' in {stratum.value}'}: {why}."
            for (stratum, why), names in groups.items()
        )
        return (*self.problems, *found)


def _blindness(indicator: Indicator) -> Unmeasured:
    why = f"{indicator.clusters} clusters give no p-value below {indicator.least_p_value:.2g}: it cannot warn"
    return Unmeasured(name=indicator.name, stratum=indicator.stratum, why=why)


NOTHING = DriftReading(signals=(), indicators=())
"""A reading in which nothing was looked at."""


def lost(part: str, cause: Exception) -> DriftReading:
    """The reading of a part of which something of ours broke.

    >>> lost("The columns", ValueError("no rows")).problems
    ('The columns could not be compared (ValueError: no rows).',)
    """
    problem = f"{part} could not be compared ({type(cause).__name__}: {cause})."
    return DriftReading(signals=(), indicators=(), problems=(problem,), broken=True)


def together(parts: Iterable[DriftReading]) -> DriftReading:
    """Several parts of one evaluation's reading as one; at most one of them has a report."""
    known = tuple(parts)
    return DriftReading(
        signals=tuple(signal for part in known for signal in part.signals),
        indicators=tuple(indicator for part in known for indicator in part.indicators),
        unmeasured=tuple(each for part in known for each in part.unmeasured),
        problems=tuple(problem for part in known for problem in part.problems),
        broken=any(part.broken for part in known),
        report=next((part.report for part in known if part.report), ""),
        elapsed_s=sum(part.elapsed_s for part in known),
    )
