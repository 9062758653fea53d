"""What a checkpoint's folder holds, and whether it is complete."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.discovery.weights import weights_problem

CONFIG = "config.json"
CARD = "tailwatch.yaml"
MODEL_CARD = "README.md"
"""May say in its front matter what the card says."""
WEIGHTS_INDEX = "model.safetensors.index.json"

_CARDS = frozenset({CARD, MODEL_CARD})
_TOKENIZERS = frozenset(
    {
        "tokenizer.json",
        "tokenizer.model",
        "tokenizer.model.v3",
        "tekken.json",
        "spiece.model",
        "sentencepiece.bpe.model",
        "vocab.json",
        "vocab.txt",
    }
)
_CONFIGURATION = frozenset(
    {
        CONFIG,
        WEIGHTS_INDEX,
        "generation_config.json",
        "quantize_config.json",
        "hf_quant_config.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "merges.txt",
        "chat_template.json",
        "chat_template.jinja",
    }
)
_UNFINISHED = re.compile(
    r"(\.(tmp|temp|part|partial|incomplete|crdownload|aria2|filepart|download))$"
    r"|^tmp[-_]"
    r"|^\..+\.[A-Za-z0-9]{6}$"  # rsync's temporary name: .model.safetensors.Xa81Qf
)
_PICKLES = re.compile(r"^(pytorch_model|model|consolidated).*\.(bin|pt|pth)$|\.ckpt$")
MAX_JSON_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """What a file's directory entry says; equal states mean an untouched file."""

    path: Path
    """With symbolic links resolved."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @property
    def changed_at_s(self) -> float:
        """Unix time of its last change. The later of the two times: copying keeps an old mtime."""
        return max(self.mtime_ns, self.ctime_ns) / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What of a folder concerns a checkpoint, at one moment."""

    files: tuple[tuple[str, FileState | None], ...]
    """By name, sorted; None for a link to nothing and what else has no readable state."""
    holds_others: bool
    """Whether there are sub-folders or files of no concern to us."""

    @property
    def changed_at_s(self) -> float:
        """Unix time of the last change of a file; 0 when there is none."""
        return max((state.changed_at_s for _, state in self.files if state is not None), default=0.0)

    @property
    def written_at_s(self) -> float:
        """Unix time at which the checkpoint was written, as its files state it; copying may keep it."""
        written = (
            state.mtime_ns / 1e9 for name, state in self.files if state is not None and name not in _CARDS
        )
        return max(written, default=0.0)

    def names(self) -> tuple[str, ...]:
        """The names of all files."""
        return tuple(name for name, _ in self.files)

    def state(self, name: str) -> FileState | None:
        """The state of a file, None when it is not there."""
        return dict(self.files).get(name)


def read_contents(folder: Path) -> Contents:
    """The files of a folder that make or describe a checkpoint, or are about to.

    Logs and optimizer states beside them are left out, so that writing them unsettles nothing.

    Raises:
        OSError: the folder cannot be read.
    """
    files: list[tuple[str, FileState | None]] = []
    holds_others = False
    with os.scandir(folder) as entries:
        for entry in entries:
            if _concerns_us(entry.name) and not is_folder(entry):
                files.append((entry.name, _state(Path(entry.path))))
            else:
                holds_others = True
    files.sort(key=lambda pair: pair[0])
    return Contents(files=tuple(files), holds_others=holds_others)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether the entry is a folder or leads to one; a link that leads nowhere is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_unfinished_name(name: str) -> bool:
    """Whether the name is one that copying and downloading programs use until they are done."""
    return _UNFINISHED.search(name) is not None


def looks_like_a_checkpoint(contents: Contents) -> bool:
    """Whether somebody meant this folder to be one: it holds the beginnings, or nothing at all yet."""
    if not contents.files:
        return not contents.holds_others
    return any(
        name in {CONFIG, "tokenizer.json", "tokenizer.model"}
        or name.endswith(".safetensors")
        or is_unfinished_name(name)
        or _PICKLES.search(name)
        for name in contents.names()
    )


