"""How surprised a model is by code that people wrote: the first thing to rise when the tail is forgotten."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from monitor.domain.drift import Indicator, IndicatorName, Measurement, Reading
from monitor.domain.samples import Sample
from monitor.drift.readings import Scale, rises
from monitor.drift.significance import ALPHA
from monitor.drift.snippets import Snippet, digest_of
from monitor.ports import CompletionModel

LEAST_RISE = 0.001
"""Bits per byte: what is known nearly by heart may become a little less so."""

LEAST_SHARE = 0.02
"""Of the baseline's figure. An engine repeats itself exactly; what rounding weights does is smaller."""


class NllProbe:
    """Asks a served model for the likelihood of snippets; prefill only, nothing is generated.

    A reading is the snippet's negative log likelihood given its context, in bits per byte: the sum is the
    model's, the length is the text's, so that checkpoints with different tokenizers can be compared.

    Args:
        snippets: what is asked, always the same for one model.
        alpha: how often an unchanged model may warn, per stratum.
    """

    name = IndicatorName.RARE_CODE_NLL.value

    def __init__(self, snippets: Sequence[Snippet], *, alpha: float = ALPHA) -> None:
        self._snippets = tuple(snippets)
        self._scale = Scale(alpha=alpha, least_rise=LEAST_RISE, least_share=LEAST_SHARE)
        self.material = digest_of(snippets)

    async def measure(self, model: CompletionModel, samples: Sequence[Sample]) -> Measurement:  # noqa: ARG002 - what a model wrote is other probes' matter
        """Readings of the snippets that fit the model's context.

        Raises:
            EngineTrouble: the engine died or stopped answering.
        """
        started = time.monotonic()
        found = await model.prompt_logprobs(
            [snippet.text for snippet in self._snippets],
            contexts=[snippet.context for snippet in self._snippets],
        )
        readings = [
            _reading(snippet, logprobs)
            for snippet, logprobs in zip(self._snippets, found, strict=True)
            if logprobs
        ]
        return Measurement(
            probe=self.name,
            material=self.material,
            readings=tuple(readings),
            engine_s=time.monotonic() - started,
        )

    def compare(self, baseline: Measurement, candidate: Measurement) -> Sequence[Indicator]:
        """Whether the candidate is more surprised than the baseline, per stratum, clustered by project."""
        return rises(baseline, candidate, self._scale)


def bits_per_byte(logprobs: Sequence[float], text: str) -> float:
    """Negative log likelihood of a text, per byte.

    >>> bits_per_byte([math.log(0.5)] * 4, "abcd")
    1.0
    """
    return -math.fsum(logprobs) / math.log(2.0) / len(text.encode("utf-8", "surrogatepass"))


def _reading(snippet: Snippet, logprobs: Sequence[float]) -> Reading:
    return Reading(
        item=snippet.digest[:16],
        group=snippet.stratum.value,
        cluster=snippet.project,
        value=bits_per_byte(logprobs, snippet.text),
    )
