"""A walk over libcst trees, keyed by node type, that passes whitespace and punctuation by.

``CSTNode.children`` rebuilds the node to find its children and costs a multiple of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import TypeGuard

import libcst as cst

# Fields that hold layout or punctuation in every node type that has them.
_LAYOUT = frozenset(
    {
        "asynchronous", "colon", "comma", "dot", "equal", "first_colon", "footer", "header", "indent", "lbrace",
        "lbracket", "leading_lines", "lines_after_decorators", "lpar", "operator", "rbrace", "rbracket", "relative",
        "rpar", "second_colon", "semicolon", "separator", "trailing_comma", "posonly_ind",
    }
)  # fmt: skip

_node_types: dict[type, bool] = {}


def _is_node(value: object) -> TypeGuard[cst.CSTNode]:
    # Node types are abstract base classes, of which `isinstance` is slow to tell.
    kind = type(value)
    known = _node_types.get(kind)
    if known is None:
        known = _node_types[kind] = isinstance(value, cst.CSTNode)
    return known


_fields: dict[type[cst.CSTNode], tuple[str, ...]] = {}


def child_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The names of the fields of a node type that can hold syntax with meaning."""
    found = _fields.get(kind)
    if found is None:
        found = tuple(f.name for f in fields(kind) if f.name not in _LAYOUT and "whitespace" not in f.name)
        _fields[kind] = found
    return found


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The direct children of a node that mean something, in the order of their fields."""
    for name in child_fields(type(node)):
        value = getattr(node, name)
        if _is_node(value):
            yield value
        elif isinstance(value, (list, tuple)):
            for item in value:
                if _is_node(item):
                    yield item


def dotted_name(node: cst.BaseExpression) -> str:
    """The text of a dotted name as imports have it: ``a.b.c``."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def split_lines(source: str) -> list[str]:
    """The lines of a source with their ends, split where Python splits them (``str.splitlines`` splits at more)."""
    return _LINE.findall(source)
