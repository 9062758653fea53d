"""Objects that stay in the candidate's process: their owner there, and what stands for them in the judge.

Iterators, generators, files and containers of a program's own are not copied: a test that asks one of them
for something asks the program, each time, as it would if they shared a process. Neither more items nor
fewer are made than the test wants, and what is printed on the way is printed when it would be.
"""

from __future__ import annotations

import functools
import struct
import weakref
from collections.abc import Callable, Generator, Iterable
from typing import Any

from . import codec, raising
from .standins import Lent

_SPECIAL = ("__next__", "__iter__", "__len__", "__getitem__", "__contains__", "__bool__", "__reversed__")
_PLAIN = (
    *("send", "throw", "close", "read", "readline", "readlines", "getvalue", "seek", "tell"),
    *("keys", "values", "items", "get", "index", "count"),
)
METHODS = (*_SPECIAL, *_PLAIN)
"""What a lent object can be asked for, if it has it."""
RESUMING = frozenset({"__next__", "send", "throw"})
"""Methods that tell by StopIteration that there is no more."""
_GENERATOR = "generator"
CALLED, NEXT, PLAIN = b"(", b">", b"="
"""How the messages begin that are sent most, and none of the codec's: a call of the program's function, then
its arguments; the request for the next item, then a number; a result that nothing else came of, then that."""
NUMBER = struct.Struct(">I")


# --------------------------------------------------------------------------------- the candidate's side


class Lender:
    """The objects of a program that the judge knows by number."""

    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._last = 0

    def lend(self, value: Any) -> Lent | None:
        """Lend what can be iterated over: the same object under the same number; other things are not."""
        kind = type(value)
        if not (hasattr(kind, "__next__") or hasattr(kind, "__iter__")):
            return None
        number = self._numbers.get(id(value))
        if number is None:
            self._last = number = self._last + 1
            self._objects[number] = value
            self._numbers[id(value)] = number
        methods = tuple(name for name in METHODS if hasattr(kind, name))
        return Lent(number=number, type_name=kind.__name__, methods=methods)

    def back(self, lent: Lent) -> Any:
        """The object itself, for a test that hands back what it got."""
        return self._objects[lent.number]

    def method(self, number: int, name: str) -> Callable[..., Any]:
        """What the judge asks for."""
        if name == "throw":
            return functools.partial(_throw, self._objects[number])
        return functools.partial(getattr(type(self._objects[number]), name), self._objects[number])

    def forget(self, numbers: Iterable[int]) -> None:
        """The judge has dropped these."""
        for number in numbers:
            del self._numbers[id(self._objects.pop(number))]


def _throw(generator: Any, kinds: tuple[str, ...], message: str) -> Any:
    return generator.throw(raising.built(raising.nearest(kinds), message, message))


def ends_iteration(name: str, error: BaseException) -> bool:
    """Whether a method has said in the way of iterators that there is no more."""
    return name in RESUMING and type(error) is StopIteration


# ------------------------------------------------------------------------------------- the judge's side

Ask = Callable[[int, str, tuple[Any, ...], dict[str, Any]], Any]
"""Asks a lent object, by number, for a method with arguments; raises what that raises."""


class Borrower:
    """What stands for lent objects: each for one, as long as a test holds it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._standing: dict[int, weakref.ref[Any]] = {}
        self._numbers: dict[int, int] = {}
        self._dropped: list[int] = []

    def borrow(self, lent: Lent) -> Any:
        """The object that stands for a lent one. Raises Malformed: it cannot be one."""
        if not 0 < lent.number < 2**32 or not set(lent.methods) <= set(METHODS):
            raise codec.Malformed("cannot be lent")
        known = self._standing.get(lent.number)
        value = known() if known else None
        if value is None:
            value = self._stand_in(lent)
            self._standing[lent.number] = weakref.ref(value, self._dropper(lent.number, id(value)))
            self._numbers[id(value)] = lent.number
        return value

    def lend(self, value: Any) -> Lent | None:
        """Give back what is lent to us; nothing of the tests is lent."""
        number = self._numbers.get(id(value))
        return None if number is None else Lent(number=number, type_name="", methods=())

    def dropped(self) -> list[int]:
        """The numbers that no test holds any more, once each."""
        numbers, self._dropped = self._dropped, []
        return numbers

    def _dropper(self, number: int, identity: int) -> Callable[[Any], None]:
        def drop(_: Any) -> None:
            self._standing.pop(number, None)
            self._numbers.pop(identity, None)
            self._dropped.append(number)

        return drop

    def _stand_in(self, lent: Lent) -> Any:
        # It may have been dropped since the other side has said this.
        if lent.number in self._dropped:
            self._dropped.remove(lent.number)
        ask = functools.partial(self._ask, lent.number)
        if lent.type_name == _GENERATOR and "send" in lent.methods:
            return _generator(ask)
        return _stand_in(ask, lent)


def _generator(ask: Callable[..., Any]) -> Generator[Any, Any, Any]:
    """A real generator, each step of which is one of the program's."""
    name, arguments = "__next__", tuple[Any, ...]()
    while True:
        try:
            item = ask(name, arguments, {})
        except StopIteration as end:
            return end.value
        try:
            sent = yield item
        except GeneratorExit:
            ask("close", (), {})
            raise
        except BaseException as error:  # noqa: BLE001
            name, arguments = "throw", (raising.kinds_of(error), str(error))
        else:
            name, arguments = ("__next__", ()) if sent is None else ("send", (sent,))


class _StandIn:
    """Asks a lent object; classes of those with the same methods derive from it."""

    _ask: Callable[..., Any]
    _type_name: str

    def __repr__(self) -> str:
        return f"<{self._type_name} object>"


_ALIKE: dict[str, tuple[type, tuple[Any, ...]]] = {
    "map": (map, (None, ())),
    "filter": (filter, (None, ())),
    "zip": (zip, ()),
    "enumerate": (enumerate, ((),)),
    "reversed": (reversed, ((),)),
}
"""Built-in iterators that a test can tell by their type, and what makes an empty one."""


def _stand_in(ask: Callable[..., Any], lent: Lent) -> Any:
    alike = lent.type_name if lent.type_name in _ALIKE and "__next__" in lent.methods else ""
    kind = _class_of(alike, lent.methods)
    value = kind.__new__(kind, *_ALIKE[alike][1] if alike else ())
    value._ask, value._type_name = ask, lent.type_name  # noqa: SLF001
    return value


@functools.lru_cache(maxsize=64)
def _class_of(alike: str, methods: tuple[str, ...]) -> Any:
    bases = (_StandIn, _ALIKE[alike][0]) if alike else (_StandIn,)
    asking = {name: _asking(name) for name in methods}
    if "__next__" in asking:
        asking["__iter__"] = _itself
    return type("StandIn", bases, asking)


def _asking(name: str) -> Callable[..., Any]:
    def method(self: _StandIn, *arguments: Any, **named: Any) -> Any:
        return self._ask(name, arguments, named)

    return method


def _itself(iterator: Any) -> Any:
    return iterator
