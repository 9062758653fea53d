"""The port ``Engine`` with a vLLM server that somebody else runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.domain.checkpoint import ADDRESS, Checkpoint
from monitor.domain.errors import EngineTrouble, ModelNotServed
from monitor.generation.canaries import Fingerprint
from monitor.generation.client import Patience, VllmClient
from monitor.generation.introduction import Acquaintance, introduce
from monitor.generation.refusals import NoSuchModel, Refused, Route
from monitor.generation.served import ServedModel

NAME = "{name}"
"""Stands for the checkpoint's name in what a server calls its model."""
Recall = Callable[[str, str, tuple[float, ...]], tuple[float, ...]]


class RemoteEngine:
    """Asks a server by URL; it neither starts it nor changes what it serves.

    Args:
        route: to the server.
        served_model: what the server calls the model, with the checkpoint's name for ``{name}``.
        concurrency: most requests in flight, each of several samples.
        patience: how long to try again.
        recall: what an endpoint answered for a digest first, given what it answers now; it outlives the
            process.
    """

    def __init__(
        self,
        route: Route,
        *,
        served_model: str = NAME,
        concurrency: int = 16,
        patience: Patience | None = None,
        recall: Recall = lambda _digest, _endpoint, found: found,
    ) -> None:
        self._served_model = served_model
        self._concurrency = concurrency
        self._recall = recall
        self._client = VllmClient(route, concurrency=concurrency, patience=patience)
        self._model: ServedModel | None = None

    async def serve(self, checkpoint: Checkpoint) -> ServedModel:
        """Check that the model answers as it first did; see :class:`monitor.ports.Engine`.

        Raises:
            ModelNotServed: the server has no model of that name.
            InvalidCheckpoint: its context is too short to ask it anything.
            DeploymentBroken: it computes NaN.
            InvalidConfig: the server does not accept the key or redirects, or a proxy is in the way.
            EngineTrouble: it cannot be reached, is no vLLM, or holds other weights under that name than
                when it first served this checkpoint.
        """
        if self._model is not None:
            self._model.retire()
        model_id = served_name(self._served_model, checkpoint.name)
        try:
            acquaintance = await introduce(
                self._client,
                name=checkpoint.name,
                kind="vllm-remote",
                model_id=model_id,
                settings={ADDRESS: self._client.url},
            )
        except Refused as refusal:
            raise explained(self._client.url, refusal, model_id) from refusal
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


def explained(url: str, refusal: Refused, model_id: str) -> EngineTrouble:
    """What a refusal of the first questions says about a server.

    Args:
        url: the server's.
        refusal: the server's.
        model_id: what it was asked for.
    """
    if isinstance(refusal, NoSuchModel):
        return ModelNotServed(
            f"The vLLM server at {url} serves no model {model_id}, but: {refusal.detail}.",
            next_step="Serve it there under that name; it is asked for again until then. Or set "
            "engine.served_model to what the server calls it, with {name} for the checkpoint's name.",
        )
    if refusal.status == 404:
        return EngineTrouble(
            f"The server at {url} has no /v1/models or /v1/completions (status 404): {refusal.detail}.",
            next_step="Check engine.url: it is a vLLM server's address, with or without /v1.",
        )
    return EngineTrouble(
        f"The vLLM server at {url} refuses the canary prompts (status {refusal.status}): {refusal.detail}.",
        next_step="Serve with prompt log probabilities allowed and a context of at least 64 tokens.",
    )


def served_name(served_model: str, name: str) -> str:
    """What a server calls a checkpoint of this name.

    >>> served_name("/srv/models/{name}", "v1")
    '/srv/models/v1'
    """
    return served_model.replace(NAME, name)
