"""What keeps a folder from being a checkpoint that can be served, and the way out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from monitor.domain.errors import InvalidCheckpoint
from monitor.domain.printable import printable
from monitor.weights.contents import (
    ADAPTER_CONFIG,
    CONFIG,
    MISTRAL_CONFIG,
    MISTRAL_INDEX,
    RARE_TOKENIZERS,
    TOKENIZERS,
    WEIGHTS_INDEX,
    Contents,
    hub_weights,
    is_adapter_name,
    is_pickle_name,
    is_unfinished_name,
    json_object,
    mistral_weights,
    read_contents,
)
from monitor.weights.files import read_start
from monitor.weights.kinds import Problem, holds_checkpoints, what_else
from monitor.weights.safetensors import LFS_POINTER, DamagedWeights, read_tensors

_SHARD = re.compile(r"^(?P<prefix>.+)-(?P<number>\d+)-of-(?P<total>\d+)\.safetensors$")
_MODEL_FILE = re.compile(r"^model(-\d+-of-\d+)?\.safetensors$")
_BEGINNINGS = (CONFIG, ADAPTER_CONFIG, "tokenizer.json", "tokenizer.model", "*.safetensors", "*.gguf")
_WHOLE_TOKENIZERS = frozenset(
    {
        "tokenizer.json",
        "tokenizer.model",
        "spiece.model",
        "sentencepiece.bpe.model",
        "sentencepiece.model",
        "vocab.txt",
    }
)
"""Each of them is a tokenizer by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _WeightSet:
    """Files of weights that are loaded together, and the index that names them."""

    names: tuple[str, ...]
    index: str


def read_complete(folder: Path) -> Contents:
    """The contents of a folder that holds a complete checkpoint.

    Raises:
        InvalidCheckpoint: it does not; the message names the folder and the file.
    """
    try:
        contents = read_contents(folder)
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise InvalidCheckpoint(
            f"There is no checkpoint folder {_shown(folder)}.",
            next_step="Check the path; it must be a folder.",
        ) from exc
    except OSError as exc:
        raise InvalidCheckpoint(
            f"The folder {_shown(folder)} cannot be read: {exc.strerror}.", next_step="Check its permissions."
        ) from exc
    problem = problem_of(folder, contents)
    if problem is not None:
        raise InvalidCheckpoint(
            f"{_shown(folder)} is not a usable checkpoint: {problem.what}.", next_step=problem.next_step
        )
    return contents


def problem_of(folder: Path, contents: Contents) -> Problem | None:
    """Why a folder is not a complete checkpoint; None when it is one."""
    unfinished = [name for name in contents.names() if is_unfinished_name(name)]
    if unfinished:
        what = f"{printable(unfinished[0])} is left from an unfinished copy"
        return Problem(what=what, next_step="Finish the copy, or delete the file.")
    if contents.unreadable:
        name, what = contents.unreadable[0]
        return Problem(what=f"{printable(name)} {what}", next_step="Put the file itself in its place.")
    return (
        what_else(folder, contents)
        or _config_problem(contents)
        or _weights_problem(contents)
        or _tokenizer_problem(contents)
    )


def is_meant_as_checkpoint(folder: Path, contents: Contents) -> bool:
    """Whether somebody meant this folder to be one, or to hold them: there are beginnings, or nothing yet."""
    if not contents.files and not contents.unreadable:
        return not contents.holds_others or holds_checkpoints(folder, contents)
    return _has_beginnings(contents) or holds_checkpoints(folder, contents)


def holds_a_model(contents: Contents) -> bool:
    """Whether a folder that others lie in is meant as a checkpoint itself, complete or not."""
    return bool(contents.matching(CONFIG, ADAPTER_CONFIG, "*.safetensors", "*.gguf"))


def _has_beginnings(contents: Contents) -> bool:
    return bool(contents.matching(*_BEGINNINGS)) or any(
        is_unfinished_name(name) or is_pickle_name(name) for name in contents.names()
    )


def _config_problem(contents: Contents) -> Problem | None:
    if contents.state(CONFIG) is None:
        if contents.state(MISTRAL_CONFIG) is not None:
            what = f"{CONFIG} is missing; {MISTRAL_CONFIG} is Mistral's own format"
            return Problem(what=what, next_step=f"Download {CONFIG} of the same release too.")
        return Problem(
            what=f"{CONFIG} is missing", next_step="Copy it there, or save the model with save_pretrained()."
        )
    try:
        architectures = json_object(contents, CONFIG).get("architectures")
    except ValueError as exc:
        return Problem(what=str(exc), next_step="Copy it again.")
    if not (isinstance(architectures, list) and architectures and isinstance(architectures[0], str)):
        return Problem(
            what=f"{CONFIG} names no architecture",
            next_step="Save the model with save_pretrained(), or fill in its `architectures`.",
        )
    return None


