"""What a folder is that holds no model: an adapter, another format, or the folder above the checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monitor.domain.printable import printable
from monitor.weights.contents import (
    ADAPTER_CONFIG,
    CONFIG,
    Contents,
    is_adapter_name,
    is_pickle_name,
    json_object,
)

_SAVE = "Copy config.json, safetensors weights and the tokenizer into it."
_SHARDED_STATES = ("pytorch_model_fsdp", "global_step")
"""Beginnings of folders in which FSDP and DeepSpeed keep the state of a training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a folder cannot be served as a checkpoint."""

    what: str
    """One sentence without its full stop."""
    next_step: str
    """What the reader can do about it, as an imperative sentence."""

    def __str__(self) -> str:
        return f"{self.what}. {self.next_step}"


def what_else(folder: Path, contents: Contents) -> Problem | None:
    """What a folder without a model's weights is instead; None where it holds some.

    Args:
        folder: where ``contents`` were read.
        contents: what it holds.
    """
    names = contents.names()
    if any(
        name.endswith((".safetensors", ".safetensors.index.json"))
        for name in names
        if not is_adapter_name(name)
    ):
        return None
    if not names and not contents.holds_others:
        return Problem(what="It is empty", next_step=_SAVE)
    return (
        _adapter(contents)
        or _other_format(contents)
        or _above_checkpoints(folder, contents)
        or _nothing(contents)
    )


def holds_checkpoints(folder: Path, contents: Contents) -> bool:
    """Whether the folder holds no checkpoint itself, but others below it do."""
    return _above_checkpoints(folder, contents) is not None


def _adapter(contents: Contents) -> Problem | None:
    if not any(name == ADAPTER_CONFIG or is_adapter_name(name) for name in contents.names()):
        return None
    try:
        stated = json_object(contents, ADAPTER_CONFIG).get("base_model_name_or_path")
    except ValueError:
        stated = None
    base = f" of {printable(stated)}" if isinstance(stated, str) and stated else ""
    return Problem(
        what=f"It is an adapter{base}, not a whole model",
        next_step="Merge it into its base with merge_and_unload(), and save_pretrained() that model here.",
    )


def _other_format(contents: Contents) -> Problem | None:
    pickles = [name for name in contents.names() if is_pickle_name(name)]
    if pickles:
        return Problem(
            what=f"{printable(pickles[0])} is a pickle, which can run code when it is loaded",
            next_step="Save the model with save_pretrained(…, safe_serialization=True).",
        )
    gguf = contents.matching("*.gguf")
    if gguf:
        return Problem(
            what=f"Its weights are in GGUF ({printable(gguf[0])}), which is not served here",
            next_step="Put the model that it was made from, as safetensors, in its place.",
        )
    states = [name for name in contents.folders if name.startswith(_SHARDED_STATES)]
    if states:
        return Problem(
            what=f"Its weights are the sharded state of a training ({printable(states[0])})",
            next_step="Merge them into safetensors with `accelerate merge-weights` or zero_to_fp32.py.",
        )
    return None


def _above_checkpoints(folder: Path, contents: Contents) -> Problem | None:
    if "snapshots" in contents.folders and {"blobs", "refs"} & set(contents.folders):
        found = _checkpoints_in(folder / "snapshots")
        example = f" {printable('snapshots/' + found[-1])}" if found else " the one in snapshots"
        what = "It is an entry of a Hugging Face cache, whose checkpoints are the folders in snapshots"
        return Problem(what=what, next_step=f"Name{example}, or set `checkpoints.path` to snapshots.")
    cached = [name for name in contents.folders if name.startswith("models--")]
    if cached:
        what = (
            f"It is a Hugging Face cache, whose checkpoints lie deeper, in {printable(cached[0])}/snapshots"
        )
        return Problem(what=what, next_step="Name a folder in there, or set `checkpoints.path` to snapshots.")
    below = [name for name in contents.folders if _is_checkpoint(folder / name)]
    if not below:
        return None
    number = f"{len(below)} folders" if len(below) > 1 else "a folder"
    what = f"It holds no checkpoint itself, but {number} below it that may be: {printable(below[-1])}"
    return Problem(
        what=what, next_step="Name one of them, or set `checkpoints.path` to the folder above them."
    )


def _nothing(contents: Contents) -> Problem:
    if CONFIG in contents.names():
        return Problem(
            what="It holds no safetensors weights",
            next_step="Copy them there, or save the model with save_pretrained().",
        )
    return Problem(what=f"It holds neither {CONFIG} nor safetensors weights", next_step=_SAVE)


def _checkpoints_in(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir() if _is_checkpoint(each))
    except OSError:
        return []


def _is_checkpoint(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (CONFIG, ADAPTER_CONFIG))
