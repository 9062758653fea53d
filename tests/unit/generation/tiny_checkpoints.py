"""Makes tiny random Llama checkpoints that a real vLLM serves, with numpy alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from monitor.domain.checkpoint import Checkpoint
from monitor.domain.identity import content_digest

_HIDDEN, _LAYERS, _HEADS, _HEAD, _INNER, _VOCABULARY = 128, 4, 2, 64, 344, 384
_SPECIAL = ["<s>", "</s>"]


def tiny_checkpoint(folder: Path, *, seed: int, tied: bool = False, context: int = 256) -> Checkpoint:
    """Write random weights, a byte-level tokenizer and the configuration.

    Args:
        folder: where; it must not exist yet.
        seed: other seeds give other weights of the same configuration.
        tied: share input and output embeddings.
        context: tokens of prompt and completion together.
    """
    folder.mkdir(parents=True)
    _write_json(folder / "config.json", _config(tied=tied, context=context))
    _write_json(folder / "generation_config.json", {"bos_token_id": 256, "eos_token_id": 257})
    _write_json(folder / "tokenizer.json", _tokenizer())
    _write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"},
    )
    (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    write_safetensors(folder / "model.safetensors", _weights(seed, tied=tied))
    return checkpoint_in(folder)


def checkpoint_in(folder: Path) -> Checkpoint:
    """The noun for a folder, with a digest of all that it holds."""
    content = [path.read_bytes().hex() for path in sorted(folder.glob("*")) if path.is_file()]
    return Checkpoint(digest=content_digest(*content), name=folder.name, location=str(folder))


def write_safetensors(path: Path, tensors: dict[str, np.ndarray[Any, Any]]) -> None:
    """Write matrices as bfloat16, which is the upper half of a float32."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = bytearray()
    for name, values in tensors.items():
        halves = (np.ascontiguousarray(values, dtype="<f4").view("<u4") >> 16).astype("<u2").tobytes()
        offsets = [len(data), len(data) + len(halves)]
        header[name] = {"dtype": "BF16", "shape": list(values.shape), "data_offsets": offsets}
        data += halves
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + bytes(data))


def nan_checkpoint(folder: Path, *, seed: int) -> Checkpoint:
    """One whose output weights, the last of its file, are NaN throughout, as after a diverged run."""
    tiny_checkpoint(folder, seed=seed)
    path = folder / "model.safetensors"
    content, numbers = path.read_bytes(), _VOCABULARY * _HIDDEN
    path.write_bytes(content[: -2 * numbers] + b"\xc0\x7f" * numbers)
    return checkpoint_in(folder)


def half_written(path: Path) -> None:
    """Cut a file's second half off."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def edit_config(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change config.json in place."""
    config = json.loads((folder / "config.json").read_text())
    edit(config)
    _write_json(folder / "config.json", config)


def _weights(seed: int, *, tied: bool) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)

    def matrix(*shape: int) -> np.ndarray[Any, Any]:
        return rng.normal(0, 0.1, shape).astype(np.float32)

    tensors = {"model.embed_tokens.weight": matrix(_VOCABULARY, _HIDDEN)}
    for layer in range(_LAYERS):
        prefix = f"model.layers.{layer}"
        for name in ("q_proj", "k_proj", "v_proj"):
            tensors[f"{prefix}.self_attn.{name}.weight"] = matrix(_HEADS * _HEAD, _HIDDEN)
        tensors[f"{prefix}.self_attn.o_proj.weight"] = matrix(_HIDDEN, _HEADS * _HEAD)
        for name in ("gate_proj", "up_proj"):
            tensors[f"{prefix}.mlp.{name}.weight"] = matrix(_INNER, _HIDDEN)
        tensors[f"{prefix}.mlp.down_proj.weight"] = matrix(_HIDDEN, _INNER)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{prefix}.{name}.weight"] = 1 + matrix(_HIDDEN)
    tensors["model.norm.weight"] = 1 + matrix(_HIDDEN)
    if not tied:
        tensors["lm_head.weight"] = matrix(_VOCABULARY, _HIDDEN)
    return tensors


def _config(*, tied: bool, context: int) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "torch_dtype": "bfloat16",
        "vocab_size": _VOCABULARY,
        "hidden_size": _HIDDEN,
        "intermediate_size": _INNER,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": _HEADS,
        "head_dim": _HEAD,
        "hidden_act": "silu",
        "max_position_embeddings": context,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "tie_word_embeddings": tied,
        "bos_token_id": 256,
        "eos_token_id": 257,
    }


def _tokenizer() -> dict[str, Any]:
    """One token per byte, in the alphabet of GPT-2."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": 256 + number,
                "content": token,
                "special": True,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
            for number, token in enumerate(_SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "vocab": {letters[byte]: byte for byte in range(256)}
            | {token: 256 + number for number, token in enumerate(_SPECIAL)},
            "merges": [],
        },
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content))
