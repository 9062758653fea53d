"""Checkpoints that arrive in a watched folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.discovery.checkpoints import ChangedMeanwhile, Described, describe
from monitor.discovery.contents import (
    CONFIG,
    Contents,
    is_folder,
    is_unfinished_name,
    looks_like_a_checkpoint,
    problem_of,
    read_contents,
)
from monitor.discovery.digests import FileHashes
from monitor.domain.errors import InvalidConfig
from monitor.ports import Arrivals, Unusable


@dataclass(slots=True, kw_only=True)
class _Sighting:
    """What was seen in a folder, since when, and what it turned out to be."""

    contents: Contents
    since: datetime
    found: Described | Unusable | None = None


class FolderSource:
    """Every sub-folder, and the folder itself, that holds a checkpoint.

    A checkpoint is settled when its files have not changed for ``settle_s`` seconds: either we saw
    them unchanged that long, or their own times say so, which spares a restart the wait.

    Args:
        path: the watched folder.
        settle_s: seconds without a change.
        hashes: remembered file hashes, to share them with other readers of the same folder.
    """

    def __init__(self, path: str | Path, *, settle_s: float, hashes: FileHashes | None = None) -> None:
        self._path = Path(path)
        self._settle_s = settle_s
        self._hashes = hashes or FileHashes()
        self._sightings: dict[Path, _Sighting] = {}

    def arrivals(self, now: datetime) -> Arrivals:
        """Everything the folder holds now. The first look at a checkpoint reads it whole.

        Raises:
            InvalidConfig: the folder does not exist or cannot be read.
        """
        sightings: dict[Path, _Sighting] = {}
        unsettled: list[str] = []
        found: list[tuple[float, Described | Unusable]] = []
        for folder, name in self._candidates():
            sighting = self._look(folder, name, now)
            if sighting is None:
                continue
            sightings[folder] = sighting
            if sighting.found is None:
                unsettled.append(name)
            else:
                found.append((sighting.contents.written_at_s, sighting.found))
        self._sightings = sightings
        found.sort(key=_by_age)
        return _arrivals([each for _, each in found], unsettled)

    def _candidates(self) -> Iterator[tuple[Path, str]]:
        """Real folders with the name to show, each once: an alias gives way to what it points to."""
        try:
            with os.scandir(self._path) as entries:
                folders = [entry for entry in entries if not entry.name.startswith(".") and is_folder(entry)]
                folders.sort(key=lambda entry: (entry.is_symlink(), entry.name))
            if (self._path / CONFIG).exists():
                yield self._path.resolve(), self._path.resolve().name
        except OSError as exc:
            raise InvalidConfig(
                f"The checkpoint folder {self._path} cannot be read: {exc.strerror}.",
                next_step="Create it, or mend `checkpoints.path` in the configuration.",
            ) from exc
        taken = {self._path.resolve()}
        for entry in folders:
            real = Path(entry.path).resolve()
            if real not in taken:
                taken.add(real)
                yield real, entry.name

    def _look(self, folder: Path, name: str, now: datetime) -> _Sighting | None:
        """What is in a folder; None when it is no checkpoint, or has just vanished."""
        try:
            contents = read_contents(folder)
            if not looks_like_a_checkpoint(contents):
                return None
            sighting = self._sightings.get(folder)
            if sighting is None or sighting.contents != contents:
                sighting = _Sighting(contents=contents, since=now)
            if sighting.found is None and self._is_quiet(folder, sighting, now):
                sighting.found = self._identify(folder, name, contents)
        except FileNotFoundError:
            return None
        except OSError as exc:
            nothing = Contents(files=(), holds_others=False)
            problem = f"It cannot be read: {exc.strerror}. Check its permissions."
            return _Sighting(contents=nothing, since=now, found=_unusable(folder, name, problem))
        return sighting

    def _is_quiet(self, folder: Path, sighting: _Sighting, now: datetime) -> bool:
        watched_s = (now - sighting.since).total_seconds()
        changed_at_s = sighting.contents.changed_at_s or folder.stat().st_mtime
        return max(watched_s, now.timestamp() - changed_at_s) >= self._settle_s

    def _identify(self, folder: Path, name: str, contents: Contents) -> Described | Unusable | None:
        if is_unfinished_name(name):
            problem = f"Its name is that of an unfinished copy. Rename {name} when it is complete."
            return _unusable(folder, name, problem)
        problem = problem_of(contents)
        if problem:
            return _unusable(folder, name, problem)
        try:
            return describe(folder, contents, name, self._hashes)
        except ChangedMeanwhile:
            return None


def _unusable(folder: Path, name: str, problem: str) -> Unusable:
    return Unusable(name=name, location=str(folder), problem=problem)


def _by_age(pair: tuple[float, Described | Unusable]) -> tuple[float, str]:
    written_at_s, found = pair
    return written_at_s, found.name if isinstance(found, Unusable) else found.checkpoint.name


def _arrivals(found: list[Described | Unusable], unsettled: list[str]) -> Arrivals:
    settled = {}
    unusable: list[Unusable] = []
    doubts: list[Unusable] = []
    for each in found:
        if isinstance(each, Unusable):
            unusable.append(each)
        elif each.checkpoint.digest not in settled:
            settled[each.checkpoint.digest] = each.checkpoint
            if each.card_problem:
                folder = Path(each.checkpoint.location)
                doubts.append(_unusable(folder, each.checkpoint.name, each.card_problem))
    return Arrivals(
        settled=tuple(settled.values()),
        unsettled=tuple(sorted(unsettled)),
        unusable=tuple(unusable),
        doubts=tuple(doubts),
    )
