from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sandbox.inside import codec, standins

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.fractions()
    | st.decimals(allow_nan=False)
)
hashables = scalars | st.tuples(scalars, scalars) | st.frozensets(scalars, max_size=3)
values = st.recursive(
    scalars | st.frozensets(hashables, max_size=4) | st.sets(hashables, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(hashables, inner, max_size=4)
        | st.lists(inner, max_size=4).map(collections.deque)
        | st.dictionaries(hashables, inner, max_size=4).map(collections.OrderedDict)
    ),
    max_leaves=12,
)


def there_and_back(value: Any) -> Any:
    return codec.decode(codec.encode(value))


def types_of(value: Any) -> Any:
    """The exact types of a value and of everything in it."""
    if isinstance(value, dict):
        return type(value), [(types_of(k), types_of(v)) for k, v in value.items()]
    if isinstance(value, list | tuple | collections.deque):
        return type(value), [types_of(item) for item in value]
    if isinstance(value, set | frozenset):
        return type(value), sorted(str(types_of(item)) for item in value)
    return type(value)


@settings(deadline=None)
@given(values)
def test_a_value_comes_back_equal_and_of_exactly_its_types(value: Any) -> None:
    back = there_and_back(value)
    assert back == value
    assert types_of(back) == types_of(value)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_decode_to_something_or_are_malformed(data: bytes) -> None:
    with contextlib.suppress(codec.Malformed):
        codec.decode(data)


@settings(deadline=None)
@given(values, st.data())
def test_a_message_that_is_cut_off_anywhere_is_malformed(value: Any, data: st.DataObject) -> None:
    encoded = codec.encode(value)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(codec.Malformed):
        codec.decode(encoded[:cut])


def test_trailing_bytes_are_malformed() -> None:
    with pytest.raises(codec.Malformed):
        codec.decode(codec.encode(1) + b"N")


def test_not_a_number_stays_one() -> None:
    assert math.isnan(there_and_back(float("nan")))


def test_a_sign_of_zero_is_kept() -> None:
    assert math.copysign(1, there_and_back(-0.0)) == -1


@pytest.mark.parametrize(
    "value",
    [
        collections.Counter("abca"),
        range(3, 30, 4),
        slice(1, None, 2),
        ...,
        bytearray(b"x"),
        collections.deque([1, 2], maxlen=3),
        dt.time(1, 2, 3),
        decimal.Decimal("1.10"),
        fractions.Fraction(2, 3),
        "\udcff",
    ],
)
def test_types_that_tasks_use_come_back_as_they_are(value: Any) -> None:
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("kind", [dict, collections.OrderedDict])
def test_views_of_a_mapping_come_back_as_views(kind: type[dict[str, Any]]) -> None:
    shown = kind(a=[1], b=(2,))
    keys, values, items = there_and_back((shown.keys(), shown.values(), shown.items()))
    assert keys == {"a", "b"}
    assert (list(values), len(values)) == ([[1], (2,)], 2)
    assert list(items) == [("a", [1]), ("b", (2,))]
    assert [type(view) for view in (keys, values, items)] == [
        type({}.keys()),
        type({}.values()),
        type({}.items()),
    ]


@pytest.mark.parametrize(
    "forged",
    [
        b"K" + codec.encode("ab"),
        b"V" + codec.encode(3),
        b"E" + codec.encode([1]),
        b"E" + codec.encode(["ab"]),
        b"E" + codec.encode([(1, 2, 3)]),
        b"K" + codec.encode([[]]),
    ],
)
def test_a_view_of_what_is_no_mapping_is_malformed(forged: bytes) -> None:
    with pytest.raises(codec.Malformed):
        codec.decode(forged)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(-5), -5),
        (np.uint8(200), 200),
        (np.bool_(True), True),
        (np.float32(1.5), 1.5),
        (np.float64(0.1), 0.1),
        (np.complex64(1 + 2j), 1 + 2j),
        (np.array([1, 2, 3]).sum(), 6),
        ([np.int64(1), (np.bool_(False),)], [1, (False,)]),
    ],
)
def test_numbers_of_numpy_come_back_as_plain_numbers(value: Any, plain: Any) -> None:
    back = there_and_back(value)
    assert back == plain
    assert types_of(back) == types_of(plain)


def test_what_numpy_holds_beside_numbers_is_opaque() -> None:
    for value in (np.array([1]), np.datetime64("2020-01-01"), np.longdouble(1)):
        assert type(there_and_back(value)) is standins.Opaque


def test_what_only_calls_itself_a_number_of_numpy_cannot_smuggle_anything() -> None:
    class Sly(int):
        pass

    pretender = type("int64", (), {"__module__": "numpy", "item": lambda _: Sly(3)})
    assert type(there_and_back(pretender())) is standins.Opaque


def test_a_default_dict_comes_back_without_its_factory() -> None:
    back = there_and_back(collections.defaultdict(list, a=[1]))
    assert type(back) is collections.defaultdict
    assert back == {"a": [1]}
    assert back.default_factory is None


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "42"

    __hash__ = int.__hash__


class LyingText(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __str__(self) -> str:
        return "lie"

    __hash__ = str.__hash__


def test_a_subclass_that_lies_arrives_as_the_plain_value_it_is() -> None:
    number, text = there_and_back((Liar(7), LyingText("x")))
    assert (type(number), number) == (int, 7)
    assert (type(text), text) == (str, "x")


class Colour(enum.IntEnum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: int


def test_named_tuples_and_int_enums_arrive_as_what_they_equal() -> None:
    assert there_and_back(Point(1, 2)) == (1, 2)
    assert there_and_back(Colour.RED) == 1


@dataclasses.dataclass
class Pair:
    left: int
    right: list[int]


def test_a_data_class_arrives_as_a_record_with_its_fields() -> None:
    back = there_and_back(Pair(1, [2]))
    assert (back.left, back.right) == (1, [2])
    assert back == there_and_back(Pair(1, [2]))
    assert back != there_and_back(Pair(1, [3]))
    assert repr(back) == "Pair(left=1, right=[2])"


def test_an_iterator_arrives_as_an_iterator_over_its_items() -> None:
    back = there_and_back(iter([1, 2, 3]))
    assert next(back) == 1
    assert list(back) == [2, 3]


def test_an_endless_iterator_is_cut_off() -> None:
    assert len(list(there_and_back(iter(int, 1)))) == codec.MAX_ITERATED


class Agreeable:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


def test_an_object_that_cannot_be_sent_equals_nothing() -> None:
    back = there_and_back(Agreeable())
    assert type(back) is standins.Opaque
    assert back not in (5, None, "x", True, Agreeable)
    with pytest.raises(TypeError, match="Agreeable"):
        bool(back)


def test_a_cycle_or_a_deep_nest_is_too_large() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(codec.TooLarge):
        codec.encode(cycle)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"~",
        b"l\xff\xff\xff\xff",
        b"l\x00\x00\x00\x01" * 100_000,
        b"d\x00\x00\x00\x01l\x00\x00\x00\x00N",
        b"S\x00\x00\x00\x01l\x00\x00\x00\x00",
        b"Qi\x00\x00\x00\x01\x01i\x00\x00\x00\x01\x00",
        b"rNNN",
        b"qTl\x00\x00\x00\x00",
        b"y\x00\x00\x00\x03abc",
        b"R" + b"s\x00\x00\x00\x01x" + b"d\x00\x00\x00\x01s\x00\x00\x00\x09__class__N",
    ],
)
def test_nonsense_is_malformed(data: bytes) -> None:
    with pytest.raises(codec.Malformed):
        codec.decode(data)
