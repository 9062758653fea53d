"""Whether a model approves of its own answers more often than they are right.

In self-training without review by others, acceptance rises while correctness falls (arXiv 2606.28438).
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from monitor.domain.drift import Indicator, IndicatorName, Measurement, Reading
from monitor.domain.identity import content_digest
from monitor.domain.samples import Sample
from monitor.domain.tasks import Stratum
from monitor.drift.readings import Scale, rises
from monitor.drift.significance import ALPHA
from monitor.ports import CompletionModel

MOST = 600
"""Samples that are asked about, of all strata together: two prefills each."""

PER_TASK = 2
"""Samples of a task that are asked about: the second ones tell how far a model is from itself."""

QUESTION = "\n\nIs the answer above correct, yes or no?"
IN_COMPLETION, IN_CHAT = (" yes", " no"), ("Yes", "No")
"""The two answers as a text goes on with them, and as a turn begins with them."""


class RubberStampProbe:
    """Asks a served model whether its own samples are correct, and takes the likelier of yes and no.

    A reading is 1 where it accepts a wrong answer, -1 where it refuses a right one, else 0: its mean is
    acceptance minus pass rate. A model that cannot answer questions gives a constant answer; then the
    gap follows the pass rate alone.

    Args:
        text_of: what the model wrote in a sample, with the prompt before it.
        chat: whether it is asked in a user's turn, by its chat template.
        alpha: how often an unchanged model may warn, per stratum.
        most: samples that are asked about.
    """

    name = IndicatorName.RUBBER_STAMP.value

    def __init__(
        self,
        *,
        text_of: Callable[[Sample], str],
        chat: bool = False,
        alpha: float = ALPHA,
        most: int = MOST,
    ) -> None:
        self._text_of = text_of
        self._chat = chat
        self._most = most
        self._scale = Scale(alpha=alpha)
        self._answers = IN_CHAT if chat else IN_COMPLETION
        self.material = content_digest(QUESTION, *self._answers, str(most), str(PER_TASK))

    async def measure(self, model: CompletionModel, samples: Sequence[Sample]) -> Measurement:
        """Readings of some of the samples, of the same tasks for every checkpoint that drew them.

        Raises:
            EngineTrouble: the engine died or stopped answering.
        """
        started = time.monotonic()
        asked = chosen(samples, self._most)
        questions = [self._question(sample) for sample in asked.values()]
        # Given the question only the answer's own tokens count: the text before it is equal for both.
        found = await model.prompt_logprobs(
            [*self._answers] * len(questions),
            contexts=[question for question in questions for _ in self._answers],
            chat=self._chat,
        )
        readings = [
            _reading(item, sample, accepted=math.fsum(yes) > math.fsum(no))
            for (item, sample), yes, no in zip(asked.items(), found[::2], found[1::2], strict=True)
            if yes and no
        ]
        return Measurement(
            probe=self.name,
            material=self.material,
            readings=tuple(readings),
            engine_s=time.monotonic() - started,
        )

    def compare(self, baseline: Measurement, candidate: Measurement) -> Sequence[Indicator]:
        """Whether acceptance has risen against the pass rate, per stratum, on the same tasks."""
        return rises(baseline, candidate, self._scale, noise=_own_noise(baseline))

    def _question(self, sample: Sample) -> str:
        return f"{self._text_of(sample)}{QUESTION}" + ("" if self._chat else " Answer:")


def chosen(samples: Sequence[Sample], most: int) -> dict[str, Sample]:
    """Scored samples by task and rank: an equal number of each stratum, each task's first before any second.

    Checkpoints draw other indices of a task, and are compared by task. Among tasks the digest of the id
    decides: an order that has nothing to do with the tasks and is the same for every checkpoint.
    """
    tasks: dict[Stratum, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in sorted(samples, key=lambda each: each.index):
        if sample.passed is not None:
            tasks[sample.stratum][sample.task_id].append(sample)
    share = most // max(len(tasks), 1)
    picked: dict[str, Sample] = {}
    for _, group in sorted(tasks.items()):
        names = sorted(group, key=content_digest)
        ranked = [(rank, name) for rank in range(PER_TASK) for name in names if rank < len(group[name])]
        picked |= {f"{name}#{rank}": group[name][rank] for rank, name in ranked[:share]}
    return picked


def _own_noise(baseline: Measurement) -> Mapping[str, float]:
    """Mean squared difference of two readings of one task of one model, by stratum; where there are any."""
    squares: dict[str, list[float]] = defaultdict(list)
    readings = {reading.item: reading for reading in baseline.readings}
    for reading in baseline.readings:
        second = readings.get(f"{reading.cluster}#1")
        if reading.item.endswith("#0") and second is not None:
            squares[reading.group].append((second.value - reading.value) ** 2)
    return {group: fmean(each) for group, each in squares.items()}


def _reading(item: str, sample: Sample, *, accepted: bool) -> Reading:
    return Reading(
        item=item,
        group=sample.stratum.value,
        cluster=sample.task_id,
        value=float(accepted) - float(sample.passed or False),
    )
