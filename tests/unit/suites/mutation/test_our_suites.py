"""What the suites that come with Tailwatch promise of their mutants, without running one."""

from __future__ import annotations

import pytest

from monitor.domain.tasks import Suite
from monitor.suites.loading import load_suite
from monitor.suites.mutation.equivalents import read_equivalents
from monitor.suites.mutation.mutant import FEW_MUTANTS
from monitor.suites.mutation.mutants import mutants_of
from monitor.suites.shelves import known_suites

CORE = known_suites()["core"]


@pytest.fixture(scope="module")
def core() -> Suite:
    return load_suite(CORE)


@pytest.fixture(scope="module")
def changes(core: Suite) -> dict[str, set[str]]:
    """What the mutants of each core task change."""
    return {task.task_id: {each.change for each in mutants_of(task)} for task in core}


def test_every_core_task_has_mutants_enough(changes: dict[str, set[str]]) -> None:
    listed = read_equivalents(CORE)
    few = {
        task_id for task_id, made in changes.items() if len(made - listed.get(task_id, set())) < FEW_MUTANTS
    }
    assert few == set()


def test_every_reviewed_mutant_is_one_of_its_task(changes: dict[str, set[str]]) -> None:
    for task_id, listed in read_equivalents(CORE).items():
        assert listed <= changes[task_id], task_id
