"""Trains on pairs of prompt and body: AdamW, warm-up and cosine, batches of similar length, seeded."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import LlamaForCausalLM

from benchmarks.lab.tokenizer import SPECIALS

PAD_ID = SPECIALS.index("<pad>")
IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One training text in token ids; only the body is learned."""

    prompt: tuple[int, ...]  # start token first
    body: tuple[int, ...]  # end token last, unless the text was cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long and how hard to train; both arms of an experiment share one."""

    epochs: int  # passes over the pairs that the learning rate schedule is made for
    passes: int  # passes made; fewer than `epochs` stops early, with the schedule not run out
    learning_rate: float  # at the top of the schedule
    batch: int  # pairs per step
    warmup: float  # share of the steps with a rising learning rate
    weight_decay: float  # of AdamW
    seed: int  # order of the batches


def train(model: LlamaForCausalLM, pairs: Sequence[Pair], recipe: Recipe, say: Callable[[str], None]) -> None:
    """Fit ``model`` to ``pairs`` in place."""
    rng = random.Random(recipe.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    per_epoch = math.ceil(len(pairs) / recipe.batch)
    schedule = _cosine(optimizer, total=per_epoch * recipe.epochs, warmup=recipe.warmup)
    model.train()
    for epoch in range(recipe.passes):
        started, losses = time.monotonic(), 0.0
        for batch in _batches(pairs, recipe.batch, rng):
            losses += _step(model, batch, optimizer)
            schedule.step()
        seconds = time.monotonic() - started
        say(f"  pass {epoch + 1}/{recipe.passes}: loss {losses / per_epoch:.4f}, {seconds:.0f} s")
    model.eval()


def _step(model: LlamaForCausalLM, batch: Sequence[Pair], optimizer: torch.optim.Optimizer) -> float:
    ids, labels = _tensors(batch)
    # Padding is on the right and attention is causal, so no mask is needed.
    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    targets = labels[:, 1:]
    learned = targets != IGNORED
    logits = model.lm_head(hidden[learned])
    loss = torch.nn.functional.cross_entropy(logits, targets[learned])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _tensors(batch: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(pair.prompt) + len(pair.body) for pair in batch)
    ids = torch.full((len(batch), width), PAD_ID)
    labels = torch.full((len(batch), width), IGNORED)
    for row, pair in enumerate(batch):
        start, end = len(pair.prompt), len(pair.prompt) + len(pair.body)
        ids[row, :end] = torch.tensor(pair.prompt + pair.body)
        labels[row, start:end] = torch.tensor(pair.body)
    return ids, labels


def _batches(pairs: Sequence[Pair], size: int, rng: random.Random) -> Iterator[list[Pair]]:
    """Yield shuffled batches whose pairs have similar length: sorted within blocks of sixteen batches."""
    order = list(pairs)
    rng.shuffle(order)
    batches = []
    for start in range(0, len(order), 16 * size):
        block = sorted(order[start : start + 16 * size], key=lambda pair: len(pair.prompt) + len(pair.body))
        batches += [block[i : i + size] for i in range(0, len(block), size)]
    rng.shuffle(batches)
    yield from batches


def _cosine(
    optimizer: torch.optim.Optimizer, *, total: int, warmup: float
) -> torch.optim.lr_scheduler.LambdaLR:
    rising = max(1, round(total * warmup))

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
