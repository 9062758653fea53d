"""What a checkpoint's folder holds, read before any server is touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.domain.errors import InvalidCheckpoint
from monitor.domain.identity import content_digest

CONFIG = "config.json"
_INDEX = "model.safetensors.index.json"
_OUTPUT_WEIGHTS = "lm_head.weight"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json", "spiece.model")
_BESIDE_WEIGHTS = (
    *_TOKENIZERS,
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
)
_VOLATILE = ("transformers_version", "_name_or_path")
_MAX_HEADER_BYTES = 100 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFiles:
    """A complete checkpoint folder, as far as can be seen without loading it."""

    folder: Path
    architecture: str
    """What config.json names first under ``architectures``."""
    configuration: str
    """Digest of all that a swap of weights does not change: configuration, tokenizer, tensor shapes."""
    tied: bool
    """Whether input and output embeddings share, or may share, their weights."""
    quantised: bool
    """Whether config.json asks for quantised kernels."""

    def swappable_with(self, other: CheckpointFiles) -> bool:
        """Whether a server of one may load the other's weights in place.

        With tied embeddings vLLM keeps the old output weights without an error, and quantised
        kernels repack what they load: both are started afresh.
        """
        return (
            self.configuration == other.configuration
            and not (self.tied or other.tied)
            and not (self.quantised or other.quantised)
        )


def read_checkpoint(folder: Path) -> CheckpointFiles:
    """Look at a checkpoint's folder.

    Raises:
        InvalidCheckpoint: it is missing or incomplete; the message names the file.
    """
    if not folder.is_dir():
        raise _invalid(folder, "there is no such folder", "Check the path, or wait until it is copied.")
    folder = folder.resolve()
    config = _config(folder)
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise _invalid(folder, "it has no tokenizer", "Save the tokenizer beside the weights.")
    shapes = dict(_tensors(folder))
    return CheckpointFiles(
        folder=folder,
        architecture=str(config["architectures"][0]),
        configuration=_configuration(folder, config, shapes),
        tied=config.get("tie_word_embeddings") is not False or _OUTPUT_WEIGHTS not in shapes,
        quantised="quantization_config" in config or "compression_config" in config,
    )


def _config(folder: Path) -> dict[str, Any]:
    config = _json(folder, CONFIG)
    architectures = config.get("architectures")
    if not (isinstance(architectures, list) and architectures):
        raise _invalid(
            folder, f"{CONFIG} names no architecture", "Save it with transformers' save_pretrained."
        )
    return config


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads((folder / name).read_bytes())
    except FileNotFoundError as exc:
        raise _invalid(
            folder, f"it has no {name}", "Copy the whole checkpoint, not the weights alone."
        ) from exc
    except (OSError, ValueError) as exc:
        raise _invalid(folder, f"{name} cannot be read: {exc}", "Copy that file again.") from exc
    if not isinstance(content, dict):
        raise _invalid(folder, f"{name} is not a JSON object", "Copy that file again.")
    return content


def _tensors(folder: Path) -> Iterator[tuple[str, str]]:
    """Name, and type with shape, of every tensor of every weight file."""
    for path in _weight_files(folder):
        for name, entry in _header(folder, path).items():
            if name != "__metadata__":
                yield name, f"{entry['dtype']}{entry['shape']}"


def _weight_files(folder: Path) -> list[Path]:
    if (folder / _INDEX).is_file():
        names = sorted(set(_json(folder, _INDEX).get("weight_map", {}).values()))
        paths = [folder / name for name in names]
        for path in paths:
            if not path.is_file():
                raise _invalid(
                    folder, f"its index names {path.name}, which is missing", "Copy that file too."
                )
    else:
        paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise _invalid(
            folder, "it has no *.safetensors file", "Save the weights with safe_serialization=True."
        )
    return paths


def _header(folder: Path, path: Path) -> Mapping[str, Any]:
    """The header of a safetensors file whose promise of bytes the file keeps."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _MAX_HEADER_BYTES):
                raise _half_written(folder, path, "its header is cut off")
            header = json.loads(file.read(length))
            promised = max(
                (e["data_offsets"][1] for n, e in header.items() if n != "__metadata__"), default=0
            )
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as exc:
        raise _half_written(folder, path, "its header is not one of safetensors") from exc
    if promised == 0:
        raise _half_written(folder, path, "it holds no tensors")
    if size != 8 + length + promised:
        raise _half_written(folder, path, f"its header promises {8 + length + promised} bytes, it has {size}")
    return dict(header)


def _configuration(folder: Path, config: Mapping[str, Any], shapes: Mapping[str, str]) -> str:
    lasting = {key: value for key, value in config.items() if key not in _VOLATILE}
    files = [
        f"{name}:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}"
        for name in _BESIDE_WEIGHTS
        if (folder / name).is_file()
    ]
    tensors = [f"{name}:{shape}" for name, shape in sorted(shapes.items())]
    generation = _generation(folder)
    return content_digest(json.dumps(lasting, sort_keys=True), generation, *files, "tensors", *tensors)


def _generation(folder: Path) -> str:
    """End tokens and the like, without the version that wrote them."""
    if not (folder / "generation_config.json").is_file():
        return ""
    content = _json(folder, "generation_config.json")
    return json.dumps({k: v for k, v in content.items() if k not in _VOLATILE}, sort_keys=True)


def _half_written(folder: Path, path: Path, problem: str) -> InvalidCheckpoint:
    return _invalid(
        folder,
        f"{path.name} is damaged or half written: {problem}",
        "Wait until it is written, or copy it again.",
    )


def _invalid(folder: Path, problem: str, next_step: str) -> InvalidCheckpoint:
    return InvalidCheckpoint(f"The checkpoint {folder} cannot be served: {problem}.", next_step=next_step)
