"""Rounds weights to 8 bits and back: what a quantised copy of a checkpoint computes with."""

from __future__ import annotations

import torch
from transformers import LlamaForCausalLM


def round_to_int8(weight: torch.Tensor) -> torch.Tensor:
    """Return ``weight`` after a symmetric int8 round trip with one scale per row.

    >>> round_to_int8(torch.tensor([[1.0, -2.54, 0.009]])).tolist()[0][1]
    -2.5399999618530273
    """
    scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
    return (weight / scale).round().clamp(-127, 127) * scale


def rounded_copy(model: LlamaForCausalLM) -> LlamaForCausalLM:
    """Return ``model`` itself with every matrix rounded; vectors (the norms) stay as they are."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.copy_(round_to_int8(parameter))
    return model
