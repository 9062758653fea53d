"""What can be told of Python's built-in types without running anything: methods and their results."""

from __future__ import annotations

import builtins
import types
from collections.abc import Mapping

BUILTIN_NAMES = frozenset(name for name in dir(builtins) if not name.startswith("_"))
"""Names that mean the same in every module that does not bind them anew."""

TYPES: Mapping[str, type] = {
    "str": str,
    "bytes": bytes,
    "bytearray": bytearray,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "set": set,
    "frozenset": frozenset,
    "int": int,
    "float": float,
    "complex": complex,
    "generator": types.GeneratorType,
    "memoryview": memoryview,
}
"""Types whose instances are recognised, by the name that features give them."""

_OWNERS = ("str", "list", "tuple", "dict", "set", "float", "int")
"""Types that a method may be credited to when nothing is known of its receiver, first ones first.

A name that lists and dictionaries share (``pop``) belongs to neither.
"""

_FAMILIES: Mapping[str, str] = {"float": "number", "int": "number"}

_SHARED = frozenset({"send", "throw", "close", "read", "readline", "readlines", "write", "seek", "tell"})
"""Methods of generators and files: common enough to count, too common elsewhere to be credited."""

_TEXT_TO_TEXT = frozenset(
    {
        *("capitalize", "center", "expandtabs", "join", "ljust", "lower", "lstrip", "removeprefix"),
        *("removesuffix", "replace", "rjust", "rstrip", "strip", "swapcase", "title", "translate"),
        *("upper", "zfill"),
    }
)

_SAME_TYPE: Mapping[str, frozenset[str]] = {
    "str": _TEXT_TO_TEXT | {"casefold", "format", "format_map"},
    "bytes": _TEXT_TO_TEXT,
    "list": frozenset({"copy"}),
    "dict": frozenset({"copy"}),
    "set": frozenset({"copy", "union", "intersection", "difference", "symmetric_difference"}),
}
"""Methods whose result has the type of their receiver."""

_OTHER_TYPE: Mapping[str, str] = {
    "str.split": "list",
    "str.rsplit": "list",
    "str.splitlines": "list",
    "str.partition": "tuple",
    "str.rpartition": "tuple",
    "str.encode": "bytes",
    "bytes.split": "list",
    "bytes.decode": "str",
    "bytes.hex": "str",
    "int.to_bytes": "bytes",
    "int.from_bytes": "int",
    "dict.fromkeys": "dict",
    "bytes.fromhex": "bytes",
    "float.fromhex": "float",
    "float.hex": "str",
    "float.as_integer_ratio": "tuple",
}

RESULTS: Mapping[str, str] = {
    "sorted": "list",
    "repr": "str",
    "ascii": "str",
    "chr": "str",
    "hex": "str",
    "oct": "str",
    "bin": "str",
    "format": "str",
    "input": "str",
    "len": "int",
    "ord": "int",
    "divmod": "tuple",
    "open": "file",
    "io.open": "file",
    "re.compile": "re.Pattern",
    "re.match": "re.Match",
    "re.search": "re.Match",
    "re.fullmatch": "re.Match",
    "sqlite3.connect": "sqlite3.Connection",
    "datetime.datetime.now": "datetime.datetime",
    "datetime.datetime.fromisoformat": "datetime.datetime",
    "datetime.datetime.strptime": "datetime.datetime",
    "datetime.date.today": "datetime.date",
    "datetime.date.fromisoformat": "datetime.date",
}
"""Types that well-known functions return; ``file`` stands for whatever ``open`` gives."""

LOWERCASE_CLASSES = frozenset(
    {
        "array.array",
        "collections.defaultdict",
        "collections.deque",
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "datetime.timezone",
        "itertools.chain",
        "itertools.count",
        "itertools.cycle",
        "threading.local",
        "csv.reader",
        "csv.writer",
    }
)
"""Classes that are not written as classes are."""


def method_of(type_name: str, name: str) -> bool:
    """Whether a recognised built-in type has a public attribute of this name."""
    known = TYPES.get(type_name)
    return known is not None and hasattr(known, name)


def result_of(type_name: str, name: str) -> str | None:
    """The type of what a built-in method returns, where it is always the same.

    >>> result_of("str", "strip"), result_of("str", "split"), result_of("list", "pop")
    ('str', 'list', None)
    """
    if name in _SAME_TYPE.get(type_name, ()):
        return type_name
    return _OTHER_TYPE.get(f"{type_name}.{name}")


def _credited() -> dict[str, str]:
    found: dict[str, str] = {}
    for owner in _OWNERS:
        for name in dir(TYPES[owner]):
            if name.startswith("_"):
                continue
            first = found.setdefault(name, owner)
            if _FAMILIES.get(first, first) != _FAMILIES.get(owner, owner):
                found[name] = ""
    return found | dict.fromkeys(_SHARED, "")


_CREDITED: Mapping[str, str] = _credited()


def credited(name: str) -> str | None:
    """The feature of a method called on an unknown receiver; None when it is no built-in method's name.

    >>> credited("casefold"), credited("pop"), credited("frobnicate")
    ('str.casefold', '.pop', None)
    """
    owner = _CREDITED.get(name)
    return None if owner is None else f"{owner}.{name}"
