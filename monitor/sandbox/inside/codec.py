"""The exact-type codec between judge and candidate: bytes to values of known types, never code.

Whatever bytes arrive, :func:`decode` yields only values whose types are exactly the ones listed
here, so no method of the other side can run on this side. A value that has no place in the list is
encoded as :class:`.standins.Opaque`, which equals nothing, unless its owner lends it: then it stays, and a
number goes across.
"""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import struct
from collections.abc import Callable, Iterable
from typing import Any

from .standins import Iterated, Lent, Opaque, Record

MAX_DEPTH = 120
MAX_VALUES = 2_000_000
"""Most values in one message."""
MAX_ITERATED = 10_000
"""Most items that are taken from an iterator that nobody lends."""

_DOUBLE = struct.Struct(">d")
_LENGTH = struct.Struct(">I")


class Malformed(Exception):
    """The bytes are not a message of this codec."""


class TooLarge(Exception):
    """A value is too large or too deeply nested to be sent."""


# ---------------------------------------------------------------------------------------------- encode

Lend = Callable[[Any], Lent | None]
"""Lends an object that has no place in the list, or does not."""


class _Out(list[bytes]):
    """The pieces of a message, and who lends what cannot be one."""

    lend: Lend


def lend_nothing(_value: Any) -> Lent | None:
    """For what has nobody who could be asked for it later."""
    return None


def encode(value: Any, lend: Lend = lend_nothing) -> bytes:
    """Bytes for a value.

    Raises:
        TooLarge: nested deeper or longer than a message may be.
    """
    out = _Out()
    out.lend = lend
    try:
        _put(value, out, 0)
    except RecursionError as exc:
        raise TooLarge("nested too deeply") from exc
    return b"".join(out)


