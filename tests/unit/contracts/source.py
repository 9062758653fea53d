"""What every checkpoint source does, whatever it reads from."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from monitor.domain.checkpoint import Checkpoint
from monitor.ports import CheckpointSource


class Stage(Protocol):
    """Puts checkpoints where a source looks for them."""

    source: CheckpointSource

    def settle(self, name: str, weights: str) -> None:
        """A complete checkpoint, later than those before it."""
        ...

    def begin(self, name: str) -> None:
        """A checkpoint of which a part is there, still being written at :meth:`now`."""
        ...

    def spoil(self, name: str) -> None:
        """Something that stopped changing and is no checkpoint."""
        ...

    def now(self) -> datetime:
        """A time at which what was settled has long been so, and what began has just begun."""
        ...


class CheckpointSourceContract:
    """Inherit, and give a fixture ``stage``."""

    def test_a_source_without_checkpoints_yields_none(self, stage: Stage) -> None:
        arrivals = stage.source.arrivals(stage.now())
        assert (arrivals.settled, arrivals.unsettled, arrivals.unusable) == ((), (), ())

    def test_settled_checkpoints_come_oldest_first(self, stage: Stage) -> None:
        for name in ("step-9", "step-10", "step-11"):
            stage.settle(name, f"weights of {name}")
        settled = stage.source.arrivals(stage.now()).settled
        assert [checkpoint.name for checkpoint in settled] == ["step-9", "step-10", "step-11"]
        assert all(isinstance(checkpoint, Checkpoint) and checkpoint.location for checkpoint in settled)

    def test_different_weights_have_different_digests(self, stage: Stage) -> None:
        stage.settle("a", "these")
        stage.settle("b", "those")
        digests = {checkpoint.digest for checkpoint in stage.source.arrivals(stage.now()).settled}
        assert len(digests) == 2
        assert all(len(digest) == 64 and int(digest, 16) >= 0 for digest in digests)

    def test_asking_again_gives_the_same_answer(self, stage: Stage) -> None:
        stage.settle("a", "these")
        stage.begin("b")
        stage.spoil("c")
        assert stage.source.arrivals(stage.now()) == stage.source.arrivals(stage.now())

    def test_what_is_being_written_is_only_named(self, stage: Stage) -> None:
        stage.begin("half")
        arrivals = stage.source.arrivals(stage.now())
        assert arrivals.unsettled == ("half",)
        assert (arrivals.settled, arrivals.unusable) == ((), ())

    def test_what_cannot_be_used_is_reported_with_its_problem(self, stage: Stage) -> None:
        stage.settle("good", "weights")
        stage.spoil("bad")
        arrivals = stage.source.arrivals(stage.now())
        assert [checkpoint.name for checkpoint in arrivals.settled] == ["good"]
        assert [unusable.name for unusable in arrivals.unusable] == ["bad"]
        assert arrivals.unusable[0].problem.endswith(".")
        assert arrivals.unusable[0].location
