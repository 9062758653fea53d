from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.tasks import Stratum, Task
from monitor.suites.format import SealRule, SuiteFile, Unranked
from monitor.suites.loading import load_suite
from monitor.suites.sealing import seal_of
from tests.unit.suites.suite_files import HEADER, a_task, task_text, write_suite_folder


def _header(share: float | None, seed: int = 1) -> SuiteFile:
    return SuiteFile(
        name="small",
        version="1",
        licence="MIT",
        seed=seed,
        description="For tests.",
        rarity=Unranked(method="unranked"),
        contamination_canary="canary",
        sealed=None if share is None else SealRule(share=share, every=5),
    )


def _tasks(count: int, stratum: Stratum = Stratum.TAIL) -> list[Task]:
    names = [f"{stratum.value}/{number}" for number in range(count)]
    return [replace(a_task(), task_id=name, digest=name, stratum=stratum) for name in names]


def _sealed(header: SuiteFile, tasks: list[Task]) -> frozenset[str]:
    seal = seal_of(header, tasks)
    assert seal is not None
    assert seal.every == 5
    return seal.task_ids


def test_without_a_rule_nothing_is_sealed() -> None:
    assert seal_of(_header(None), _tasks(10)) is None


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.01, 0.99))
def test_each_stratum_gives_its_share(tail: int, head: int, share: float) -> None:
    sealed = _sealed(_header(share), [*_tasks(tail), *_tasks(head, Stratum.HEAD)])
    assert sum(name.startswith("tail") for name in sealed) == round(share * tail)
    assert sum(name.startswith("head") for name in sealed) == round(share * head)


@given(st.integers(1, 40), st.integers(0, 10**6))
def test_another_task_moves_at_most_one_and_the_order_moves_none(count: int, seed: int) -> None:
    header, tasks = _header(0.3, seed), _tasks(count)
    before, after = _sealed(header, tasks), _sealed(header, tasks[:-1])
    assert len(before ^ after) <= 2
    assert _sealed(header, tasks[::-1]) == before


def test_the_seed_decides_which_ones() -> None:
    assert _sealed(_header(0.5, seed=1), _tasks(40)) != _sealed(_header(0.5, seed=2), _tasks(40))


def test_sealing_a_suite_changes_its_digest_but_no_tasks(tmp_path: Path) -> None:
    tasks = {f"t{number}": task_text(f"t/{number}") for number in range(10)}
    plain = load_suite(write_suite_folder(tmp_path / "plain", tasks))
    rule = HEADER + "sealed: {share: 0.2, every: 4}\n"
    sealed = load_suite(write_suite_folder(tmp_path / "sealed", tasks, rule))
    assert plain.seal is None
    assert sealed.seal is not None
    assert len(sealed.seal.task_ids) == 2
    assert sealed.digest != plain.digest
    assert sealed.tasks == plain.tasks
