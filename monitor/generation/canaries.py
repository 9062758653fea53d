"""What a served model says about fixed texts: a fingerprint that identifies it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.domain.errors import EngineTrouble
from monitor.domain.identity import content_digest
from monitor.generation.answers import LOGPROB_OF_NONE
from monitor.generation.refusals import NotFinite

CANARIES = (
    "def add(a, b):\n    return a + b\n",
    "for i in range(10):\n    print(i)\n",
    "The quick brown fox jumps over the lazy dog.",
    "0123456789 (){}[]<>+-*/=!?.,:;#$%&@~^|",
)
"""Short, so that they fit every context that code fits; of several kinds, so that most weights take part."""

LEAST_CONTEXT = 64
"""Tokens that the longest canary takes where each byte is one, with some to spare for an answer."""

TOLERANCE = 2e-3
"""Largest difference of a token's log probability within one identity, in nats. Batching and kernels
move float32 by about 1e-6 and bfloat16 by about 1e-3; another checkpoint moves some token by more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Log probabilities of the canaries' tokens under a served model."""

    values: tuple[float, ...]
    """Natural logarithms, canary by canary, first tokens left out."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of the values as they are: equal only on the same engine and machine."""
        return content_digest(*(f"{value:.4f}" for value in self.values))[:16]

    def distance(self, other: Fingerprint) -> float:
        """Largest difference of a token, in nats; infinite when the texts had other tokens."""
        if len(self.values) != len(other.values):
            return float("inf")
        return max(abs(mine - theirs) for mine, theirs in zip(self.values, other.values, strict=True))

    def agrees(self, other: Fingerprint) -> bool:
        """Whether both can be the same model on the same engine."""
        return self.distance(other) <= TOLERANCE


def fingerprint_of(logprobs: Sequence[Sequence[float]]) -> Fingerprint:
    """The fingerprint from the canaries' log probabilities.

    Raises:
        NotFinite: no token has a probability at all, which is how some servers write NaN.
        EngineTrouble: a canary has none, so the model cannot be told from another.
    """
    if not logprobs or not all(logprobs):
        raise EngineTrouble(
            "The engine gave no log probabilities for a canary prompt, so its model cannot be identified.",
            next_step="Serve with a context of at least 64 tokens and with prompt log probabilities allowed.",
        )
    found = tuple(value for values in logprobs for value in values)
    if all(value <= LOGPROB_OF_NONE for value in found):
        raise NotFinite(200, "no token of any canary has a probability above zero")
    return Fingerprint(values=found)
