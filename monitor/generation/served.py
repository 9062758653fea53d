"""A checkpoint that is being served: the port ``CompletionModel`` over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from monitor.domain.checkpoint import EngineIdentity
from monitor.domain.errors import EngineTrouble, InvalidConfig
from monitor.domain.samples import Completion, SampleRequest
from monitor.generation import answers
from monitor.generation.canaries import Fingerprint
from monitor.generation.client import VllmClient
from monitor.generation.refusals import NotFinite, Refused, broken_deployment, confirmed

_Result = TypeVar("_Result")
_REFUSABLE = frozenset({400, 413, 422})
"""Statuses that speak of one request: too long, or something its model cannot do."""


class ServedModel:
    """One checkpoint on one server, until the engine serves another.

    Args:
        client: talks to the server.
        name: of the checkpoint, for messages.
        model_id: what the server calls it.
        identity: what answers.
        fingerprint: what it said about the canaries when it was served.
        concurrency: most requests in flight.
    """

    def __init__(
        self,
        client: VllmClient,
        *,
        name: str,
        model_id: str,
        identity: EngineIdentity,
        fingerprint: Fingerprint,
        concurrency: int,
    ) -> None:
        self.fingerprint = fingerprint
        self.concurrency = concurrency
        self.broken = False
        """Whether it was found to compute NaN."""
        self._client = client
        self._name = name
        self._model_id = model_id
        self._identity = identity
        self._retired = False

    @property
    def identity(self) -> EngineIdentity:
        """What answers, and whether it repeats itself for a repeated seed."""
        return self._identity

    def retire(self) -> None:
        """Refuse all further calls: the server holds another checkpoint from now on."""
        self._retired = True

    async def complete(self, requests: Iterable[SampleRequest]) -> AsyncGenerator[Completion, None]:
        """Completions as they finish; see :class:`monitor.ports.CompletionModel`.

        Requests are taken from the iterable as the engine has room. Closing the iterator early gives
        up what is in flight.
        """
        async with aclosing(self._side_by_side(self._samples(request) for request in requests)) as batches:
            async for batch in batches:
                for completion in batch:
                    yield completion

    async def prompt_logprobs(
        self, texts: Sequence[str], *, contexts: Sequence[str] = (), chat: bool = False
    ) -> list[tuple[float, ...]]:
        """Log probabilities of each text's tokens; see :class:`monitor.ports.CompletionModel`.

        A text that the engine refuses, since it is longer than its context, gives an empty tuple.
        """
        pairs = zip(texts, contexts or [""] * len(texts), strict=True)
        calls = (self._numbered_logprobs(number, *pair, chat=chat) for number, pair in enumerate(pairs))
        async with aclosing(self._side_by_side(calls)) as results:
            found = {number: logprobs async for number, logprobs in results}
        return [found[number] for number in range(len(texts))]

    async def _side_by_side(
        self, calls: Iterable[Coroutine[Any, Any, _Result]]
    ) -> AsyncGenerator[_Result, None]:
        """Results as they come, a bounded number of calls at a time; ends early when the server does."""
        waiting = iter(calls)
        ended = asyncio.create_task(self._client.lifeline.trouble())
        running = {asyncio.create_task(call) for call in islice(waiting, self.concurrency)}
        try:
            while running:
                await asyncio.wait({ended, *running}, return_when=asyncio.FIRST_COMPLETED)
                done = {task for task in running if task.done()}
                running -= done
                # The engine gets its next requests before the caller gets to work on these results.
                running |= {asyncio.create_task(call) for call in islice(waiting, len(done))}
                # Results before troubles: what was answered stays valid.
                for task in sorted(done, key=_failed):
                    yield task.result()
                if ended.done():
                    raise ended.result()
        finally:
            ended.cancel()
            for task in running:
                task.cancel()
            await asyncio.gather(ended, *running, return_exceptions=True)

    async def _samples(self, request: SampleRequest) -> list[Completion]:
        body = answers.request_body(request, self._model_id)
        try:
            return await self._finite(
                f"task {request.task_id}",
                answers.completion_path(request),
                body,
                partial(answers.completions, request),
            )
        except Refused as refusal:
            return answers.refused(request, refusal.detail)

    async def _numbered_logprobs(
        self, number: int, text: str, context: str, *, chat: bool
    ) -> tuple[int, tuple[float, ...]]:
        try:
            if not context:
                return number, await self._logprobs(text)
            whole = answers.tokens_body(context, self._model_id, begins=True)
            turn = answers.turn_tokens_body(context, self._model_id)
            before = await self._tokens(turn if chat else whole)
            after = await self._tokens(answers.tokens_body(text, self._model_id, begins=False))
            logprobs = await self._logprobs([*before, *after])
            return number, logprobs[len(logprobs) - len(after) :]
        except Refused:
            return number, ()

    async def _logprobs(self, text: str | Sequence[int]) -> tuple[float, ...]:
        body = answers.prompt_logprobs_body(text, self._model_id)
        return await self._finite("a text", "/v1/completions", body, answers.prompt_logprobs)

    async def _tokens(self, body: dict[str, Any]) -> list[int]:
        return answers.tokens(await self._post("/tokenize", body))

    async def _finite(
        self, what: str, path: str, body: dict[str, Any], read: Callable[[Mapping[str, Any]], _Result]
    ) -> _Result:
        """What an answer holds, asked for once more where it holds NaN.

        Raises:
            DeploymentBroken: it held NaN both times.
            Refused, EngineTrouble: as for :meth:`_post`.
        """

        async def ask() -> _Result:
            return read(await self._post(path, body))

        try:
            return await confirmed(ask)
        except NotFinite as refusal:
            self.broken = True
            raise broken_deployment(self._name, what, refusal) from refusal

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        """Post for the checkpoint that this object stands for, or not at all.

        Raises:
            Refused: only when this one request is at fault.
            EngineTrouble: everything else.
        """
        self._check_in_place()
        try:
            answer = await self._client.post(path, body)
        except Refused as refusal:
            if refusal.status in _REFUSABLE or isinstance(refusal, NotFinite):
                raise
            raise EngineTrouble(
                f"The vLLM server refuses {path} for {self._name} "
                f"(status {refusal.status}): {refusal.detail}.",
                next_step="Check that it still serves this model under this name.",
            ) from refusal
        except InvalidConfig as exc:
            raise EngineTrouble(exc.message, next_step=exc.next_step) from exc
        # What was under way while the weights were switched is nobody's answer.
        self._check_in_place()
        return answer

    def _check_in_place(self) -> None:
        if self._retired:
            raise EngineTrouble(
                f"The engine no longer serves {self._name}: another checkpoint took its place.",
                next_step="Serve the checkpoint again before asking it.",
            )


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.exception() is not None
