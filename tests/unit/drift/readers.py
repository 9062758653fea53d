"""Models that are only asked how likely texts are."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

from monitor.domain.checkpoint import EngineIdentity
from monitor.domain.samples import Completion, SampleRequest


class Reader:
    """A model with one token per character.

    Args:
        bits_of: bits that the last character of a text costs after those before; None refuses the text.
    """

    def __init__(self, bits_of: Callable[[str], float | None]) -> None:
        self.asked: list[str] = []
        self._bits_of = bits_of

    @property
    def identity(self) -> EngineIdentity:
        return EngineIdentity(kind="reader", version="1", settings={}, seed_stable=True)

    async def complete(self, requests: Iterable[SampleRequest]) -> AsyncGenerator[Completion, None]:
        raise AssertionError
        yield

    async def prompt_logprobs(
        self, texts: Sequence[str], *, contexts: Sequence[str] = (), chat: bool = False
    ) -> list[tuple[float, ...]]:
        turn = "<user>{}<assistant>" if chat else "{}"
        before = [turn.format(context) for context in contexts] or [""] * len(texts)
        pairs = list(zip(texts, before, strict=True))
        self.asked += [context + text for text, context in pairs]
        return [self._read(context + text)[len(context) :] for text, context in pairs]

    def _read(self, text: str) -> tuple[float, ...]:
        bits = [self._bits_of(text[: end + 1]) for end in range(len(text))]
        return tuple(-bit * math.log(2.0) for bit in bits if bit is not None) if None not in bits else ()


def even_reader(bits: float) -> Reader:
    """Every character costs the same."""
    return Reader(lambda _: bits)