def _put(value: Any, out: _Out, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TooLarge("nested too deeply")
    if len(out) > MAX_VALUES:
        raise TooLarge(f"more than {MAX_VALUES} values")
    kind = type(value)
    writer = _WRITERS.get(kind)
    if writer is not None:
        writer(value, out, depth + 1)
    else:
        _put_other(value, kind, out, depth)


def _put_sized(tag: bytes, data: bytes, out: _Out) -> None:
    out.append(tag + _LENGTH.pack(len(data)) + data)


def _put_int(value: int, out: _Out, _: int) -> None:
    size = value.bit_length() // 8 + 1
    _put_sized(b"i", value.to_bytes(size, "big", signed=True), out)


def _put_float(value: float, out: _Out, _: int) -> None:
    out.append(b"f" + _DOUBLE.pack(value))


def _put_complex(value: complex, out: _Out, _: int) -> None:
    out.append(b"c" + _DOUBLE.pack(value.real) + _DOUBLE.pack(value.imag))


def _put_str(value: str, out: _Out, _: int) -> None:
    _put_sized(b"s", value.encode("utf-8", "surrogatepass"), out)


def _items(tag: bytes) -> Callable[[Any, _Out, int], None]:
    def put(value: Any, out: _Out, depth: int) -> None:
        out.append(tag + _LENGTH.pack(len(value)))
        for item in value:
            _put(item, out, depth)

    return put


def _pairs(tag: bytes) -> Callable[[Any, _Out, int], None]:
    def put(value: Any, out: _Out, depth: int) -> None:
        out.append(tag + _LENGTH.pack(len(value)))
        for key, item in dict.items(value):
            _put(key, out, depth)
            _put(item, out, depth)

    return put


def _text(tag: bytes, render: Callable[[Any], str]) -> Callable[[Any, _Out, int], None]:
    def put(value: Any, out: _Out, _: int) -> None:
        _put_sized(tag, render(value).encode("ascii"), out)

    return put


def _put_deque(value: Any, out: _Out, depth: int) -> None:
    out.append(b"q")
    _put(value.maxlen, out, depth)
    _put(list(value), out, depth)


def _put_range(value: range, out: _Out, depth: int) -> None:
    out.append(b"r")
    for part in (value.start, value.stop, value.step):
        _put(part, out, depth)


def _put_slice(value: slice, out: _Out, depth: int) -> None:
    out.append(b"/")
    for part in (value.start, value.stop, value.step):
        _put(part, out, depth)


def _put_view(tag: bytes) -> Callable[[Any, _Out, int], None]:
    def put(value: Iterable[Any], out: _Out, depth: int) -> None:
        out.append(tag)
        _put(list(value), out, depth)

    return put


def _put_fraction(value: fractions.Fraction, out: _Out, depth: int) -> None:
    # As two integers: the text form admits exponents that take hours to expand.
    out.append(b"Q")
    _put_int(value.numerator, out, depth)
    _put_int(value.denominator, out, depth)


def _put_timedelta(value: dt.timedelta, out: _Out, depth: int) -> None:
    out.append(b"P")
    for part in (value.days, value.seconds, value.microseconds):
        _put(part, out, depth)


def _put_opaque(value: Opaque, out: _Out, depth: int) -> None:
    out.append(b"?")
    _put_str(value.type_name, out, depth)


def _put_record(value: Record, out: _Out, depth: int) -> None:
    fields = dict(value.__dict__)
    out.append(b"R")
    _put_str(str(fields.pop("__type_name__")), out, depth)
    _put(fields, out, depth)


def _put_iterated(value: Iterated, out: _Out, depth: int) -> None:
    out.append(b"I")
    _put(value.items, out, depth)


_NONE_YET: tuple[dict[Any, Any], ...] = (dict[Any, Any](), collections.OrderedDict[Any, Any]())
_VIEWS: dict[type, bytes] = {
    **{type(mapping.keys()): b"K" for mapping in _NONE_YET},
    **{type(mapping.values()): b"V" for mapping in _NONE_YET},
    **{type(mapping.items()): b"E" for mapping in _NONE_YET},
}
"""Types of what a mapping shows of itself."""

_WRITERS: dict[type, Callable[[Any, _Out, int], None]] = {
    type(None): lambda _v, out, _d: out.append(b"N"),
    bool: lambda value, out, _d: out.append(b"T" if value else b"F"),
    type(...): lambda _v, out, _d: out.append(b"."),
    type(NotImplemented): lambda _v, out, _d: out.append(b"!"),
    int: _put_int,
    float: _put_float,
    complex: _put_complex,
    str: _put_str,
    bytes: lambda value, out, _d: _put_sized(b"b", value, out),
    bytearray: lambda value, out, _d: _put_sized(b"B", bytes(value), out),
    list: _items(b"l"),
    tuple: _items(b"t"),
    set: _items(b"S"),
    frozenset: _items(b"Z"),
    dict: _pairs(b"d"),
    collections.OrderedDict: _pairs(b"O"),
    collections.Counter: _pairs(b"C"),
    collections.defaultdict: _pairs(b"D"),
    collections.deque: _put_deque,
    **{kind: _put_view(tag) for kind, tag in _VIEWS.items()},
    range: _put_range,
    slice: _put_slice,
    fractions.Fraction: _put_fraction,
    decimal.Decimal: _text(b"M", str),
    dt.datetime: _text(b"Y", dt.datetime.isoformat),
    dt.date: _text(b"y", dt.date.isoformat),
    dt.time: _text(b"h", dt.time.isoformat),
    dt.timedelta: _put_timedelta,
    Opaque: _put_opaque,
    Record: _put_record,
    Iterated: _put_iterated,
}

_NUMPY_NUMBERS = frozenset(
    (
        *("bool", "bool_", "int8", "int16", "int32", "int64", "intc", "longlong"),
        *("uint8", "uint16", "uint32", "uint64", "uintc", "ulonglong"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
)
"""Type names of numpy's scalars that hold what a plain number holds; the module itself is never imported."""

_PLAIN = (bool, int, float, complex, str, bytes, bytearray, tuple, list, frozenset, set, dict)


def _put_other(value: Any, kind: type, out: _Out, depth: int) -> None:
    """A subclass as its plain base, records by their fields, what is lent by its number, else Opaque.

    Only here does encoding run code of the value's type: in a candidate's process its own, in the
    judge's that of the tests.
    """
    fields = record_fields(value, kind)
    if fields is not None:
        _put_record(Record(kind.__name__, fields), out, depth + 1)
        return
    for plain in _PLAIN:
        if issubclass(kind, plain):
            _put(_as_plain(plain, value), out, depth)
            return
    if kind.__module__ == "numpy" and kind.__name__ in _NUMPY_NUMBERS:
        _put_number(value.item(), kind, out, depth)
        return
    lent = out.lend(value)
    if lent is not None:
        out.append(b"G")
        _put((lent.number, lent.type_name, lent.methods), out, depth + 1)
    elif hasattr(kind, "__next__"):
        _put_iterated(Iterated(_take(value)), out, depth + 1)
    else:
        _put_opaque(Opaque(kind.__name__), out, depth)


def _put_number(number: Any, kind: type, out: _Out, depth: int) -> None:
    """What a scalar of numpy says it holds, if that is a plain number indeed."""
    if type(number) in (bool, int, float, complex):
        _put(number, out, depth)
    else:
        _put_opaque(Opaque(kind.__name__), out, depth)


def _as_plain(plain: Any, value: Any) -> Any:
    """A subclass's value as its base holds it, past whatever the subclass overrides."""
    if plain is dict:
        return dict(dict.items(value))
    if plain in (int, float, complex):
        return plain.__add__(value, 0)
    if plain is str:
        return str.__str__(value)
    return plain(plain.__iter__(value))


def record_fields(value: Any, kind: type) -> dict[str, Any] | None:
    """Fields of a dataclass instance by name, or None when it is none."""
    declared = getattr(kind, "__dataclass_fields__", None)
    if type(declared) is not dict:
        return None
    return {name: getattr(value, name, None) for name in declared if type(name) is str}


def _take(iterator: Iterable[Any]) -> list[Any]:
    items: list[Any] = []
    for item in iterator:
        items.append(item)
        if len(items) >= MAX_ITERATED:
            break
    return items


# ---------------------------------------------------------------------------------------------- decode


class _Reader:
    """A position in the bytes; every read is bounded by what is there."""

    def __init__(self, data: bytes, borrow: Callable[[Lent], Any]) -> None:
        self.data = data
        self.borrow = borrow
        self.at = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Malformed("cut off")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def length(self) -> int:
        (length,) = _LENGTH.unpack(self.take(4))
        # Every item takes at least one byte, so a lying length cannot make us allocate.
        if length > len(self.data) - self.at:
            raise Malformed("cut off")
        return int(length)

    def sized(self) -> bytes:
        return self.take(self.length())

    def ascii(self) -> str:
        return self.sized().decode("ascii")

    def value(self, depth: int) -> Any:
        if depth > MAX_DEPTH + 8:
            raise Malformed("nested too deeply")
        reader = _READERS.get(self.take(1))
        if reader is None:
            raise Malformed("unknown tag")
        return reader(self, depth + 1)

    def items(self, depth: int) -> list[Any]:
        return [self.value(depth) for _ in range(self.length())]

    def pairs(self, depth: int) -> list[tuple[Any, Any]]:
        return [(self.value(depth), self.value(depth)) for _ in range(self.length())]

    def exact(self, kind: type, depth: int) -> Any:
        value = self.value(depth)
        if type(value) is not kind:
            raise Malformed("wrong type")
        return value


def borrow_nothing(_lent: Lent) -> Any:
    """For messages in which nothing is lent. Raises Malformed."""
    raise Malformed("lent")


def decode(data: bytes, borrow: Callable[[Lent], Any] = borrow_nothing) -> Any:
    """The value that the bytes stand for.

    Args:
        data: of :func:`encode`.
        borrow: what stands here for an object that the other side lends; raises Malformed.

    Raises:
        Malformed: they stand for none.
    """
    reader = _Reader(data, borrow)
    try:
        value = reader.value(0)
    except Malformed:
        raise
    except Exception as exc:
        # Unhashable keys, impossible dates, bad numbers: all of it is the sender's nonsense.
        raise Malformed(type(exc).__name__) from exc
    if reader.at != len(data):
        raise Malformed("trailing bytes")
    return value


def _get_deque(reader: _Reader, depth: int) -> Any:
    maxlen = reader.value(depth)
    if maxlen is not None and type(maxlen) is not int:
        raise Malformed("wrong type")
    return collections.deque(reader.exact(list, depth), maxlen)


def _get_defaultdict(reader: _Reader, depth: int) -> Any:
    return collections.defaultdict(None, reader.pairs(depth))


def _get_counter(reader: _Reader, depth: int) -> Any:
    counter: collections.Counter[Any] = collections.Counter()
    dict.update(counter, reader.pairs(depth))
    return counter


def _get_keys(reader: _Reader, depth: int) -> Any:
    return dict.fromkeys(reader.exact(list, depth)).keys()


def _get_values(reader: _Reader, depth: int) -> Any:
    return dict(enumerate(reader.exact(list, depth))).values()


def _get_items(reader: _Reader, depth: int) -> Any:
    pairs = reader.exact(list, depth)
    if not all(type(pair) is tuple and len(pair) == 2 for pair in pairs):
        raise Malformed("wrong shape")
    return dict(pairs).items()


def _get_range(reader: _Reader, depth: int) -> range:
    return range(reader.exact(int, depth), reader.exact(int, depth), reader.exact(int, depth))


def _get_slice(reader: _Reader, depth: int) -> slice:
    return slice(reader.value(depth), reader.value(depth), reader.value(depth))


def _get_timedelta(reader: _Reader, depth: int) -> dt.timedelta:
    return dt.timedelta(reader.exact(int, depth), reader.exact(int, depth), reader.exact(int, depth))


def _get_record(reader: _Reader, depth: int) -> Record:
    name = reader.exact(str, depth)
    fields = reader.exact(dict, depth)
    if not all(type(field) is str and not field.startswith("__") for field in fields):
        raise Malformed("bad field")
    return Record(name, fields)


def _get_lent(reader: _Reader, depth: int) -> Any:
    number, type_name, methods = reader.exact(tuple, depth)
    if type(number) is not int or type(type_name) is not str or type(methods) is not tuple:
        raise Malformed("wrong shape")
    return reader.borrow(Lent(number=number, type_name=type_name, methods=methods))


_READERS: dict[bytes, Callable[[_Reader, int], Any]] = {
    b"N": lambda _r, _d: None,
    b"T": lambda _r, _d: True,
    b"F": lambda _r, _d: False,
    b".": lambda _r, _d: ...,
    b"!": lambda _r, _d: NotImplemented,
    b"i": lambda r, _d: int.from_bytes(r.sized(), "big", signed=True),
    b"f": lambda r, _d: _DOUBLE.unpack(r.take(8))[0],
    b"c": lambda r, _d: complex(_DOUBLE.unpack(r.take(8))[0], _DOUBLE.unpack(r.take(8))[0]),
    b"s": lambda r, _d: r.sized().decode("utf-8", "surrogatepass"),
    b"b": lambda r, _d: r.sized(),
    b"B": lambda r, _d: bytearray(r.sized()),
    b"l": lambda r, d: r.items(d),
    b"t": lambda r, d: tuple(r.items(d)),
    b"S": lambda r, d: set(r.items(d)),
    b"Z": lambda r, d: frozenset(r.items(d)),
    b"d": lambda r, d: dict(r.pairs(d)),
    b"O": lambda r, d: collections.OrderedDict(r.pairs(d)),
    b"C": _get_counter,
    b"D": _get_defaultdict,
    b"K": _get_keys,
    b"V": _get_values,
    b"E": _get_items,
    b"q": _get_deque,
    b"r": _get_range,
    b"/": _get_slice,
    b"Q": lambda r, d: fractions.Fraction(r.exact(int, d), r.exact(int, d)),
    b"M": lambda r, _d: decimal.Decimal(r.ascii()),
    b"Y": lambda r, _d: dt.datetime.fromisoformat(r.ascii()),
    b"y": lambda r, _d: dt.date.fromisoformat(r.ascii()),
    b"h": lambda r, _d: dt.time.fromisoformat(r.ascii()),
    b"P": _get_timedelta,
    b"?": lambda r, d: Opaque(r.exact(str, d)),
    b"R": _get_record,
    b"I": lambda r, d: iter(r.exact(list, d)),
    b"G": _get_lent,
}
