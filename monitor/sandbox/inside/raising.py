"""Exceptions that go from one process to another: by the names of their built-in types, and a text."""

from __future__ import annotations

import builtins


def kinds_of(error: BaseException) -> tuple[str, ...]:
    """Names of its built-in types, nearest first."""
    return tuple(kind.__name__ for kind in type.mro(type(error)) if kind.__module__ == "builtins")


def nearest(kinds: tuple[str, ...]) -> type[BaseException] | None:
    """The first built-in type of exceptions among these names."""
    for name in kinds:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return kind
    return None


def built(kind: type[BaseException] | None, message: str, otherwise: str) -> BaseException:
    """An exception of a type; a RuntimeError with the other text when there is none of it to be had."""
    if kind is not None:
        try:
            return kind(message) if message else kind()
        except TypeError:
            # UnicodeDecodeError and its like want five arguments.
            pass
    return RuntimeError(otherwise)
