"""Bank and candidate side by side: the same tasks, as often, at the same seeds.

The gate stops each stratum when it is decided, so a candidate has drawn other numbers of samples per task
than the bank. Compared as they are, the mixture of tasks would look like drift.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.domain.samples import Sample
from monitor.domain.tasks import RAREST_FIRST, Stratum
from monitor.drift.shapes import Shape, shape_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What a sample is as text."""

    text: str
    """The program with its prompt, or the answer as it is."""
    language: str
    """Empty where it is no program."""


Reader = Callable[[Sample], Writing]
"""How a sample is read; the suite knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A sample with what it wrote."""

    sample: Sample
    writing: Writing
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One task's works of one checkpoint, by sample index."""

    works: tuple[Work, ...]

    def at(self, indices: Sequence[int]) -> Side:
        """Those of these indices."""
        wanted = frozenset(indices)
        return Side(works=tuple(work for work in self.works if work.sample.index in wanted))

    @property
    def indices(self) -> tuple[int, ...]:
        """Of all its samples."""
        return tuple(work.sample.index for work in self.works)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPair:
    """One task on both sides."""

    task_id: str
    bank: Side
    """All that the bank holds."""
    before: Side
    """The bank's samples of the indices that the candidate drew."""
    after: Side
    """The candidate's samples of the indices that the bank holds."""

    @property
    def stratum(self) -> Stratum:
        """Its stratum."""
        return self.bank.works[0].sample.stratum

    def halves(self, most: int | None = None) -> tuple[Side, Side]:
        """The bank against itself: as many on each side as the candidate drew, while there are enough.

        Even indices on one side, odd ones on the other, so that they share no seed.

        Args:
            most: no more than so many on a side.
        """
        even = [index for index in self.bank.indices if index % 2 == 0]
        odd = [index for index in self.bank.indices if index % 2 == 1]
        size = min(len(even), len(odd), len(self.after.works), *([] if most is None else [most]))
        return self.bank.at(even[:size]), self.bank.at(odd[:size])


class Works:
    """Reads samples, each text once: models repeat themselves."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._shapes: dict[tuple[str, str], Shape] = {}

    def of(self, sample: Sample) -> Work:
        """The sample with its text and shape."""
        writing = self._read(sample)
        key = (writing.language, writing.text)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = shape_of(writing.text, writing.language)
        return Work(sample=sample, writing=writing, shape=shape)

    def forget_all_but(self, works: Iterable[Work]) -> None:
        """Keep what is known of these texts alone: a bank's come again with the next candidate."""
        self._shapes = {(work.writing.language, work.writing.text): work.shape for work in works}


def matched(
    bank: Sequence[Sample], candidate: Sequence[Sample], works: Works
) -> Mapping[Stratum, tuple[TaskPair, ...]]:
    """Tasks that both drew, by stratum of the bank, rarest first; there may be strata without any.

    Samples that came back without a text do not count.
    """
    banked, drawn = _by_task(bank), _by_task(candidate)
    pairs: dict[Stratum, list[TaskPair]] = {stratum: [] for stratum in RAREST_FIRST}
    for task_id in sorted(banked.keys() & drawn.keys()):
        shared = banked[task_id].keys() & drawn[task_id].keys()
        if not shared:
            continue
        side = _side(banked[task_id].values(), works)
        pair = TaskPair(
            task_id=task_id,
            bank=side,
            before=side.at(tuple(shared)),
            after=_side((drawn[task_id][index] for index in shared), works),
        )
        pairs[pair.stratum].append(pair)
    held = {sample.stratum for sample in bank}
    return {stratum: tuple(found) for stratum, found in pairs.items() if stratum in held}


def _by_task(samples: Sequence[Sample]) -> Mapping[str, dict[int, Sample]]:
    found: dict[str, dict[int, Sample]] = defaultdict(dict)
    for sample in samples:
        if sample.completion.finish_reason.answered:
            found[sample.task_id][sample.index] = sample
    return found


def _side(samples: Iterable[Sample], works: Works) -> Side:
    ordered = sorted(samples, key=lambda sample: sample.index)
    return Side(works=tuple(works.of(sample) for sample in ordered))
