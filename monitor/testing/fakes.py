"""Fake sources, engines and sandboxes."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from monitor.domain.checkpoint import Arrivals, Checkpoint, EngineIdentity, Unusable
from monitor.domain.errors import DeploymentBroken, EngineTrouble, InvalidCheckpoint, SandboxTrouble
from monitor.domain.identity import content_digest
from monitor.domain.samples import (
    Completion,
    Execution,
    FinishReason,
    Outcome,
    Program,
    SampleRequest,
)

PassRatio = Callable[[Checkpoint, str], float]
"""Pass probability of a checkpoint at the task with this id, 0 to 1."""

MARKER = re.compile(r"# outcome: (\w+)")
"""What a fake completion carries, and what the fake sandbox goes by."""


def marked(outcome: Outcome, *, variant: int = 0) -> str:
    """A completion that :class:`FakeSandbox` gives this outcome; variants differ in their text."""
    return f"    return {variant}  # outcome: {outcome.value}\n"


class FakeSource:
    """A checkpoint source whose contents a test sets.

    Args:
        settled: complete checkpoints, oldest first.
        unsettled: names of those still being written.
        unusable: what cannot be evaluated, with the problem.
        unread: names of those that were not read whole yet.
    """

    def __init__(
        self,
        settled: Iterable[Checkpoint] = (),
        *,
        unsettled: Iterable[str] = (),
        unusable: Iterable[Unusable] = (),
        unread: Iterable[str] = (),
    ) -> None:
        self.unread = list(unread)
        self.settled = list(settled)
        self.unsettled = list(unsettled)
        self.unusable = list(unusable)

    def arrivals(self, now: datetime) -> Arrivals:  # noqa: ARG002 - nothing settles by waiting here
        """What the lists hold now."""
        return Arrivals(
            settled=tuple(self.settled),
            unsettled=tuple(self.unsettled),
            unusable=tuple(self.unusable),
            unread=tuple(self.unread),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failings:
    """How a fake engine misbehaves; by default it does not."""

    lives: tuple[int, ...] = ()
    """Completions after which the engine dies, for its first, second, … life; then it lives on."""
    aborted_tasks: Collection[str] = ()
    """Tasks whose requests the engine refuses."""
    refused_digests: Collection[str] = ()
    """Checkpoints that the engine cannot load."""
    nan_tasks: Collection[str] = ()
    """Tasks for whose prompts every checkpoint computes NaN."""
    broken_digests: Collection[str] = ()
    """Checkpoints that compute NaN for every prompt."""
    forgets_seeds: bool = False
    """Whether the same seed gives another text every time."""


class FakeModel:
    """A served fake checkpoint; :class:`FakeEngine` makes them."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        pass_ratio: PassRatio,
        failings: Failings,
        *,
        life: int | None,
        nonces: Iterable[int],
    ) -> None:
        self.checkpoint = checkpoint
        self._pass_ratio = pass_ratio
        self._failings = failings
        self._left = math.inf if life is None else life
        self._nonces = iter(nonces)

    @property
    def identity(self) -> EngineIdentity:
        """The fake engine; seed-stable unless told to forget seeds."""
        return EngineIdentity(
            kind="fake", version="1", settings={}, seed_stable=not self._failings.forgets_seeds
        )

    async def complete(self, requests: Iterable[SampleRequest]) -> AsyncGenerator[Completion, None]:
        """Completions marked PASSED with the checkpoint's probability for the task, else FAILED."""
        for request in requests:
            for child in range(request.count):
                await asyncio.sleep(0)
                self._spend(1)
                if request.task_id in self._failings.nan_tasks:
                    raise _broken(self.checkpoint, request.task_id)
                yield self._completion(request, child)

    async def prompt_logprobs(
        self,
        texts: Sequence[str],
        *,
        contexts: Sequence[str] = (),
        chat: bool = False,  # noqa: ARG002 - its template adds nothing
    ) -> list[tuple[float, ...]]:
        """One value per word but the first, fixed by the checkpoint and the words before it."""
        self._spend(0)
        found = []
        for text, context in zip(texts, contexts or [""] * len(texts), strict=True):
            given = context.split()
            values = self._word_logprobs([*given, *text.split()])
            found.append(values[max(0, len(given) - 1) :])
        return found

    def _spend(self, completions: int) -> None:
        if self._left < max(completions, 1):
            self._left = 0
            raise EngineTrouble(
                f"The fake engine died while it served {self.checkpoint.name}.",
                next_step="Serve the checkpoint again.",
            )
        self._left -= completions

    def _completion(self, request: SampleRequest, child: int) -> Completion:
        seed = request.seed + child
        if request.task_id in self._failings.aborted_tasks:
            text, reason, detail = "", FinishReason.REFUSED, "the fake engine refuses this task"
        else:
            text, reason, detail = self._text(request.task_id, seed), FinishReason.STOP, ""
        return Completion(
            task_id=request.task_id,
            index=request.first_index + child,
            seed=seed,
            text=text,
            finish_reason=reason,
            tokens=len(text.split()),
            mean_logprob=-0.5 if text else None,
            min_logprob=-2.0 if text else None,
            detail=detail,
        )

    def _text(self, task_id: str, seed: int) -> str:
        nonce = str(next(self._nonces)) if self._failings.forgets_seeds else ""
        # The noise belongs to the seed alone: that is what couples checkpoints with each other.
        noise = _uniform("noise", str(seed), nonce)
        passed = noise < self._pass_ratio(self.checkpoint, task_id)
        return marked(Outcome.PASSED if passed else Outcome.FAILED, variant=int(noise * 1000))

    def _word_logprobs(self, words: Sequence[str]) -> tuple[float, ...]:
        digest = self.checkpoint.digest
        return tuple(
            math.log(0.05 + 0.9 * _uniform(digest, *words[: position + 1]))
            for position in range(1, len(words))
        )


