"""pass@k from the counts that are kept per task."""

from __future__ import annotations

import pytest

from monitor.domain.tasks import Stratum
from monitor.export.pass_at_k import pass_at_k_by_stratum, pass_at_k_document
from monitor.ports import TaskTally


def tally(number: int, *, scored: int, passed: int, stratum: Stratum = Stratum.TAIL) -> TaskTally:
    return TaskTally(
        task_id=f"{stratum.value}/{number}", stratum=stratum, samples=scored + 1, scored=scored, passed=passed
    )


def test_the_largest_k_is_one_that_nine_tasks_in_ten_have_samples_for():
    deep = [tally(number, scored=4, passed=1) for number in range(9)]
    found = pass_at_k_by_stratum([*deep, tally(9, scored=2, passed=2)])[Stratum.TAIL]
    assert [(each.k, each.tasks) for each in found] == [(1, 10), (4, 9)]
    assert found[0].ratio == pytest.approx((9 * 0.25 + 1) / 10)
    assert found[1].ratio == 1.0
    shallow = pass_at_k_by_stratum([*deep[:8], *(tally(9 + n, scored=2, passed=2) for n in range(2))])
    assert [each.k for each in shallow[Stratum.TAIL]] == [1, 2]


def test_one_sample_per_task_gives_pass_at_1_alone():
    found = pass_at_k_by_stratum([tally(number, scored=1, passed=number % 2) for number in range(10)])
    assert [(each.k, each.ratio) for each in found[Stratum.TAIL]] == [(1, 0.5)]


def test_a_stratum_without_a_scored_sample_is_absent_and_no_task_of_it_counts_as_failed():
    tallies = [
        tally(0, scored=2, passed=1, stratum=Stratum.HEAD),
        tally(1, scored=0, passed=0, stratum=Stratum.HEAD),
        tally(0, scored=0, passed=0, stratum=Stratum.TORSO),
    ]
    document = pass_at_k_document(tallies)
    assert list(document) == ["head"]
    assert document["head"][0] == {"k": 1, "ratio": 0.5, "error": 0.5, "tasks": 1}
    assert pass_at_k_document([]) == {}
