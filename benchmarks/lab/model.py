"""The shape of the lab's model: a Llama small enough to train in minutes on one core."""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.lab.tokenizer import SPECIALS, VOCABULARY

CONTEXT = 256


def configuration() -> LlamaConfig:
    """Return the architecture; untied, so that a server can swap weights without mixing two models."""
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        rope_theta=10_000.0,
        tie_word_embeddings=False,
        bos_token_id=SPECIALS.index("<s>"),
        eos_token_id=SPECIALS.index("</s>"),
        pad_token_id=SPECIALS.index("<pad>"),
        architectures=["LlamaForCausalLM"],
        dtype="bfloat16",
        attn_implementation="sdpa",
    )


def fresh_model(seed: int) -> LlamaForCausalLM:
    """Return a model with weights drawn from ``seed``, in float32 for training."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(configuration()).float()