def _weights_problem(contents: Contents) -> Problem | None:
    try:
        sets = (
            _WeightSet(names=mistral_weights(contents), index=MISTRAL_INDEX),
            _WeightSet(names=hub_weights(contents), index=WEIGHTS_INDEX),
        )
    except ValueError as exc:
        return Problem(what=str(exc), next_step="Copy it again.")
    return (
        next((found for each in sets if (found := _missing_file(contents, each))), None)
        or _two_saves(contents, sets[1].names)
        or _adapter_beside(contents, sets[1].names)
        or next((found for each in sets if (found := _set_problem(contents, each))), None)
    )


def _missing_file(contents: Contents, weights: _WeightSet) -> Problem | None:
    for name in weights.names:
        if contents.state(name) is None:
            return Problem(
                what=f"{name} is missing, though {weights.index} names it",
                next_step="Copy it there, or delete the index where other weights are meant.",
            )
    return None


def _two_saves(contents: Contents, names: tuple[str, ...]) -> Problem | None:
    """Two sets of weights in one folder: which of them is meant cannot be known, and loaders differ."""
    if WEIGHTS_INDEX in contents.names():
        beside = [name for name in contents.names() if _MODEL_FILE.match(name) and name not in names]
        if beside:
            what = f"{beside[0]} lies beside {WEIGHTS_INDEX}, which does not name it: one is of another save"
            return Problem(what=what, next_step="Delete the index and its shards, or that file.")
        return None
    totals = Counter(
        (found["prefix"], int(found["total"])) for name in names if (found := _SHARD.match(name))
    )
    first = next((name for name in names if _SHARD.match(name)), "")
    other = "model.safetensors" if "model.safetensors" in names else ""
    if len(totals) > 1:
        (_, one), (_, two) = sorted(totals)[:2]
        what = f"Shards of two saves lie in it, some of {one} and some of {two}"
        return Problem(what=what, next_step="Delete those of the earlier save.")
    if totals and other:
        what = f"{other} and {first} are of two saves"
        return Problem(what=what, next_step="Delete what is of the earlier one.")
    return None


def _adapter_beside(contents: Contents, names: tuple[str, ...]) -> Problem | None:
    adapters = [name for name in names if is_adapter_name(name)]
    if not adapters or mistral_weights(contents):
        return None
    return Problem(
        what=f"{adapters[0]} lies beside the model's weights, and vLLM would load it as one of them",
        next_step=f"Move it and {ADAPTER_CONFIG} out; merge it first where it is not merged yet.",
    )


def _set_problem(contents: Contents, weights: _WeightSet) -> Problem | None:
    holders: dict[str, str] = {}
    for name in weights.names:
        state = contents.state(name)
        assert state is not None
        try:
            tensors = read_tensors(state.path, state.size)
        except DamagedWeights as exc:
            return Problem(what=f"{printable(name)} {exc.what}", next_step=exc.next_step)
        twice = next((tensor for tensor in tensors if tensor in holders), None)
        if twice is not None and weights.index not in contents.names():
            what = f"{printable(name)} and {printable(holders[twice])} both hold {printable(twice)}"
            return Problem(what=what, next_step="Delete the file of weights that is not meant.")
        holders.update(dict.fromkeys(tensors, name))
    missing = _missing_shard(weights.names)
    if missing:
        return Problem(what=f"{missing} is missing, a shard of the weights", next_step="Copy it there.")
    return None


def _missing_shard(names: tuple[str, ...]) -> str:
    """The name of the first shard that the others' names promise and that is not among them."""
    for name in names:
        if found := _SHARD.match(name):
            width = len(found["number"])
            for number in range(1, int(found["total"]) + 1):
                shard = f"{found['prefix']}-{number:0{width}}-of-{found['total']}.safetensors"
                if shard not in names:
                    return shard
    return ""


def _tokenizer_problem(contents: Contents) -> Problem | None:
    for name in contents.matching(*TOKENIZERS):
        state = contents.state(name)
        if state is not None and (wrong := _unreadable_tokenizer(state.path)):
            return Problem(what=f"{printable(name)} {wrong}", next_step="Copy it again.")
    names = set(contents.names())
    if names & _WHOLE_TOKENIZERS or {"vocab.json", "merges.txt"} <= names:
        return None
    # Mistral's are read in its format or with `--tokenizer-mode mistral`; own code reads what it likes.
    if contents.matching("tekken.json", "tokenizer.model.v*", "tokenization*.py"):
        return None
    if "vocab.json" in names:
        what = "The tokenizer is incomplete: vocab.json is there without merges.txt"
    elif loose := contents.matching(*TOKENIZERS, *RARE_TOKENIZERS):
        what = f"The tokenizer is incomplete: nothing here says how {printable(loose[0])} is read"
    else:
        what = "The tokenizer is missing"
    return Problem(what=what, next_step="Copy tokenizer.json there, or use tokenizer.save_pretrained().")


def _unreadable_tokenizer(path: Path) -> str:
    try:
        start = read_start(path, len(LFS_POINTER))
    except OSError as exc:
        return f"cannot be read: {exc.strerror}"
    if not start:
        return "is empty"
    return "is a Git LFS pointer, not the tokenizer" if start == LFS_POINTER else ""


def _shown(folder: Path) -> str:
    return printable(str(folder))
