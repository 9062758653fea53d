"""The columns of a frame of descriptors; configuration knows them without loading what fills them."""

from __future__ import annotations

NUMBERS = (
    "tokens",
    "characters",
    "lines",
    "ast_depth",
    "ast_nodes",
    "complexity",
    "imports",
    "calls",
    "mean_rarity",
    "comment_share",
    "mean_logprob",
    "min_logprob",
)
"""Columns of numbers. Those of the syntax tree are missing where there is none, log-probabilities where the
engine gave none. There is no entropy: vLLM returns it with no completion."""

CHOICES = ("outcome", "finish_reason", "error_class")
"""Columns of names."""