class FakeEngine:
    """Serves fake checkpoints.

    Args:
        pass_ratio: how well each checkpoint does at each task.
        failings: how the engine misbehaves.
    """

    def __init__(self, pass_ratio: PassRatio, failings: Failings | None = None) -> None:
        self.served: list[Checkpoint] = []
        """Every checkpoint that was served, in order."""
        self.closed = False
        self._pass_ratio = pass_ratio
        self._failings = failings or Failings()
        self._lives = iter(self._failings.lives)
        self._nonces = count()

    async def serve(self, checkpoint: Checkpoint) -> FakeModel:
        """The model, in the engine's next life.

        Raises:
            InvalidCheckpoint: it is one of the refused ones.
            DeploymentBroken: it is one of the broken ones.
        """
        await asyncio.sleep(0)
        if checkpoint.digest in self._failings.refused_digests:
            raise InvalidCheckpoint(
                f"The fake engine cannot load {checkpoint.name}.",
                next_step="Leave its digest out of refused_digests.",
            )
        if checkpoint.digest in self._failings.broken_digests:
            raise _broken(checkpoint, "the canary prompts")
        self.served.append(checkpoint)
        return FakeModel(
            checkpoint,
            self._pass_ratio,
            self._failings,
            life=next(self._lives, None),
            nonces=self._nonces,
        )

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


class FakeSandbox:
    """Gives programs the outcome they are marked with, without running them.

    The last :func:`marked` outcome in the source counts. A source without one passes, as reference
    solutions do; an empty one is REJECTED.

    Args:
        lost: says of which programs the sandbox is lost under, so that they are UNSCORED.
        life: executions after which no sandbox can be had at all; None for no end.
    """

    def __init__(self, *, lost: Callable[[Program], bool] = lambda _: False, life: int | None = None) -> None:
        self.executed: list[Program] = []
        """Every program that was given an outcome, in order."""
        self.closed = False
        self._lost = lost
        self._life = life

    @property
    def identity(self) -> str:
        """A constant: nothing outside can change an outcome here."""
        return "fake-sandbox"

    async def execute(self, program: Program, *, fresh: bool = False) -> Execution:  # noqa: ARG002 - nothing is recalled here
        """The marked outcome.

        Raises:
            SandboxTrouble: its life is over.
        """
        await asyncio.sleep(0)
        if self._life is not None and len(self.executed) >= self._life:
            raise SandboxTrouble("The fake sandbox is gone.", next_step="Make another one.")
        self.executed.append(program)
        if self._lost(program):
            return Execution(outcome=Outcome.UNSCORED, detail="the fake sandbox was lost")
        return Execution(outcome=_marked_outcome(program.source), cpu_s=0.01, wall_s=0.01, peak_bytes=2**20)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def _broken(checkpoint: Checkpoint, what: str) -> DeploymentBroken:
    return DeploymentBroken(
        f"The fake {checkpoint.name} computes NaN for {what}.",
        next_step="Leave it out of broken_digests and nan_tasks.",
    )


def _uniform(*parts: str) -> float:
    """A number in [0, 1) that looks random and follows from the parts."""
    return int(content_digest(*parts)[:13], 16) / 16**13


def _marked_outcome(source: str) -> Outcome:
    if not source.strip():
        return Outcome.REJECTED
    marks = MARKER.findall(source)
    return Outcome(marks[-1]) if marks else Outcome.PASSED
