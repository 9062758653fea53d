"""Which checkpoints one server can serve after another, told from their folders."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.domain.errors import InvalidCheckpoint
from monitor.domain.identity import content_digest
from monitor.domain.printable import printable
from monitor.weights.contents import (
    CONFIG,
    MISTRAL_INDEX,
    WEIGHTS_INDEX,
    Contents,
    defining_names,
    json_object,
    loaded_weights,
    weight_names,
)
from monitor.weights.digests import FileHashes
from monitor.weights.problems import read_complete
from monitor.weights.safetensors import read_tensors

_OUTPUT_WEIGHTS = "lm_head.weight"
_GENERATION = "generation_config.json"
_INDEXES = (WEIGHTS_INDEX, MISTRAL_INDEX)
_VOLATILE = ("transformers_version", "_name_or_path")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFiles:
    """A complete checkpoint folder, as far as can be seen without loading it."""

    folder: Path
    weights: tuple[str, ...]
    """Names of the files that vLLM loads the weights from."""
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
    folder = folder.resolve()
    contents = read_complete(folder)
    try:
        config, shapes = json_object(contents, CONFIG), dict(_tensors(contents))
        return CheckpointFiles(
            folder=folder,
            weights=loaded_weights(contents),
            architecture=str(config["architectures"][0]),
            configuration=_configuration(contents, config, shapes),
            tied=config.get("tie_word_embeddings") is not False or _OUTPUT_WEIGHTS not in shapes,
            quantised="quantization_config" in config or "compression_config" in config,
        )
    except (OSError, ValueError) as exc:  # They were in order just now.
        raise InvalidCheckpoint(
            f"{printable(str(folder))} changed while it was being read: {exc}.",
            next_step="Wait until it is written, then retry.",
        ) from exc


def _tensors(contents: Contents) -> Iterator[tuple[str, str]]:
    """Name, and type with shape, of every tensor of every file of weights that is loaded."""
    for name in loaded_weights(contents):
        state = contents.state(name)
        if state is not None:
            yield from read_tensors(state.path, state.size).items()


def _configuration(contents: Contents, config: Mapping[str, Any], shapes: Mapping[str, str]) -> str:
    lasting = {key: value for key, value in config.items() if key not in _VOLATILE}
    beside = set(defining_names(contents)) - set(weight_names(contents)) - {CONFIG, _GENERATION, *_INDEXES}
    hashes = FileHashes()
    states = [(name, state) for name, state in contents.files if name in beside]
    files = [f"{name}:{hashes.file_hash(state)}" for name, state in states]
    tensors = [f"{name}:{shape}" for name, shape in sorted(shapes.items())]
    generation = _generation(contents)
    return content_digest(json.dumps(lasting, sort_keys=True), generation, *files, "tensors", *tensors)


def _generation(contents: Contents) -> str:
    """End tokens and the like, without the version that wrote them."""
    if contents.state(_GENERATION) is None:
        return ""
    content = json_object(contents, _GENERATION)
    return json.dumps({k: v for k, v in content.items() if k not in _VOLATILE}, sort_keys=True)
