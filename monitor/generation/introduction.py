"""Getting to know a served model: what it is, and whether it repeats itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.domain.checkpoint import EngineIdentity
from monitor.domain.errors import EngineTrouble, InvalidCheckpoint
from monitor.generation.answers import prompt_logprobs, prompt_logprobs_body
from monitor.generation.canaries import CANARIES, LEAST_CONTEXT, Fingerprint, fingerprint_of
from monitor.generation.client import VllmClient
from monitor.generation.refusals import NoSuchModel, NotFinite, Refused, broken_deployment, confirmed

_PROBES = 4
_NEIGHBOURS = 3
_PROBE_TOKENS = 12
_SEED = 20_231_107


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """What a served model turned out to be."""

    identity: EngineIdentity
    fingerprint: Fingerprint


async def introduce(
    client: VllmClient, *, name: str, kind: str, model_id: str, settings: Mapping[str, str]
) -> Acquaintance:
    """Ask a served model who it is.

    Args:
        client: talks to the server.
        name: of the checkpoint, for messages.
        kind: ``vllm-managed`` or ``vllm-remote``.
        model_id: what the server calls the model.
        settings: what is known to change the sampled text; the context length is added.

    Raises:
        NoSuchModel: the server does not serve a model of this name.
        Refused: it does not take the canaries, or has no list of models.
        InvalidCheckpoint: its context is too short for them.
        DeploymentBroken: it computes NaN for them, both times that it is asked.
        EngineTrouble: it does not answer, or not as vLLM does.
    """
    context = await context_tokens(client, model_id)
    if 0 < context < LEAST_CONTEXT:
        raise InvalidCheckpoint(
            f"{name} is served with a context of {context} tokens; the canary prompts alone need "
            f"{LEAST_CONTEXT}.",
            next_step="Serve it with a longer --max-model-len (in engine.args where the server is managed), "
            "or check max_position_embeddings in its config.json.",
        )
    try:
        fingerprint = await confirmed(lambda: take_fingerprint(client, model_id))
    except NotFinite as refusal:
        raise broken_deployment(name, "the canary prompts", refusal) from refusal
    identity = EngineIdentity(
        kind=kind,
        version=await _version(client),
        settings={**settings, "max_model_len": str(context)},
        seed_stable=await repeats_itself(client, model_id),
    )
    return Acquaintance(identity=identity, fingerprint=fingerprint)


async def take_fingerprint(client: VllmClient, model_id: str) -> Fingerprint:
    """Log probabilities of the canaries, one by one, so that batching cannot move them.

    Raises:
        NotFinite: the model computes NaN for them.
        Refused: the server does not take them.
    """
    answers = [
        await client.post("/v1/completions", prompt_logprobs_body(text, model_id)) for text in CANARIES
    ]
    return fingerprint_of([prompt_logprobs(answer) for answer in answers])


async def context_tokens(client: VllmClient, model_id: str) -> int:
    """How many tokens prompt and completion may have together.

    Raises:
        NoSuchModel: the detail names those that there are.
        Refused, EngineTrouble: as for :func:`listed_models`.
    """
    models = await listed_models(client)
    if model_id not in models:
        raise NoSuchModel(404, ", ".join(sorted(models)) or "none")
    return models[model_id]


async def listed_models(client: VllmClient) -> dict[str, int]:
    """What a server serves: names, and how many tokens prompt and completion may have together.

    Raises:
        Refused: the server has no such list.
        EngineTrouble: it does not answer, or not as vLLM does.
    """
    listing = await client.get("/v1/models")
    try:
        return {str(model["id"]): int(model.get("max_model_len") or 0) for model in listing["data"]}
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise EngineTrouble(
            f"The server at {client.url} does not list its models as vLLM does.",
            next_step="Check that the URL is a vLLM server's, without a path beyond /v1.",
        ) from exc


async def repeats_itself(client: VllmClient, model_id: str) -> bool:
    """Whether a seed gives the same texts alone and beside other requests, as measured."""
    alone = await _sampled(client, model_id, first_seed=_SEED, count=_PROBES)
    neighbours = (
        _sampled(client, model_id, first_seed=_SEED + 1000 * number, count=1 + number)
        for number in range(1, _NEIGHBOURS + 1)
    )
    crowded, *_ = await asyncio.gather(
        _sampled(client, model_id, first_seed=_SEED, count=_PROBES), *neighbours
    )
    return alone == crowded


async def _sampled(client: VllmClient, model_id: str, *, first_seed: int, count: int) -> list[str]:
    body: dict[str, Any] = {
        "model": model_id,
        "prompt": CANARIES[0],
        "n": count,
        "seed": first_seed,
        "temperature": 1.0,
        "max_tokens": _PROBE_TOKENS,
        "ignore_eos": True,
    }
    answer = await client.post("/v1/completions", body)
    return [choice["text"] for choice in sorted(answer["choices"], key=lambda choice: choice["index"])]


async def _version(client: VllmClient) -> str:
    try:
        return str((await client.get("/version"))["version"])
    except (Refused, KeyError, TypeError):
        return "unknown"