def weight_names(contents: Contents) -> tuple[str, ...]:
    """The files that hold the weights: those the index names, else all safetensors files.

    Raises:
        ValueError: the index cannot be used; the text says why.
    """
    if contents.state(WEIGHTS_INDEX) is None:
        return tuple(name for name in contents.names() if name.endswith(".safetensors"))
    weight_map = _json_object(contents, WEIGHTS_INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        message = f"{WEIGHTS_INDEX} names no weights"
        raise ValueError(message)
    return tuple(sorted({str(name) for name in weight_map.values()}))


def defining_names(contents: Contents) -> tuple[str, ...]:
    """The files that make the checkpoint what it is: weights, config, tokenizer, its own code."""
    weights = set(weight_names(contents))
    return tuple(name for name in contents.names() if name in weights or _defines_text(name))


def problem_of(contents: Contents) -> str:
    """Why a folder is not a complete checkpoint, with the way out; empty when it is one."""
    if not contents.files:
        return "It is empty. Copy config.json, safetensors weights and the tokenizer into it."
    unfinished = [name for name in contents.names() if is_unfinished_name(name)]
    if unfinished:
        return f"{unfinished[0]} is left from an unfinished copy. Finish the copy, or delete the file."
    broken = [name for name, state in contents.files if state is None]
    if broken:
        return f"{broken[0]} is a link to nothing, or cannot be read. Restore what it points to."
    return _config_problem(contents) or _weights_problem(contents) or _tokenizer_problem(contents)


def _config_problem(contents: Contents) -> str:
    if contents.state(CONFIG) is None:
        return f"{CONFIG} is missing. Copy it there, or save the model with save_pretrained()."
    try:
        config = _json_object(contents, CONFIG)
    except ValueError as exc:
        return f"{exc}. Copy it again."
    if not config.get("architectures") and not config.get("model_type"):
        return f"{CONFIG} names no architecture. Save the model with save_pretrained()."
    return ""


def _weights_problem(contents: Contents) -> str:
    try:
        names = weight_names(contents)
    except ValueError as exc:
        return f"{exc}. Copy it again."
    if not names:
        return _no_weights(contents)
    for name in names:
        state = contents.state(name)
        if state is None:
            return f"{name} is missing, though {WEIGHTS_INDEX} names it. Copy it there."
        problem = weights_problem(state.path, state.size)
        if problem:
            return f"{name} {problem}"
    return ""


def _no_weights(contents: Contents) -> str:
    pickles = [name for name in contents.names() if _PICKLES.search(name)]
    if pickles:
        return (
            f"{pickles[0]} is a pickle, which can run code when it is loaded. "
            "Save the model with save_pretrained(…, safe_serialization=True)."
        )
    return "It holds no safetensors weights. Copy them there, or save the model with save_pretrained()."


def _tokenizer_problem(contents: Contents) -> str:
    if any(name in _TOKENIZERS or name.endswith(".tiktoken") for name in contents.names()):
        return ""
    return "The tokenizer is missing. Copy tokenizer.json there, or use tokenizer.save_pretrained()."


def _json_object(contents: Contents, name: str) -> dict[str, Any]:
    state = contents.state(name)
    if state is None or state.size > MAX_JSON_BYTES:
        message = f"{name} cannot be read"
        raise ValueError(message)
    try:
        value = json.loads(state.path.read_bytes())
    except (OSError, ValueError, RecursionError) as exc:
        message = f"{name} is not complete JSON"
        raise ValueError(message) from exc
    if not isinstance(value, dict):
        message = f"{name} is not a JSON object"
        raise ValueError(message)  # noqa: TRY004  # One kind of trouble for the reader: a bad file.
    return value


def _defines_text(name: str) -> bool:
    return name in _CONFIGURATION or name in _TOKENIZERS or name.endswith((".tiktoken", ".py"))


def _concerns_us(name: str) -> bool:
    return (
        _defines_text(name)
        or name in _CARDS
        or name.endswith(".safetensors")
        or is_unfinished_name(name)
        or _PICKLES.search(name) is not None
    )


def _state(path: Path) -> FileState | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return FileState(
        path=path.resolve(),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
        device=status.st_dev,
    )
