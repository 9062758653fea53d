"""What a checkpoint's folder holds, at one moment."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from monitor.domain.printable import printable
from monitor.weights.files import FileState, read_whole, state_of

CONFIG = "config.json"
CARD = "tailwatch.yaml"
MODEL_CARD = "README.md"
"""May say in its front matter what the card says."""
WEIGHTS_INDEX = "model.safetensors.index.json"
MISTRAL_INDEX = "consolidated.safetensors.index.json"
MISTRAL_CONFIG = "params.json"
ADAPTER_CONFIG = "adapter_config.json"
MAX_JSON_BYTES = 64 * 2**20

_CARDS = frozenset({CARD, MODEL_CARD})
TOKENIZERS = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer.model.v3",
    "tekken.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "vocab.json",
    "vocab.txt",
    "*.tiktoken",
)
"""Patterns of files that are always part of a checkpoint's digest."""
RARE_TOKENIZERS = ("tokenizer.model.v*", "tiktoken.model", "sentencepiece.model", "byte_maps.json")
"""Part of the digest where the checkpoint's tokenizer is in them."""
_CONFIGURATION = (
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
    "*.py",
)
_ELSE = (MISTRAL_INDEX, MISTRAL_CONFIG, ADAPTER_CONFIG, "adapter_model.bin", "*.safetensors", "*.gguf")
_UNFINISHED = re.compile(
    r"(\.(tmp|temp|part|partial|incomplete|crdownload|aria2|filepart|download))$"
    r"|^tmp[-_]"
    r"|^\..+\.[A-Za-z0-9]{6}$"  # rsync's temporary name: .model.safetensors.Xa81Qf
    r"|\.safetensors\.[A-Za-z0-9]{8}$"  # that of aws s3 cp
    r"|_\.gstmp$"
)
_PICKLES = re.compile(r"^(pytorch_model|model|consolidated).*\.(bin|pt|pth)$|\.ckpt$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What of a folder concerns a checkpoint, at one moment."""

    files: tuple[tuple[str, FileState], ...]
    """Regular files by name, sorted."""
    unreadable: tuple[tuple[str, str], ...] = ()
    """What has such a name and is no regular file: name, and what it is instead; sorted."""
    holds_others: bool = False
    """Whether there are sub-folders or files of no concern to us."""
    folders: tuple[str, ...] = ()
    """Names of the sub-folders, sorted; listed only where the folder itself holds no weights."""

    @property
    def changed_at_s(self) -> float:
        """Unix time of the last change of a file; 0 when there is none."""
        return max((state.changed_at_s for _, state in self.files), default=0.0)

    @property
    def written_at_s(self) -> float:
        """Unix time at which the checkpoint was written, as its files state it; copying may keep it."""
        written = (state.mtime_ns / 1e9 for name, state in self.files if name not in _CARDS)
        return max(written, default=0.0)

    def names(self) -> tuple[str, ...]:
        """The names of all files, those that cannot be read included."""
        return tuple(sorted(name for name, _ in (*self.files, *self.unreadable)))

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """The names of all files that fit one of the patterns."""
        return tuple(name for name in self.names() if _fits(name, patterns))

    def state(self, name: str) -> FileState | None:
        """The state of a file, None when it is not there or no regular file."""
        return dict(self.files).get(name)


def read_contents(folder: Path) -> Contents:
    """The files of a folder that make or describe a checkpoint, or are about to.

    Logs and optimizer states beside them are left out, so that writing them unsettles nothing.

    Raises:
        OSError: the folder cannot be read.
    """
    files: list[tuple[str, FileState]] = []
    unreadable: list[tuple[str, str]] = []
    folders: list[str] = []
    holds_others = False
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_folder(entry):
                folders.append(entry.name)
            elif not _concerns_us(entry.name):
                holds_others = True
            else:
                try:
                    files.append((entry.name, state_of(Path(entry.path))))
                except OSError as exc:
                    unreadable.append((entry.name, _what_it_is(exc)))
    holds_weights = any(name.endswith(".safetensors") for name, _ in files)
    return Contents(
        files=tuple(sorted(files)),
        unreadable=tuple(sorted(unreadable)),
        holds_others=holds_others or bool(folders),
        folders=() if holds_weights else tuple(sorted(folders)),
    )


def _what_it_is(error: OSError) -> str:
    if error.errno in {errno.ENOENT, errno.ELOOP}:
        return "is a link to nothing"
    return f"cannot be read: {error.strerror}"


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether the entry is a folder or leads to one; a link that leads nowhere is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_unfinished_name(name: str) -> bool:
    """Whether the name is one that copying and downloading programs use until they are done."""
    return _UNFINISHED.search(name) is not None


def is_pickle_name(name: str) -> bool:
    """Whether the name is one of weights that are saved as a pickle."""
    return _PICKLES.search(name) is not None


def is_adapter_name(name: str) -> bool:
    """Whether the name is one of an adapter's weights, which are no model's."""
    return fnmatchcase(name, "adapter_*.safetensors") or name == "adapter_model.bin"


def weight_names(contents: Contents) -> tuple[str, ...]:
    """All files whose weights could be loaded, for the digest: those of both formats, where both are there.

    Raises:
        ValueError: an index cannot be used; the text says why.
    """
    return tuple(sorted({*mistral_weights(contents), *hub_weights(contents)}))


def loaded_weights(contents: Contents) -> tuple[str, ...]:
    """The files whose weights vLLM loads: Mistral's format takes precedence.

    Raises:
        ValueError: an index cannot be used; the text says why.
    """
    return mistral_weights(contents) or hub_weights(contents)


def mistral_weights(contents: Contents) -> tuple[str, ...]:
    """Files of weights in Mistral's own format; none where there are none.

    Raises:
        ValueError: its index cannot be used; the text says why.
    """
    found = contents.matching("consolidated*.safetensors")
    return _indexed(contents, MISTRAL_INDEX) or found if found else ()


def hub_weights(contents: Contents) -> tuple[str, ...]:
    """Files of weights in the format of the Hugging Face hub: those the index names, else all.

    Raises:
        ValueError: the index cannot be used; the text says why.
    """
    indexed = _indexed(contents, WEIGHTS_INDEX)
    if indexed:
        return indexed
    found = contents.matching("*.safetensors")
    return tuple(name for name in found if not name.startswith("consolidated"))


def defining_names(contents: Contents) -> tuple[str, ...]:
    """The files that make the checkpoint what it is: weights, config, tokenizer, its own code.

    Raises:
        ValueError: an index cannot be used; the text says why.
    """
    patterns = [*_CONFIGURATION, *TOKENIZERS]
    in_mistral_format = bool(mistral_weights(contents))
    if in_mistral_format:
        patterns += [MISTRAL_CONFIG, MISTRAL_INDEX]
    if in_mistral_format or not contents.matching(*TOKENIZERS):
        patterns += RARE_TOKENIZERS
    weights = set(weight_names(contents))
    return tuple(name for name in contents.names() if name in weights or _fits(name, patterns))


def has_chat_template(folder: Path) -> bool:
    """Whether a folder holds a chat template, in a file of its own or with the tokenizer."""
    try:
        contents = read_contents(folder)
    except OSError:
        return False
    if contents.matching("chat_template.jinja", "chat_template.json"):
        return True
    try:
        return bool(json_object(contents, "tokenizer_config.json").get("chat_template"))
    except ValueError:
        return False


def json_object(contents: Contents, name: str) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ValueError: it is not there, cannot be read or is something else; the text names the file.
    """
    state = contents.state(name)
    if state is None or state.size > MAX_JSON_BYTES:
        message = f"{name} cannot be read"
        raise ValueError(message)
    try:
        value = json.loads(read_whole(state.path, most_bytes=MAX_JSON_BYTES))
    except (OSError, ValueError, RecursionError) as exc:
        message = f"{name} is not complete JSON"
        raise ValueError(message) from exc
    if not isinstance(value, dict):
        message = f"{name} is not a JSON object"
        raise ValueError(message)  # noqa: TRY004  # One kind of error for the reader: a bad file.
    return value


def _indexed(contents: Contents, index: str) -> tuple[str, ...]:
    if index not in contents.names():
        return ()
    weight_map = json_object(contents, index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        message = f"{index} names no weights"
        raise ValueError(message)
    return tuple(sorted({printable(str(name)) for name in weight_map.values()}))


def _concerns_us(name: str) -> bool:
    patterns = (*_CONFIGURATION, *TOKENIZERS, *RARE_TOKENIZERS, *_CARDS, *_ELSE)
    return _fits(name, patterns) or is_unfinished_name(name) or is_pickle_name(name)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
