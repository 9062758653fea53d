"""A checkpoint from a folder, for whoever names one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path

from monitor.discovery.card import CardError, read_card, read_model_card
from monitor.domain.checkpoint import Checkpoint, Lineage
from monitor.domain.errors import CheckpointReplaced, InvalidCheckpoint
from monitor.domain.printable import escape_name, printable
from monitor.weights.contents import CARD, MODEL_CARD, Contents, read_contents
from monitor.weights.digests import FileHashes
from monitor.weights.problems import read_complete


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A checkpoint, and what is wrong with its card."""

    checkpoint: Checkpoint
    card_problem: str
    """One sentence; empty when the card is in order or absent."""


class ChangedMeanwhile(Exception):  # Not an error: the folder is not settled yet.
    """A file changed while it was being hashed."""


def load_checkpoint(path: str | Path, *, hashes: FileHashes | None = None) -> Checkpoint:
    """The checkpoint in a folder.

    Raises:
        InvalidCheckpoint: missing, empty, half-written, being written, or not in a servable format.
    """
    folder = Path(path)
    shown = printable(str(folder))
    contents = read_complete(folder)
    try:
        return describe(folder, contents, folder.absolute().name, hashes or FileHashes()).checkpoint
    except (ChangedMeanwhile, FileNotFoundError) as exc:
        raise InvalidCheckpoint(
            f"{shown} changed while it was being read.", next_step="Wait until it is written, then retry."
        ) from exc
    except OSError as exc:
        raise InvalidCheckpoint(
            f"The weights in {shown} cannot be read: {exc.strerror}.", next_step="Check its permissions."
        ) from exc


def confirm(checkpoint: Checkpoint, hashes: FileHashes) -> None:
    """Check that a checkpoint's folder still holds the files that it is known by.

    Args:
        checkpoint: as it was discovered.
        hashes: those it was discovered with: files that nobody touched since are not read again.

    Raises:
        CheckpointReplaced: other files are there, or none, or they are being written.
    """
    try:
        found = load_checkpoint(checkpoint.path, hashes=hashes)
    except InvalidCheckpoint as exc:
        raise _replaced(checkpoint, exc.message) from exc
    if found.digest != checkpoint.digest:
        raise _replaced(checkpoint, f"It holds {found.short_digest} now.")


def _replaced(checkpoint: Checkpoint, what: str) -> CheckpointReplaced:
    return CheckpointReplaced(
        f"{checkpoint.location} no longer holds {checkpoint.name} ({checkpoint.short_digest}). {what}",
        next_step="Give each checkpoint a folder of its own; to judge this one, put its files back.",
    )


def describe(
    folder: Path, contents: Contents, name: str, hashes: FileHashes, *, until: float = inf
) -> Described:
    """The checkpoint that complete contents make.

    Args:
        folder: where they were read.
        contents: what the folder holds.
        name: the folder's name, or that of an alias.
        hashes: remembered file hashes.
        until: time of the hashes' clock at which to give up.

    Raises:
        HashingInterrupted: the time is up, or hashing was stopped.
        ChangedMeanwhile: a file changed during the reading.
        OSError: a file vanished or cannot be read.
    """
    try:
        digest = hashes.digest(contents, until=until)
    except ValueError as exc:  # The index was in order when the contents were checked.
        raise ChangedMeanwhile from exc
    lineage, card_problem = _lineage(folder, contents, hashes)
    if read_contents(folder) != contents:
        raise ChangedMeanwhile
    checkpoint = Checkpoint(
        digest=digest,
        name=escape_name(name),
        location=escape_name(str(folder.resolve())),
        lineage=lineage,
    )
    return Described(checkpoint=checkpoint, card_problem=card_problem)


def _lineage(folder: Path, contents: Contents, hashes: FileHashes) -> tuple[Lineage | None, str]:
    """What the cards state, and what is wrong with them: where both speak, tailwatch.yaml is believed."""
    own, problem = _believed(CARD, folder, contents, hashes)
    model_card, doubt = _believed(MODEL_CARD, folder, contents, hashes)
    if own is None:
        return model_card, problem or doubt
    if model_card is not None and model_card != own:
        doubt = f"{MODEL_CARD} states another lineage than {CARD}, which is believed. Mend one of them."
    return own, problem or doubt


def _believed(name: str, folder: Path, contents: Contents, hashes: FileHashes) -> tuple[Lineage | None, str]:
    """What one card states; None, and why, when it cannot be believed or there is none."""
    if contents.state(name) is None:
        return None, ""
    try:
        card = read_card(folder / name) if name == CARD else read_model_card(folder / name)
    except CardError as exc:
        return None, f"Its card was ignored: {exc}. Mend the card."
    if card is None:
        return None, ""
    for file, stated in card.sha256.items():
        state = contents.state(file)
        if state is None or hashes.file_hash(state) != stated.lower():
            problem = (
                f"Its card was ignored: it describes another {file}. Restore the file, or mend the card."
            )
            return None, problem
    return card.lineage, ""
