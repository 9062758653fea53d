"""Getting to know a served model: what it is, and whether it repeats itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitor.domain.checkpoint import EngineIdentity
from monitor.domain.errors import EngineTrouble
from monitor.generation.answers import prompt_logprobs, prompt_logprobs_body
from monitor.generation.canaries import CANARIES, Fingerprint, fingerprint_of
from monitor.generation.client import Refused, VllmClient

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
    client: VllmClient, *, kind: str, model_id: str, settings: Mapping[str, str]
) -> Acquaintance:
    """Ask a served model who it is.

    Args:
        client: talks to the server.
        kind: ``vllm-managed`` or ``vllm-remote``.
        model_id: what the server calls the model.
        settings: what is known to change the sampled text; the context length is added.

    Raises:
        Refused: the server does not serve a model of this name.
        EngineTrouble: it does not answer, or not as vLLM does.
    """
    context = await context_tokens(client, model_id)
    fingerprint = await take_fingerprint(client, model_id)
    identity = EngineIdentity(
        kind=kind,
        version=await _version(client),
        settings={**settings, "max_model_len": str(context)},
        seed_stable=await repeats_itself(client, model_id),
    )
    return Acquaintance(identity=identity, fingerprint=fingerprint)


async def take_fingerprint(client: VllmClient, model_id: str) -> Fingerprint:
    """Log probabilities of the canaries, one by one, so that batching cannot move them."""
    answers = [
        await client.post("/v1/completions", prompt_logprobs_body(text, model_id)) for text in CANARIES
    ]
    return fingerprint_of([prompt_logprobs(answer) for answer in answers])


async def context_tokens(client: VllmClient, model_id: str) -> int:
    """How many tokens prompt and completion may have together.

    Raises:
        Refused: status 404, when the server has no such model; the detail names those it has.
    """
    listing = await client.get("/v1/models")
    try:
        models = {str(model["id"]): model for model in listing["data"]}
        if model_id not in models:
            raise Refused(404, ", ".join(sorted(models)) or "none")
        return int(models[model_id].get("max_model_len") or 0)
    except (KeyError, TypeError, ValueError) as exc:
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
