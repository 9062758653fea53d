"""What is concluded from the shape of outputs rather than from their correctness."""

from __future__ import annotations

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
class DriftReading:
    """What one evaluation's outputs look like beside the bank's."""

    signals: tuple[DriftSignal, ...]
    """One per column and stratum that could be compared, detected or not."""
    indicators: tuple[Indicator, ...]
    """Warning or not."""
    problems: tuple[str, ...] = ()
    """What could not be measured and why, one sentence each."""
    report: str = ""
    """File name of the HTML report; empty when none was kept."""
    elapsed_s: float = 0.0
    """Wall seconds that measuring took, the engine's not included."""
