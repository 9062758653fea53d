"""Folders as trainers, hubs, converters and broken copies leave them, and what is said of each."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.unit.discovery.checkpoint_files import safetensors, write_checkpoint, write_sharded_checkpoint

Make = Callable[[Path], object]

INDEX = "model.safetensors.index.json"
ADAPTER = {"peft_type": "LORA", "base_model_name_or_path": "acme/base", "r": 8}


def _tensor_file(*names: str) -> bytes:
    """A file of weights with one tensor of one byte under each name."""
    header = {
        name: {"dtype": "U8", "shape": [1], "data_offsets": [at, at + 1]} for at, name in enumerate(names)
    }
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + bytes(len(names))


def _without(folder: Path, *names: str) -> Path:
    write_checkpoint(folder)
    for name in names:
        (folder / name).unlink()
    return folder


def _with(folder: Path, **files: bytes | str) -> Path:
    write_checkpoint(folder)
    return _add(folder, {name.replace("__", "."): content for name, content in files.items()})


def _add(folder: Path, files: dict[str, bytes | str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def _weights(folder: Path, files: dict[str, bytes | str]) -> Path:
    """A checkpoint whose weights are these files."""
    return _add(_without(folder, "model.safetensors"), files)


def _tokenizer(folder: Path, files: dict[str, bytes | str]) -> Path:
    """A checkpoint whose tokenizer is these files."""
    return _add(_without(folder, "tokenizer.json"), files)


def _index(*names: str) -> str:
    return json.dumps({"weight_map": {f"layer.{number}": name for number, name in enumerate(names)}})


def _shard(number: int, total: int) -> str:
    return f"model-{number:05}-of-{total:05}.safetensors"


def _shards(total: int, *numbers: int) -> dict[str, bytes | str]:
    return {_shard(number, total): _tensor_file(f"layer.{number}") for number in numbers}


def _trainer(folder: Path) -> None:
    write_checkpoint(folder)
    names = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "trainer_state.json")
    _add(folder, dict.fromkeys(names, b"x" * 100) | {"zero_to_fp32.py": "print(1)", "latest": "global_step5"})
    (folder / "global_step5").mkdir()


def _cache_entry(folder: Path) -> None:
    snapshot = folder / "snapshots" / "0123abcd"
    write_checkpoint(folder / "files")
    (folder / "files").rename(folder / "blobs")
    snapshot.mkdir(parents=True)
    for blob in (folder / "blobs").iterdir():
        (snapshot / blob.name).symlink_to(f"../../blobs/{blob.name}")
    _add(folder / "refs", {"main": "0123abcd"})


def _cache(folder: Path) -> None:
    _cache_entry(folder / "models--acme--coder")


def _cached_snapshot(folder: Path) -> None:
    blobs = write_checkpoint(folder.parent / f".{folder.name}-blobs")
    folder.mkdir()
    for blob in blobs.iterdir():
        (folder / blob.name).symlink_to(blob)


def _run(folder: Path) -> None:
    for step in (100, 200):
        write_checkpoint(folder / f"checkpoint-{step}", b"run")
    (folder / "runs").mkdir()


def _adapter_run(folder: Path) -> None:
    _add(folder / "checkpoint-100", {"adapter_config.json": json.dumps(ADAPTER)})


def _fsdp(folder: Path) -> None:
    _add(_without(folder, "model.safetensors") / "pytorch_model_fsdp_0", {"__0_0.distcp": b"x"})


def _socket(folder: Path) -> None:
    write_checkpoint(folder)
    before = Path.cwd()
    os.chdir(folder)  # The name of a socket may have 107 bytes, less than the path of a test's folder.
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("merges.txt")
    finally:
        os.chdir(before)


def _sparse(folder: Path) -> None:
    write_checkpoint(folder)
    os.truncate(folder / "config.json", 200 * 2**30)


def _pipe(name: str) -> Make:
    def make(folder: Path) -> None:
        write_checkpoint(folder)
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return make


def _linked(name: str, target: str) -> Make:
    def make(folder: Path) -> None:
        write_checkpoint(folder)
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return make


def _renamed(old: str, new: str) -> Make:
    return lambda folder: (write_checkpoint(folder) / old).rename(folder / new)


USABLE: dict[str, Make] = {
    "one file of weights": write_checkpoint,
    "shards with an index": write_sharded_checkpoint,
    "a trainer's folder": _trainer,
    "a snapshot of links": _cached_snapshot,
    "shards without an index": lambda folder: _weights(folder, _shards(2, 1, 2)),
    "an adapter that the index leaves out": lambda folder: _add(
        write_sharded_checkpoint(folder),
        {"adapter_model.safetensors": safetensors(), "adapter_config.json": json.dumps(ADAPTER)},
    ),
    "Mistral's format beside the hub's": lambda folder: _add(
        write_sharded_checkpoint(folder),
        {"consolidated.safetensors": safetensors(), "params.json": "{}", "tokenizer.model.v7": "x"},
    ),
    "Mistral's weights with a config": _renamed("model.safetensors", "consolidated.safetensors"),
    "a pickle beside safetensors": lambda folder: _with(folder, pytorch_model__bin=b"x"),
    "a GGUF beside safetensors": lambda folder: _with(folder, q4__gguf=b"GGUF"),
    "sentencepiece": lambda folder: _tokenizer(folder, {"tokenizer.model": "x"}),
    "sentencepiece of T5": lambda folder: _tokenizer(folder, {"spiece.model": "x"}),
    "sentencepiece of XLM": lambda folder: _tokenizer(folder, {"sentencepiece.bpe.model": "x"}),
    "sentencepiece of RemBERT": lambda folder: _tokenizer(folder, {"sentencepiece.model": "x"}),
    "word pieces": lambda folder: _tokenizer(folder, {"vocab.txt": "x"}),
    "vocabulary and merges": lambda folder: _tokenizer(folder, {"vocab.json": "{}", "merges.txt": "a b"}),
    "tekken": lambda folder: _tokenizer(folder, {"tekken.json": "{}"}),
    "Mistral's sentencepiece": lambda folder: _tokenizer(folder, {"tokenizer.model.v3": "x"}),
    "tiktoken with its code": lambda folder: _tokenizer(
        folder, {"qwen.tiktoken": "IQ== 0", "tokenization_qwen.py": "pass"}
    ),
    "tiktoken.model with its code": lambda folder: _tokenizer(
        folder, {"tiktoken.model": "IQ== 0", "tokenization_kimi.py": "pass"}
    ),
    "a checkpoint above another": lambda folder: write_checkpoint(write_checkpoint(folder) / "checkpoint-10"),
    "a pipe that is no concern of ours": lambda folder: os.mkfifo(write_checkpoint(folder) / "progress.fifo"),
}

UNUSABLE: dict[str, tuple[Make, str, str]] = {
    "empty": (lambda folder: folder.mkdir(), "It is empty", "Copy config.json"),
    "an adapter alone": (
        lambda folder: _add(
            folder,
            {"adapter_config.json": json.dumps(ADAPTER), "adapter_model.safetensors": safetensors()},
        ),
        "It is an adapter of acme/base, not a whole model",
        "merge_and_unload()",
    ),
    "an adapter beside a config": (
        lambda folder: _weights(
            folder, {"adapter_config.json": json.dumps(ADAPTER), "adapter_model.safetensors": safetensors()}
        ),
        "It is an adapter of acme/base, not a whole model",
        "merge_and_unload()",
    ),
    "a pickled adapter": (
        lambda folder: _add(folder, {"adapter_config.json": "[]", "adapter_model.bin": b"x"}),
        "It is an adapter, not a whole model",
        "merge_and_unload()",
    ),
    "an adapter left beside the merged model": (
        lambda folder: _with(folder, adapter_model__safetensors=safetensors(), adapter_config__json="{}"),
        "adapter_model.safetensors lies beside the model's weights",
        "Move it and adapter_config.json out",
    ),
    "GGUF alone": (
        lambda folder: _add(folder, {"model-q4_k_m.gguf": b"GGUF"}),
        "Its weights are in GGUF (model-q4_k_m.gguf)",
        "as safetensors",
    ),
    "GGUF with a config": (
        lambda folder: _weights(folder, {"model-q4_k_m.gguf": b"GGUF"}),
        "Its weights are in GGUF",
        "as safetensors",
    ),
    "an entry of a cache": (
        _cache_entry,
        "It is an entry of a Hugging Face cache",
        "Name snapshots/0123abcd, or set `checkpoints.path`",
    ),
    "a cache": (_cache, "It is a Hugging Face cache", "set `checkpoints.path`"),
    "a run's folder": (
        _run,
        "It holds no checkpoint itself, but 2 folders below it that may be: checkpoint-200",
        "Name one of them",
    ),
    "a run of adapters": (_adapter_run, "It holds no checkpoint itself, but a folder below it", "Name one"),
    "a sharded training state": (
        _fsdp,
        "Its weights are the sharded state of a training (pytorch_model_fsdp_0)",
        "accelerate merge-weights",
    ),
    "pickles": (
        _renamed("model.safetensors", "pytorch_model.bin"),
        "pytorch_model.bin is a pickle",
        "safe_serialization=True",
    ),
    "a config alone": (
        lambda folder: _add(folder, {"config.json": "{}"}),
        "It holds no safetensors weights",
        "Copy them there",
    ),
    "a tokenizer alone": (
        lambda folder: _add(folder, {"tokenizer.json": "{}"}),
        "It holds neither config.json nor safetensors weights",
        "Copy config.json",
    ),
    "the first shard alone": (
        lambda folder: _weights(folder, _shards(2, 1)),
        f"{_shard(2, 2)} is missing",
        "Copy it there",
    ),
    "a shard that the index names is gone": (
        lambda folder: _weights(folder, {INDEX: _index(_shard(1, 2), _shard(2, 2)), **_shards(2, 1)}),
        f"{_shard(2, 2)} is missing, though {INDEX} names it",
        "Copy it there",
    ),
    "an index of some shards": (
        lambda folder: _weights(folder, {INDEX: _index(_shard(1, 2)), **_shards(2, 1)}),
        f"{_shard(2, 2)} is missing",
        "Copy it there",
    ),
    "new weights beside an old index": (
        lambda folder: _add(write_sharded_checkpoint(folder), {"model.safetensors": safetensors(b"new")}),
        f"model.safetensors lies beside {INDEX}, which does not name it",
        "Delete the index and its shards, or that file",
    ),
    "shards beside an index of others": (
        lambda folder: _add(write_sharded_checkpoint(folder), _shards(2, 1, 2)),
        f"{_shard(1, 2)} lies beside {INDEX}",
        "Delete the index",
    ),
    "shards of two saves": (
        lambda folder: _weights(folder, _shards(2, 1, 2) | _shards(3, 1, 2, 3)),
        "Shards of two saves lie in it, some of 2 and some of 3",
        "Delete those of the earlier save",
    ),
    "shards beside one file": (
        lambda folder: _add(write_checkpoint(folder), _shards(2, 1, 2)),
        f"model.safetensors and {_shard(1, 2)} are of two saves",
        "Delete what is of the earlier one",
    ),
    "a copy of the weights beside them": (
        lambda folder: _with(folder, backup__safetensors=safetensors()),
        "model.safetensors and backup.safetensors both hold tensor",
        "Delete the file of weights that is not meant",
    ),
    "an index that is no JSON": (lambda folder: _add(write_checkpoint(folder), {INDEX: "{"}), INDEX, "again"),
    "an index of nothing": (
        lambda folder: _add(write_checkpoint(folder), {INDEX: "{}"}),
        f"{INDEX} names no weights",
        "Copy it again",
    ),
    "a config without architectures": (
        lambda folder: _with(folder, config__json='{"model_type": "llama"}'),
        "config.json names no architecture",
        "fill in its `architectures`",
    ),
    "a config with architectures of another kind": (
        lambda folder: _with(folder, config__json='{"architectures": "Llama"}'),
        "config.json names no architecture",
        "fill in its `architectures`",
    ),
    "Mistral's config alone": (
        _renamed("config.json", "params.json"),
        "config.json is missing; params.json is Mistral's own format",
        "Download config.json",
    ),
    "no tokenizer": (
        lambda folder: _without(folder, "tokenizer.json"),
        "The tokenizer is missing",
        "tokenizer.save_pretrained()",
    ),
    "a vocabulary without merges": (
        lambda folder: _tokenizer(folder, {"vocab.json": "{}"}),
        "vocab.json is there without merges.txt",
        "tokenizer.save_pretrained()",
    ),
    "tiktoken without its code": (
        lambda folder: _tokenizer(folder, {"qwen.tiktoken": "IQ== 0"}),
        "nothing here says how qwen.tiktoken is read",
        "tokenizer.save_pretrained()",
    ),
    "an empty tokenizer": (
        lambda folder: _with(folder, tokenizer__json=b""),
        "tokenizer.json is empty",
        "Copy it again",
    ),
    "pointers of Git LFS": (
        lambda folder: _with(folder, model__safetensors="version https://git-lfs.github.com/spec/v1\noid x"),
        "model.safetensors is a Git LFS pointer",
        "git lfs pull",
    ),
    "a download of aws s3 cp": (
        _renamed("model.safetensors", "model.safetensors.6eF5Aa8B"),
        "model.safetensors.6eF5Aa8B is left from an unfinished copy",
        "Finish the copy",
    ),
    "a download of gsutil": (
        _renamed("model.safetensors", "model.safetensors_.gstmp"),
        "model.safetensors_.gstmp is left from an unfinished copy",
        "Finish the copy",
    ),
    "a pipe named like the config": (
        _pipe("config.json"),
        "config.json cannot be read: it is a named pipe, not a regular file",
        "Put the file itself in its place",
    ),
    "a pipe named like the weights": (_pipe("model.safetensors"), "it is a named pipe", "Put the file"),
    "a pipe named like an index": (_pipe(INDEX), "it is a named pipe", "Put the file"),
    "a pipe named like the card": (_pipe("tailwatch.yaml"), "it is a named pipe", "Put the file"),
    "a socket": (_socket, "merges.txt cannot be read: it is a socket", "Put the file"),
    "a device": (_linked("merges.txt", "/dev/zero"), "it is a device", "Put the file"),
    "a link to nothing": (_linked("config.json", "nowhere"), "is a link to nothing", "Put the file"),
    "a link to itself": (_linked("config.json", "config.json"), "is a link to nothing", "Put the file"),
    "a sparse file of 200 GB": (_sparse, "config.json cannot be read", "Copy it again"),
}
