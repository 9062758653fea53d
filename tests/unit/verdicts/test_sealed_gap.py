from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.evidence import Bank, Observation
from monitor.domain.tasks import Stratum
from monitor.verdicts.changes import sealed_gap

Passes = Mapping[str, Sequence[bool | None]]


def _observations(passes: Passes) -> tuple[Observation, ...]:
    return tuple(
        Observation(task_id=task, stratum=Stratum.TAIL, index=index, wave=0, passed=passed)
        for task, outcomes in passes.items()
        for index, passed in enumerate(outcomes)
    )


def _gap(bank: Passes, candidate: Passes) -> float | None:
    drawn = Bank(checkpoint="b", observations=_observations(bank), seed_stable=True)
    return sealed_gap(drawn, _observations(candidate), {"s1", "s2"})


def test_the_gap_is_the_sealed_change_minus_the_open_one() -> None:
    bank = {"s1": [True, True], "s2": [True, False], "o1": [True, False], "o2": [False]}
    candidate = {"s1": [False], "s2": [True, False], "o1": [True], "o2": [False, False], "new": [False]}
    assert _gap(bank, candidate) == pytest.approx(-0.5 - 0.25)


def test_without_a_scored_sample_of_either_kind_there_is_no_gap() -> None:
    assert _gap({"o1": [True]}, {"o1": [True]}) is None
    assert _gap({"s1": [True]}, {"s1": [True]}) is None
    assert _gap({"s1": [True], "o1": [True]}, {"s1": [None], "o1": [True]}) is None


OUTCOMES = st.lists(st.booleans(), min_size=1, max_size=5)
BOTH = st.fixed_dictionaries(dict.fromkeys(("s1", "s2", "o1", "o2"), OUTCOMES))


@given(BOTH, BOTH)
def test_swapping_the_sides_turns_the_sign(bank: Passes, candidate: Passes) -> None:
    gap, back = _gap(bank, candidate), _gap(candidate, bank)
    assert gap is not None
    assert back is not None
    assert gap == pytest.approx(-back)
    assert -2 <= gap <= 2
