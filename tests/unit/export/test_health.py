from datetime import timedelta

import pytest

from monitor.domain.errors import StoreTrouble
from monitor.export.health import Health, PartHealth, store_health
from monitor.testing import MemoryStore
from tests.unit.export import story


class LockedStore(MemoryStore):
    def evaluations(self, model, *, checkpoint=None, limit=None):
        raise StoreTrouble("The store is locked.", next_step="End the other process.")


def test_a_store_that_answers_tells_when_it_last_saw_a_success():
    store = MemoryStore()
    story.fill(store)
    assert store_health(store, story.MODEL) == (
        PartHealth(name="store", ok=True),
        story.BEGIN + timedelta(hours=2, seconds=15),
    )


def test_a_store_that_does_not_answer_says_why():
    part, last = store_health(LockedStore(), story.MODEL)
    assert not part.ok
    assert "End the other process." in part.detail
    assert last is None


@pytest.mark.parametrize("ok", [True, False])
def test_ready_is_when_every_part_is(ok):
    parts = (PartHealth(name="store", ok=True), PartHealth(name="engine", ok=ok))
    assert Health(parts=parts, last_success_at=None).ready is ok
