"""JSON with the places of its values, so that one of them can be written anew while the rest stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Spans:
    """A value, from where to where its text goes, in which row (from 1) it begins, and the same for what is inside of it: by
    key in an object, by index in a list."""

    value: Any
    start: int
    end: int
    row: int = 1
    inside: Mapping[str, Spans] = field(default_factory=dict)


_DEPTH = 5
"""How deep values have places of their own: the notebook, its cells, one of them, its source, the lines of that."""


def parse(text: str) -> Spans:
    """The value of a JSON text. Raises ``json.JSONDecodeError``; of a key that comes twice, the last counts."""
    made = _value(text, _skip(text, 0), _DEPTH)
    end = _skip(text, made.end)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return made


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, depth: int) -> Spans:
    opening = text[at : at + 1]
    if depth == 0 or opening not in ("{", "["):
        value, end = _DECODER.raw_decode(text, at)
        return Spans(value, at, end, _row(text, at))
    inside: dict[str, Spans] = {}
    row, start = _row(text, at), at
    closing = "}" if opening == "{" else "]"
    at = _skip(text, at + 1)
    if text[at : at + 1] == closing:
        return Spans({} if opening == "{" else [], start, at + 1, row)
    while True:
        key = str(len(inside))
        if opening == "{":
            key, at = _key(text, at)
        found = _value(text, at, depth - 1)
        inside[key] = found
        at = _skip(text, found.end)
        separator = text[at : at + 1]
        if separator == closing:
            break
        if separator != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = _skip(text, at + 1)
    values = {key: it.value for key, it in inside.items()}
    return Spans(values if opening == "{" else list(values.values()), start, at + 1, row, inside)


def _key(text: str, at: int) -> tuple[str, int]:
    """A key of an object, and where its value begins."""
    if text[at : at + 1] != '"':
        raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
    key, at = _DECODER.raw_decode(text, at)
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
    return key, _skip(text, at + 1)


def _row(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
