"""The lab's checkpoints, and generations beyond the committed ones, made when they are asked for."""

from __future__ import annotations

from pathlib import Path

COMMITTED = Path(__file__).resolve().parents[1] / "lab" / "checkpoints"
LAST_COMMITTED = 3


def checkpoint_folder(name: str, scratch: Path) -> Path:
    """Where a checkpoint lies, committed or made here."""
    committed = COMMITTED / name
    return committed if committed.is_dir() else scratch / "checkpoints" / name


def make_generations(last: int, scratch: Path) -> None:
    """Train what is missing of the generations up to ``last``, each on its parent's own samples.

    A generation takes one to two minutes of a core; the same recipe and seeds as the committed ones.
    """
    folder = scratch / "checkpoints"
    missing = [
        n
        for n in range(LAST_COMMITTED + 1, last + 1)
        if not (folder / f"gen{n}" / "tailwatch.yaml").is_file()
    ]
    if not missing:
        return
    import torch  # noqa: PLC0415 - an extra, and seconds to import

    from benchmarks.lab.generations import Lab  # noqa: PLC0415 - likewise

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("gen0", f"gen{LAST_COMMITTED}"):
        link = folder / name
        if not link.exists():
            link.symlink_to(COMMITTED / name, target_is_directory=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    lab = Lab(folder)
    for number in missing:
        lab.make_generation(number)
