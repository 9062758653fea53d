"""The lab's byte-level BPE: 1024 entries, digits kept apart so that constants can be copied."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

BOS = "<s>"
EOS = "</s>"
PAD = "<pad>"
SPECIALS = (BOS, EOS, PAD)
VOCABULARY = 1024


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Return a BPE trained on ``texts``; it puts the start token before every prompt, as a server will."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer


def encode_prompt(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """Return the ids of ``prompt`` with the start token in front: what vLLM makes of a raw prompt."""
    ids: list[int] = tokenizer.encode(prompt).ids
    return ids


def encode_body(tokenizer: Tokenizer, body: str) -> list[int]:
    """Return the ids of ``body`` and the end token.

    Encoded apart from the prompt, since a model that continues a prompt merges no tokens across that border.
    """
    ids: list[int] = tokenizer.encode(body, add_special_tokens=False).ids
    return [*ids, SPECIALS.index(EOS)]
