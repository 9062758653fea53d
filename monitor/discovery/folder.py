"""Checkpoints that arrive in a watched folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from math import inf
from pathlib import Path

from monitor.discovery.checkpoints import ChangedMeanwhile, Described, describe
from monitor.domain.checkpoint import Arrivals, Unusable
from monitor.domain.errors import InvalidConfig
from monitor.domain.printable import escape_name, printable
from monitor.weights.contents import Contents, is_folder, is_unfinished_name, read_contents
from monitor.weights.digests import FileHashes, HashingInterrupted
from monitor.weights.problems import holds_a_model, is_meant_as_checkpoint, problem_of


class _State(Enum):
    CHANGING = "changing"
    """Changed less than the settling time ago."""
    QUIET = "quiet"
    """Stopped changing; what it is was not read yet."""
    KNOWN = "known"


@dataclass(slots=True, kw_only=True)
class _Sighting:
    """What was seen in a folder, since when, and what it turned out to be."""

    name: str
    """The folder's, or that of an alias, as the file system knows it."""
    contents: Contents
    since: datetime
    state: _State = _State.CHANGING
    found: Described | Unusable | None = None


class FolderSource:
    """Every sub-folder, and the folder itself, that holds a checkpoint.

    A checkpoint is settled when its files have not changed for ``settle_s`` seconds: either we saw
    them unchanged that long, or their own times say so, which spares a restart the wait.

    Args:
        path: the watched folder.
        settle_s: seconds without a change.
        hashes: remembered file hashes, to share them with other readers of the same folder.
        reading_s: how long one look may read files. The smallest checkpoints are read first, and what is
            not read by then is read on at the next look, so that a huge one holds up none of the others.
        clock: seconds that never step back; the one of ``hashes``.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        settle_s: float,
        hashes: FileHashes | None = None,
        reading_s: float = inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = Path(path)
        self._settle_s = settle_s
        self._hashes = hashes or FileHashes()
        self._reading_s = reading_s
        self._clock = clock
        self._sightings: dict[Path, _Sighting] = {}

    def arrivals(self, now: datetime) -> Arrivals:
        """Everything the folder holds now. The first look at a checkpoint reads it whole.

        Raises:
            InvalidConfig: the folder does not exist or cannot be read.
            HashingInterrupted: the hashes were stopped.
        """
        sightings: dict[Path, _Sighting] = {}
        for folder, name in self._candidates():
            sighting = self._look(folder, name, now)
            if sighting is not None:
                sightings[folder] = sighting
        self._sightings = sightings
        unread = self._identify_quiet()
        found = [(each.contents.written_at_s, each.found) for each in sightings.values() if each.found]
        unsettled = [escape_name(each.name) for each in sightings.values() if each.state is _State.CHANGING]
        found.sort(key=_by_age)
        return _arrivals([each for _, each in found], unsettled, unread)

    def _identify_quiet(self) -> list[str]:
        """Find out what has stopped changing, the smallest first; names of what there was no time to read."""
        until = self._clock() + self._reading_s
        quiet = [(folder, each) for folder, each in self._sightings.items() if each.state is _State.QUIET]
        quiet.sort(key=lambda pair: self._unread_bytes(pair[1].contents))
        unread: list[str] = []
        for folder, sighting in quiet:
            try:
                self._identify(folder, sighting, until)
            except HashingInterrupted:
                if self._hashes.stopped:
                    raise
                unread.append(escape_name(sighting.name))
        return unread

    def _unread_bytes(self, contents: Contents) -> int:
        try:
            return self._hashes.unread_bytes(contents)
        except ValueError:  # An index that cannot be used: nothing will be hashed.
            return 0

    def _candidates(self) -> Iterator[tuple[Path, str]]:
        """Real folders with the name to show, each once: an alias gives way to what it points to."""
        try:
            with os.scandir(self._path) as entries:
                folders = [entry for entry in entries if not entry.name.startswith(".") and is_folder(entry)]
                folders.sort(key=lambda entry: (entry.is_symlink(), entry.name))
            if holds_a_model(read_contents(self._path)):
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
            if not is_meant_as_checkpoint(folder, contents):
                return None
            sighting = self._sightings.get(folder)
            if sighting is None or sighting.contents != contents:
                sighting = _Sighting(name=name, contents=contents, since=now)
            # A clock that was set back must not make the wait as much longer.
            sighting.since = min(sighting.since, now)
            if sighting.state is _State.CHANGING and self._is_quiet(folder, sighting, now):
                sighting.state = _State.QUIET
        except FileNotFoundError:
            return None
        except OSError as exc:
            problem = f"It cannot be read: {exc.strerror}. Check its permissions."
            return _Sighting(
                name=name,
                contents=Contents(files=()),
                since=now,
                state=_State.KNOWN,
                found=_unusable(folder, name, problem),
            )
        return sighting

    def _is_quiet(self, folder: Path, sighting: _Sighting, now: datetime) -> bool:
        watched_s = (now - sighting.since).total_seconds()
        changed_at_s = sighting.contents.changed_at_s or folder.stat().st_mtime
        return max(watched_s, now.timestamp() - changed_at_s) >= self._settle_s

    def _identify(self, folder: Path, sighting: _Sighting, until: float) -> None:
        """Find out what a folder is that has stopped changing.

        Raises:
            HashingInterrupted: the time is up, or hashing was stopped.
        """
        try:
            sighting.found = self._what_it_is(folder, sighting, until)
            sighting.state = _State.KNOWN
        except ChangedMeanwhile:
            sighting.state = _State.CHANGING
        except FileNotFoundError:
            del self._sightings[folder]
        except OSError as exc:
            problem = f"It cannot be read: {exc.strerror}. Check its permissions."
            sighting.found = _unusable(folder, sighting.name, problem)

    def _what_it_is(self, folder: Path, sighting: _Sighting, until: float) -> Described | Unusable:
        name = sighting.name
        if is_unfinished_name(name):
            problem = f"Its name is that of an unfinished copy. Rename {printable(name)} when it is complete."
            return _unusable(folder, name, problem)
        wrong = problem_of(folder, sighting.contents)
        if wrong is not None:
            return _unusable(folder, name, str(wrong))
        return describe(folder, sighting.contents, name, self._hashes, until=until)


def _unusable(folder: Path, name: str, problem: str) -> Unusable:
    return Unusable(name=escape_name(name), location=escape_name(str(folder)), problem=problem)


def _by_age(pair: tuple[float, Described | Unusable]) -> tuple[float, str]:
    written_at_s, found = pair
    return written_at_s, found.name if isinstance(found, Unusable) else found.checkpoint.name


def _arrivals(found: list[Described | Unusable], unsettled: list[str], unread: list[str]) -> Arrivals:
    settled = {}
    unusable: list[Unusable] = []
    doubts: list[Unusable] = []
    for each in found:
        if isinstance(each, Unusable):
            unusable.append(each)
        elif each.checkpoint.digest not in settled:
            settled[each.checkpoint.digest] = each.checkpoint
            if each.card_problem:
                known = each.checkpoint
                doubts.append(Unusable(name=known.name, location=known.location, problem=each.card_problem))
    return Arrivals(
        settled=tuple(settled.values()),
        unsettled=tuple(sorted(unsettled)),
        unusable=tuple(unusable),
        doubts=tuple(doubts),
        unread=tuple(sorted(unread)),
    )
