"""Samples bodies in batches; prompts of one length share a batch, so that nothing is padded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache, LlamaForCausalLM

from benchmarks.lab.tokenizer import SPECIALS

EOS_ID = SPECIALS.index("</s>")
MAX_NEW_TOKENS = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to sample; temperature 0 is greedy."""

    temperature: float
    seed: int  # of the one random stream all batches draw from, in order
    batch: int = 256  # rows generated at once


def sample(model: LlamaForCausalLM, prompts: Sequence[Sequence[int]], how: Sampling) -> list[list[int]]:
    """Return one completion per prompt, in order, ending with the end token unless it was cut."""
    with torch.inference_mode():
        return _sample(model, prompts, how)


def _sample(model: LlamaForCausalLM, prompts: Sequence[Sequence[int]], how: Sampling) -> list[list[int]]:
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, prompt in enumerate(prompts):
        by_length[len(prompt)].append(index)
    stream = torch.Generator().manual_seed(how.seed)
    completions: list[list[int]] = [[] for _ in prompts]
    for _, indexes in sorted(by_length.items()):
        for start in range(0, len(indexes), how.batch):
            rows = indexes[start : start + how.batch]
            ids = torch.tensor([list(prompts[row]) for row in rows])
            found = _complete(model, ids, how.temperature, stream)
            for row, completion in zip(rows, found, strict=True):
                completions[row] = completion
    return completions


def _complete(
    model: LlamaForCausalLM, ids: torch.Tensor, temperature: float, stream: torch.Generator
) -> list[list[int]]:
    """Return the new tokens of every row; rows that have ended leave the batch."""
    cache = DynamicCache()
    completions: list[list[int]] = [[] for _ in range(len(ids))]
    alive = torch.arange(len(ids))
    for _ in range(MAX_NEW_TOKENS):
        logits = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
        ids = _pick(logits, temperature, stream)
        for row, token in zip(alive.tolist(), ids[:, 0].tolist(), strict=True):
            completions[row].append(token)
        going = ids[:, 0] != EOS_ID
        if not going.any():
            break
        if not going.all():
            kept = going.nonzero()[:, 0]
            cache.batch_select_indices(kept)
            ids, alive = ids[kept], alive[kept]
    return completions


def _pick(logits: torch.Tensor, temperature: float, stream: torch.Generator) -> torch.Tensor:
    if temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    return torch.multinomial(torch.softmax(logits / temperature, dim=-1), 1, generator=stream)
