"""Writes and reads lab checkpoints: bf16, untied, with a record of how each was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from benchmarks.lab.manifest import digest
from benchmarks.lab.model import CONTEXT, configuration
from benchmarks.lab.tokenizer import BOS, EOS, PAD

CHECKPOINTS_DIR = Path(__file__).resolve().parent / "checkpoints"
RECORD = "tailwatch.yaml"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a checkpoint comes from."""

    parent: str | None  # name of the checkpoint it was made from
    training_data: tuple[str, ...]  # what its weights saw in this step
    synthetic_share: float  # share of that data written by a model, 0 to 1
    review: str  # none, human-gate or self-gate: who looked at synthetic data before it was learned
    command: str  # what makes it again
    seed: int  # of the whole lab


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, lineage: Lineage, folder: Path) -> None:
    """Write ``model`` as a folder that vLLM and transformers load."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    # safetensors writes for the owner alone; a server may run as somebody else.
    (folder / WEIGHTS).chmod(0o644)
    configuration().save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(folder / "tokenizer_config.json", _tokenizer_config())
    _write_json(folder / "generation_config.json", _generation_config())
    record = {**asdict(lineage), "training_data": list(lineage.training_data)}
    record["sha256"] = {path.name: digest(path) for path in sorted(folder.iterdir()) if path.name != RECORD}
    (folder / RECORD).write_text(yaml.safe_dump(record, sort_keys=False, width=200), encoding="utf-8")


def load(folder: Path) -> LlamaForCausalLM:
    """Return the model in ``folder``, its bf16 weights widened to float32."""
    model = LlamaForCausalLM(configuration()).float()
    weights = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}
    model.load_state_dict(weights)
    return model.eval()


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer in ``folder``."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def _tokenizer_config() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": EOS,
        "pad_token": PAD,
        "model_max_length": CONTEXT,
        # A decoded body must keep its spaces as they are: they are Python's indentation.
        "clean_up_tokenization_spaces": False,
    }


def _generation_config() -> dict[str, Any]:
    config = configuration()
    return {
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
        "pad_token_id": config.pad_token_id,
    }


def _write_json(path: Path, fields: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
