"""Fakes of what measures outputs: a detector, a meter and a probe."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from monitor.domain.drift import DriftReading, Indicator, IndicatorName, Measurement, Reading
from monitor.domain.evidence import DriftSignal
from monitor.domain.identity import content_digest
from monitor.domain.samples import Sample
from monitor.ports import CompletionModel

if TYPE_CHECKING:
    import pandas as pd


class FakeDetector:
    """Signals a numeric column when its mean moved by more than a share of its old size.

    Args:
        threshold: that share.
        min_rows: fewer rows in either frame give no signal.
    """

    def __init__(self, *, threshold: float = 0.1, min_rows: int = 2) -> None:
        self._threshold = threshold
        self._min_rows = min_rows

    def detect(self, reference: pd.DataFrame, current: pd.DataFrame) -> tuple[DriftSignal, ...]:
        """One signal per numeric column that both frames have."""
        if min(len(reference), len(current)) < self._min_rows:
            return ()
        numeric = reference.select_dtypes("number").columns
        return tuple(
            self._signal(column, float(reference[column].mean()), float(current[column].mean()))
            for column in numeric
            if column in current.columns
        )

    def _signal(self, column: str, before: float, after: float) -> DriftSignal:
        score = abs(after - before) / (abs(before) or 1.0)
        return DriftSignal(
            signal=column,
            method="relative-mean-shift",
            score=score,
            threshold=self._threshold,
            detected=score > self._threshold,
        )


class FakeMeter:
    """Reads one indicator: the mean length of the texts, which warns when it changed at all.

    Args:
        broken: raised instead; None for a meter that works.
    """

    def __init__(self, *, broken: Exception | None = None) -> None:
        self.prepared = False
        self._broken = broken

    def prepare(self) -> None:
        """Remember that it was asked to."""
        self.prepared = True

    def measure(self, bank: Sequence[Sample], candidate: Sequence[Sample], *, report: str) -> DriftReading:
        """The indicator, under the name that was wanted for the report."""
        if self._broken is not None:
            raise self._broken
        baseline, value = (fmean(len(each.completion.text) for each in side) for side in (bank, candidate))
        indicator = Indicator(
            name=IndicatorName.COLLISION,
            method="mean length",
            value=value,
            baseline=baseline,
            p_value=0.0 if value != baseline else 1.0,
            alpha=0.001,
            noise_floor=0.0,
            clusters=len({sample.task_id for sample in candidate}),
        )
        return DriftReading(signals=(), indicators=(indicator,), report=report)


class FakeProbe:
    """Reads the log-probability of a few texts.

    Args:
        texts: what is asked.
        broken: raised instead of a measurement; None for a probe that works.
    """

    name = IndicatorName.RARE_CODE_NLL

    def __init__(self, texts: Sequence[str] = ("a b c",), *, broken: Exception | None = None) -> None:
        self.material = content_digest(*texts)
        self._texts = tuple(texts)
        self._broken = broken

    async def measure(self, model: CompletionModel, samples: Sequence[Sample]) -> Measurement:  # noqa: ARG002 - it has texts of its own
        """One reading per text."""
        if self._broken is not None:
            raise self._broken
        found = await model.prompt_logprobs(self._texts)
        readings = tuple(
            Reading(item=text, group="tail", cluster=text, value=-sum(logprobs))
            for text, logprobs in zip(self._texts, found, strict=True)
        )
        return Measurement(probe=self.name, material=self.material, readings=readings, engine_s=0.0)

    def compare(self, baseline: Measurement, candidate: Measurement) -> tuple[Indicator, ...]:
        """One indicator over all texts, which warns when the sum has risen."""
        before, after = (sum(each.value for each in side.readings) for side in (baseline, candidate))
        return (
            Indicator(
                name=self.name,
                method="sum",
                value=after,
                baseline=before,
                p_value=0.0 if after > before else 1.0,
                alpha=0.001,
                noise_floor=0.0,
                clusters=len(candidate.readings),
            ),
        )
