"""Dataclasses as plain JSON and back, read off their annotations.

A cache lies in folders that others may have written to, so it is never unpickled: what is read is data and nothing else.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def encode(value: object) -> Any:
    """The value as lists, texts and numbers; a dataclass is the list of its fields."""
    if value is None or isinstance(value, (str, bool, float)):
        return value
    if isinstance(value, int):
        return int(value)
    if is_dataclass(value):
        return [encode(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, (frozenset, set)):
        return [encode(item) for item in sorted(value)]
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no plain form")


def decode(wanted: type[T], data: Any) -> T:
    """A value of the type that ``encode`` was given. Raises ``ValueError`` where the data is of another form."""
    try:
        made: T = _decoder(typing.cast(Any, wanted))(data)
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"no {wanted.__name__}: {error}") from error
    return made


Decoder = Callable[[Any], Any]


@cache
def _decoder(wanted: Any) -> Decoder:
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        (only,) = (kind for kind in inner if kind is not type(None))
        some = _decoder(only)
        return lambda data: None if data is None else some(data)
    if origin is typing.Literal:
        return lambda data: _plain(data, str)
    if origin is tuple and inner[-1] is ...:
        item = _decoder(inner[0])
        return lambda data: tuple(item(it) for it in _plain(data, list))
    if origin is tuple:
        items = [_decoder(kind) for kind in inner]
        return lambda data: tuple(f(it) for f, it in zip(items, _plain(data, list), strict=True))
    if origin is frozenset:
        item = _decoder(inner[0])
        return lambda data: frozenset(item(it) for it in _plain(data, list))
    if isinstance(wanted, type) and issubclass(wanted, IntEnum):
        return lambda data: wanted(_plain(data, int))
    if is_dataclass(wanted) and isinstance(wanted, type):
        hints = typing.get_type_hints(wanted)
        parts = [_decoder(hints[field.name]) for field in fields(wanted)]
        made: Callable[..., Any] = wanted
        return lambda data: made(*(f(it) for f, it in zip(parts, _plain(data, list), strict=True)))
    return lambda data: _plain(data, wanted)


def _plain(data: Any, wanted: type) -> Any:
    if not isinstance(data, wanted):
        raise TypeError(f"{type(data).__name__} in place of {wanted.__name__}")
    return data
