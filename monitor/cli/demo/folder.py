"""The folder of a demo: a deployment that the demo made, and may remove again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from monitor.atomic_files import whole_folder, write_file
from monitor.config import FILE_NAME, Options, load_options
from monitor.domain.errors import InvalidInput

MARKER = ".tailwatch-demo"
"""Only the demo writes this file, and only folders that hold it are removed."""

MARKER_TEXT = "Made by `tailwatch demo`, which removes this folder when it is run again.\n"

SETTLE_S = 0.2


def claim(folder: Path) -> None:
    """Make the folder the demo's own, empty but for the marker.

    Raises:
        InvalidInput: it holds something that is not an earlier demo, or cannot be written.
    """
    with _explained(folder):
        _refuse_foreign(folder)
        if not (folder / MARKER).exists():
            with whole_folder(folder) as draft:
                write_file(draft / MARKER, MARKER_TEXT)
        # The marker stays: a removal that is cut off leaves a folder that may be removed.
        for each in folder.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            elif each.name != MARKER:
                each.unlink()


def lay_out(folder: Path, *, backend: str, port: int) -> Options:
    """Make an empty deployment in a claimed folder: configuration, watched folder, no store.

    Args:
        folder: where.
        backend: the sandbox that later commands shall use.
        port: where they shall serve metrics.

    Raises:
        InvalidInput: it cannot be written.
    """
    config = folder / FILE_NAME
    with _explained(folder):
        (folder / "checkpoints").mkdir()
        write_file(config, yaml.safe_dump(_configuration(backend, port), sort_keys=False))
    return load_options(config)


def _refuse_foreign(folder: Path) -> None:
    """See that nothing but an earlier demo would be lost if the folder were removed."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        problem = f"{folder} is not a folder."
    elif folder.exists() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        problem = f"{folder} holds something else than an earlier demo (it has no {MARKER})."
    else:
        return
    raise InvalidInput(problem, next_step="Name a new or empty folder with --folder.")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise InvalidInput(
            f"The demo cannot use {folder}: {exc.strerror or exc}.",
            next_step="Name a folder that you may write with --folder.",
        ) from exc


def _configuration(backend: str, port: int) -> dict[str, object]:
    return {
        "model": "lab",
        "checkpoints": {"source": "folder", "path": "checkpoints", "settle_s": SETTLE_S},
        "engine": {
            "kind": "managed",
            "args": ["--max-model-len", "256", "--dtype", "float32", "--enforce-eager"],
            "concurrency": 160,
        },
        "suite": "lab",
        "sampling": {"samples_per_task": 16, "temperature": 1.0, "max_tokens": 128},
        "policy": {"margin": {"tail": 0.10, "torso": 0.10, "head": 0.05}},
        # A page about the columns takes longer than comparing them; the last screen says how to ask for one.
        "drift": {"report": False},
        "sandbox": {"backend": "docker" if backend == "docker" else "namespace"},
        "store": "sqlite:///tailwatch.db",
        "serve": {"port": port},
    }
