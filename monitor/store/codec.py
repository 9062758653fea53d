"""Nouns to JSON text and back, exactly.

The type of each field says how its JSON is read, so a noun that gains a field with a default still
reads what was written before it had one. Fields that a noun has lost are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from monitor.domain.errors import StoreTrouble

Noun = TypeVar("Noun")
Decoder = Callable[[Any], Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def dump(noun: object) -> str:
    """JSON text of a dataclass, in ASCII, since PostgreSQL's text holds no NUL and no surrogate."""
    return json.dumps(_encoded(noun), separators=(",", ":"))


def load(kind: type[Noun], text: str, **known: object) -> Noun:
    """The dataclass that :func:`dump` was given.

    Args:
        kind: its type.
        text: its JSON.
        known: JSON values of fields that are kept elsewhere; they replace what the text says.

    Raises:
        StoreTrouble: the text is not such a record.
    """
    try:
        decoded: Noun = _decoder(cast("Any", kind))({**json.loads(text), **known})
    except (TypeError, ValueError, AttributeError) as exc:
        raise StoreTrouble(
            f"A stored {kind.__name__} cannot be read: {exc}.",
            next_step="Restore the store from a backup, or delete that record.",
        ) from exc
    return decoded


def to_us(moment: datetime) -> int:
    """Microseconds since 1970, as time columns hold them: they sort and compare in any database."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_us(moment_us: int) -> datetime:
    """The moment, in UTC."""
    return EPOCH + timedelta(microseconds=moment_us)


def _encoded(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_encoded(key): _encoded(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_encoded(item) for item in value]
    if is_dataclass(value):
        return {field.name: _encoded(getattr(value, field.name)) for field in fields(value) if field.init}
    return value


@cache
def _decoder(kind: Any) -> Decoder:
    """What reads JSON values of this type; made once per type, since listings read thousands."""
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return _optional_decoder(kind)
    if origin is tuple:
        item = _decoder(get_args(kind)[0])
        return lambda value: tuple([item(part) for part in value])
    if origin is not None and issubclass(origin, Mapping):
        key, item = map(_decoder, get_args(kind))
        return lambda value: {key(name): item(part) for name, part in value.items()}
    if is_dataclass(kind):
        return _noun_decoder(kind)
    if kind is datetime:
        return datetime.fromisoformat
    return _plain_decoder(kind)


def _optional_decoder(kind: Any) -> Decoder:
    (some,) = (each for each in get_args(kind) if each is not NoneType)
    decode = _decoder(some)
    return lambda value: None if value is None else decode(value)


def _noun_decoder(kind: Any) -> Decoder:
    hints = get_type_hints(kind)
    decoders = {field.name: _decoder(hints[field.name]) for field in fields(kind) if field.init}

    def decode(value: Mapping[str, Any]) -> Any:
        return kind(**{name: decoders[name](part) for name, part in value.items() if name in decoders})

    return decode


def _plain_decoder(kind: Any) -> Decoder:
    if issubclass(kind, Enum | float):
        return cast("Decoder", kind)

    def decode(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"expected {kind.__name__}, found {value!r:.80}")
        return value

    return decode
