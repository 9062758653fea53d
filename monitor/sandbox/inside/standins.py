"""What stands, on one side, for objects of the other that are no plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Opaque:
    """Stands for an object of the other side that cannot be sent: it equals nothing but itself."""

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __bool__(self) -> bool:
        raise TypeError(f"an object of type {self.type_name} cannot be examined here")

    def __repr__(self) -> str:
        return f"<object of type {self.type_name}>"


class Record:
    """A dataclass-like object of the other side: a type name and fields, compared by both."""

    def __init__(self, type_name: str, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)
        self.__dict__["__type_name__"] = type_name

    def __eq__(self, other: object) -> bool:
        return type(other) is Record and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in self.__dict__.items() if k != "__type_name__")
        return f"{self.__dict__['__type_name__']}({shown})"


class Iterated:
    """Items taken from an iterator; decodes to a plain list iterator."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """Stands for an object that stays where it is, and is asked there for what it has."""

    number: int
    """By which its owner knows it."""
    type_name: str
    methods: tuple[str, ...]
    """What it can be asked for."""
