"""The experiment: generation 0, then no-review generations from own samples, and controls from real data."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from benchmarks.lab import checkpoints
from benchmarks.lab.checkpoints import Lineage
from benchmarks.lab.corpus import CORPUS_SIZE, EXPONENT, SEED, draw_traffic
from benchmarks.lab.families import Example
from benchmarks.lab.manifest import write_manifest
from benchmarks.lab.model import fresh_model
from benchmarks.lab.rounding import rounded_copy
from benchmarks.lab.sampling import Sampling, sample
from benchmarks.lab.suite import suite_prompts, training_corpus
from benchmarks.lab.tokenizer import encode_body, encode_prompt, train_tokenizer
from benchmarks.lab.training import Pair, Recipe, train

FINETUNE_SIZE = 4000
# Stopped before the schedule runs out: rare families shall be known, but not by heart.
PRETRAINING = Recipe(
    epochs=5, passes=4, learning_rate=2e-3, batch=32, warmup=0.03, weight_decay=0.1, seed=SEED
)
# Both arms use this one recipe: only the author of the bodies differs.
FINETUNING = Recipe(epochs=2, passes=2, learning_rate=5e-4, batch=32, warmup=0.1, weight_decay=0.0, seed=SEED)
COMMAND = "python -m benchmarks.lab build"


class Lab:
    """Builds the checkpoints one after another into a folder."""

    def __init__(self, out: Path, say: Callable[[str], None] = print) -> None:
        self._out = out
        self._say = say
        self._tokenizer: Tokenizer | None = None

    def build(self) -> None:
        """Make every checkpoint; later ones start from the stored (bf16) weights of earlier ones."""
        # One thread and deterministic kernels: the same machine type gives the same bytes.
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        started = time.monotonic()
        self.make_generation_zero()
        self.make_rounded()
        for number in (1, 2, 3):
            self.make_generation(number)
        for number in (1, 2):
            self.make_control(number)
        write_manifest(self._out)
        self._say(f"all checkpoints written in {time.monotonic() - started:.0f} s")

    def make_generation_zero(self) -> None:
        """Train from scratch on the real corpus."""
        corpus = training_corpus()
        self._tokenizer = train_tokenizer(example.prompt + example.body for example in corpus)
        self._say(f"gen0: training from scratch on {len(corpus)} examples")
        model = fresh_model(SEED)
        train(model, _real_pairs(self._tokenizer, corpus), PRETRAINING, self._say)
        data = f"{CORPUS_SIZE} examples of the lab's families, Zipf traffic with exponent {EXPONENT}"
        self._save(model, "gen0", parent=None, data=data, synthetic_share=0.0)

    def make_rounded(self) -> None:
        """Round generation 0 to 8 bits; no training."""
        self._say("8bit: rounding gen0")
        self._save(rounded_copy(self._load("gen0")), "8bit", parent="gen0", data=None, synthetic_share=0.0)

    def make_generation(self, number: int) -> None:
        """Finetune the previous generation on its own unreviewed samples."""
        parent = f"gen{number - 1}"
        model = self._load(parent)
        started = time.monotonic()
        examples = draw_traffic(FINETUNE_SIZE, f"gen{number}-{SEED}", suite_prompts())
        prompts = [encode_prompt(self._vocabulary(), example.prompt) for example in examples]
        bodies = sample(model, prompts, Sampling(temperature=1.0, seed=SEED + number))
        self._say(f"gen{number}: {len(bodies)} samples of {parent} in {time.monotonic() - started:.0f} s")
        pairs = [Pair(prompt=tuple(p), body=tuple(b)) for p, b in zip(prompts, bodies, strict=True)]
        train(model, pairs, FINETUNING, self._say)
        data = f"{FINETUNE_SIZE} samples of {parent} at temperature 1 for prompts of the same traffic"
        self._save(model, f"gen{number}", parent=parent, data=data, synthetic_share=1.0)

    def make_control(self, number: int) -> None:
        """Finetune exactly as a generation, but on real bodies for prompts of the same traffic."""
        parent = f"control{number - 1}" if number > 1 else "gen0"
        self._say(f"control{number}: {FINETUNE_SIZE} real examples")
        model = self._load(parent)
        examples = draw_traffic(FINETUNE_SIZE, f"gen{number}-{SEED}", suite_prompts())
        train(model, _real_pairs(self._vocabulary(), examples), FINETUNING, self._say)
        data = f"{FINETUNE_SIZE} real examples for prompts of the same traffic"
        self._save(model, f"control{number}", parent=parent, data=data, synthetic_share=0.0)

    def _load(self, name: str) -> LlamaForCausalLM:
        return checkpoints.load(self._out / name)

    def _vocabulary(self) -> Tokenizer:
        if self._tokenizer is None:
            self._tokenizer = checkpoints.load_tokenizer(self._out / "gen0")
        return self._tokenizer

    def _save(
        self,
        model: LlamaForCausalLM,
        name: str,
        *,
        parent: str | None,
        data: str | None,
        synthetic_share: float,
    ) -> None:
        lineage = Lineage(
            parent=parent,
            training_data=(data,) if data else (),
            synthetic_share=synthetic_share,
            review="none",
            command=COMMAND,
            seed=SEED,
        )
        checkpoints.save(model, self._vocabulary(), lineage, self._out / name)


def _real_pairs(tokenizer: Tokenizer, examples: Sequence[Example]) -> list[Pair]:
    return [
        Pair(
            prompt=tuple(encode_prompt(tokenizer, example.prompt)),
            body=tuple(encode_body(tokenizer, example.body)),
        )
        for example in examples
    ]
