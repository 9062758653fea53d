from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.suites.mutation.mutant import Mutant, Mutation, chosen, distinct, mutant


def _some(count: int) -> list[Mutant]:
    return [mutant(Mutation.CONSTANT, n, (str(n), str(n + 1)), f"source {n}") for n in range(count)]


def test_a_long_change_is_shortened_and_line_breaks_are_folded() -> None:
    change = mutant(Mutation.STATEMENT, 4, ("if x:\n    y", "z" * 300), "s").change
    assert change.startswith("line 4: if x: y -> zzz")
    assert len(change) < 130


@given(st.integers(0, 60), st.integers(1, 50))
def test_a_choice_keeps_the_order_and_never_exceeds_its_limit(count: int, most: int) -> None:
    mutants = _some(count)
    kept = chosen(mutants, most)
    assert len(kept) == min(count, most)
    assert kept == [each for each in mutants if each in kept]


@given(st.integers(2, 60), st.integers(1, 50), st.data())
def test_a_mutant_more_or_less_hardly_changes_the_choice(count: int, most: int, data: st.DataObject) -> None:
    mutants = _some(count)
    gone = data.draw(st.sampled_from(mutants))
    before = {each.change for each in chosen(mutants, most)}
    after = {each.change for each in chosen([each for each in mutants if each is not gone], most)}
    assert len(before - after) <= 1


def test_what_equals_the_reference_or_another_is_dropped() -> None:
    one, other = _some(2)
    assert distinct([one, other, one], "source 1") == [one]
