"""The port ``Engine`` with a vLLM server that somebody else runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.errors import EngineTrouble, InvalidCheckpoint
from monitor.generation.canaries import Fingerprint
from monitor.generation.client import Patience, Refused, VllmClient
from monitor.generation.introduction import Acquaintance, introduce
from monitor.generation.served import ServedModel

Recall = Callable[[str, str, tuple[float, ...]], tuple[float, ...]]


class RemoteEngine:
    """Asks a server by URL; it neither starts it nor changes what it serves.

    Args:
        url: the server's address, with or without ``/v1``.
        model_id: what the server calls the model; None for the checkpoint's name.
        api_key: its key; None for none.
        concurrency: most requests in flight, each of several samples.
        patience: how long to try again.
        recall: what an endpoint answered for a digest first, given what it answers now; it outlives the
            process.
    """

    def __init__(
        self,
        url: str,
        *,
        model_id: str | None = None,
        api_key: str | None = None,
        concurrency: int = 16,
        patience: Patience | None = None,
        recall: Recall = lambda _digest, _endpoint, found: found,
    ) -> None:
        self._model_id = model_id
        self._concurrency = concurrency
        self._recall = recall
        self._client = VllmClient(url, concurrency=concurrency, api_key=api_key, patience=patience)
        self._model: ServedModel | None = None

    async def serve(self, checkpoint: Checkpoint) -> ServedModel:
        """Check that the model answers as it first did; see :class:`monitor.ports.Engine`.

        Raises:
            InvalidCheckpoint: the server has no model of that name.
            InvalidConfig: the server does not accept the key.
            EngineTrouble: it cannot be reached, is no vLLM, or holds other weights under that name than
                when it first served this checkpoint.
        """
        if self._model is not None:
            self._model.retire()
        model_id = self._model_id or checkpoint.name
        try:
            acquaintance = await introduce(
                self._client, kind="vllm-remote", model_id=model_id, settings={"url": self._client.url}
            )
        except Refused as refusal:
            raise self._explained(refusal, model_id) from refusal
        await self._check_same(checkpoint, model_id, acquaintance)
        self._model = ServedModel(
            self._client,
            name=checkpoint.name,
            model_id=model_id,
            identity=acquaintance.identity,
            fingerprint=acquaintance.fingerprint,
            concurrency=self._concurrency,
        )
        return self._model

    async def _check_same(self, checkpoint: Checkpoint, model_id: str, now: Acquaintance) -> None:
        # Another vLLM may round otherwise: what it answers is learnt anew.
        endpoint = f"{self._client.url} {model_id} (vLLM {now.identity.version})"
        values = await asyncio.to_thread(self._recall, checkpoint.digest, endpoint, now.fingerprint.values)
        known = Fingerprint(values=values)
        if not known.agrees(now.fingerprint):
            raise EngineTrouble(
                f"{endpoint} answers the canaries otherwise than when it first served {checkpoint.name} "
                f"({checkpoint.short_digest}), by {known.distance(now.fingerprint):.3g} nats: it holds other "
                "weights by now.",
                next_step=f"Serve {checkpoint.name} there again; give new weights a checkpoint folder and a "
                "model name of their own.",
            )

    async def close(self) -> None:
        """Close the connections; the server goes on."""
        await self._client.close()

    def _explained(self, refusal: Refused, model_id: str) -> InvalidCheckpoint | EngineTrouble:
        if refusal.status == 404:
            return InvalidCheckpoint(
                f"The vLLM server at {self._client.url} serves no model {model_id}, but: {refusal.detail}.",
                next_step="Name one of those as the endpoint's model, or serve yours there.",
            )
        return EngineTrouble(
            f"The vLLM server at {self._client.url} refuses the canary prompts "
            f"(status {refusal.status}): {refusal.detail}.",
            next_step="Serve with prompt log probabilities allowed and a context of at least 64 tokens.",
        )
