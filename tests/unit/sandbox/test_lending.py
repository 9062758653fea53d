from __future__ import annotations

import gc
import itertools
from typing import Any

import pytest

from monitor.sandbox.inside import codec, lending
from monitor.sandbox.inside.lending import Borrower, Lender
from monitor.sandbox.inside.standins import Lent


class Both:
    """Lender and borrower in one process, with nothing between them but bytes."""

    def __init__(self) -> None:
        self.lender = Lender()
        self.borrower = Borrower(self._ask)
        self.asked: list[str] = []

    def _ask(self, number: int, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self.asked.append(name)
        request = codec.encode((list(arguments), named), self.borrower.lend)
        given, keywords = codec.decode(request, self.lender.back)
        return self.across(self.lender.method(number, name)(*given, **keywords))

    def across(self, value: Any) -> Any:
        return codec.decode(codec.encode(value, self.lender.lend), self.borrower.borrow)

    def back(self, value: Any) -> Any:
        return codec.decode(codec.encode(value, self.borrower.lend), self.lender.back)


def test_an_item_is_made_when_it_is_asked_for() -> None:
    both, made = Both(), []
    items = both.across(made.append(n) or n for n in itertools.count())
    assert (made, both.asked) == ([], [])
    assert [next(items), next(items)] == [0, 1]
    assert (made, both.asked) == ([0, 1], ["__next__"] * 2)


def test_the_same_object_has_one_stand_in_and_comes_back_as_itself() -> None:
    both, iterator = Both(), iter([1])
    first, second = both.across([iterator, iterator])
    assert first is second
    assert both.back({"it": first})["it"] is iterator


def test_what_no_test_holds_any_more_is_forgotten_and_may_be_lent_again() -> None:
    both, iterator = Both(), iter([1])
    both.across(iterator)
    gc.collect()
    dropped = both.borrower.dropped()
    assert (dropped, both.borrower.dropped()) == ([1], [])
    both.lender.forget(dropped)
    with pytest.raises(KeyError):
        both.lender.method(1, "__next__")
    assert next(both.across(iterator)) == 1


def test_what_is_lent_again_before_the_other_side_has_heard_of_its_end_is_not_dropped() -> None:
    both, iterator = Both(), iter([1])
    both.across(iterator)
    held = both.across(iterator)
    assert both.borrower.dropped() == []
    assert next(held) == 1


def test_nothing_of_the_tests_is_lent() -> None:
    both = Both()
    assert both.borrower.lend(iter([1])) is None
    assert list(both.back(iter([1, 2]))) == [1, 2]


@pytest.mark.parametrize("value", [object(), len, Both, lambda: 1])
def test_what_cannot_be_iterated_over_is_not_lent(value: Any) -> None:
    assert Lender().lend(value) is None


@pytest.mark.parametrize(
    "lent",
    [
        {"number": 0, "methods": ()},
        {"number": -1, "methods": ()},
        {"number": 2**32, "methods": ()},
        {"number": 1, "methods": ("__eq__",)},
        {"number": 1, "methods": ("__next__", "__class__")},
    ],
)
def test_what_cannot_be_lent_is_malformed(lent: dict[str, Any]) -> None:
    with pytest.raises(codec.Malformed):
        Both().borrower.borrow(Lent(type_name="x", **lent))


@pytest.mark.parametrize(
    "content",
    [(1, "x"), (1, "x", []), ("1", "x", ()), (1, 2, ()), [1, "x", ()], (1, "x", ((1,),)), (1, "x", ([],))],
)
def test_any_other_form_of_what_is_lent_is_malformed(content: Any) -> None:
    with pytest.raises(codec.Malformed):
        codec.decode(b"G" + codec.encode(content), Both().borrower.borrow)


def test_nothing_is_lent_where_nobody_borrows() -> None:
    with pytest.raises(codec.Malformed):
        codec.decode(codec.encode(iter([1]), Lender().lend))


def test_an_exception_of_a_test_arrives_in_a_generator_as_its_nearest_built_in_type() -> None:
    class Odd(LookupError):
        pass

    def generator() -> Any:
        try:
            yield 1
        except LookupError as error:
            yield type(error), str(error)

    running = Both().across(generator())
    next(running)
    # Types themselves are opaque.
    kind, said = running.throw(Odd("why"))
    assert (kind.type_name, said) == ("type", "why")


def test_only_what_steps_can_end_an_iteration() -> None:
    assert lending.ends_iteration("__next__", StopIteration())
    assert not lending.ends_iteration("__next__", ValueError())
    assert not lending.ends_iteration("call", StopIteration())
