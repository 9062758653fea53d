from datetime import timedelta

import pytest

from monitor.domain.errors import DiskTrouble, StoreTrouble
from monitor.export.health import Health, PartHealth, Trial, store_health
from monitor.testing import MemoryStore
from tests.unit.export import story

WRITABLE = Trial(lambda: None)


class LockedStore(MemoryStore):
    def last_decided_at(self, model):
        raise StoreTrouble("The store is locked.", next_step="End the other process.")


def test_a_store_that_answers_tells_when_it_last_saw_a_success():
    store = MemoryStore()
    story.fill(store)
    assert store_health(store, story.MODEL, WRITABLE) == (
        PartHealth(name="store", ok=True),
        story.BEGIN + timedelta(hours=2, seconds=15),
    )


def test_a_store_that_does_not_answer_says_why():
    part, last = store_health(LockedStore(), story.MODEL, WRITABLE)
    assert not part.ok
    assert "End the other process." in part.detail
    assert last is None


@pytest.mark.parametrize("ok", [True, False])
def test_ready_is_when_every_part_is(ok):
    parts = (PartHealth(name="store", ok=True), PartHealth(name="engine", ok=ok))
    assert Health(parts=parts, last_success_at=None).ready is ok


class Disk:
    """Is full when the test says so, and counts how often it is tried."""

    full, tries, seconds = False, 0, 0.0

    def __call__(self):
        self.tries += 1
        if self.full:
            raise DiskTrouble("No space is left.", next_step="Free some.")

    def clock(self):
        return self.seconds


def test_a_store_that_can_be_read_and_not_written_to_is_no_health():
    disk = Disk()
    disk.full = True
    part, _ = store_health(MemoryStore(), story.MODEL, Trial(disk))
    assert part == PartHealth(name="store", ok=False, detail="No space is left. Free some.")


def test_what_a_trial_found_stands_for_some_seconds_and_no_longer():
    disk = Disk()
    trial = Trial(disk, every_s=5.0, clock=disk.clock)
    assert trial.problem() == ""
    disk.full, disk.seconds = True, 4.9
    assert trial.problem() == ""
    disk.seconds = 5.0
    assert "No space" in trial.problem()
    disk.full, disk.seconds = False, 9.9
    assert "No space" in trial.problem()
    disk.seconds = 10.0
    assert trial.problem() == ""
    assert disk.tries == 3
