"""Literals: numbers, strings and the strings with expressions inside."""

from __future__ import annotations

import ast
import warnings

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.builder import Builder, expression


@expression(cst.Integer, cst.Float, cst.Imaginary)
def number(b: Builder, node: cst.Integer | cst.Float | cst.Imaginary) -> ir.Reg:
    try:
        value: object = int(node.value, 0) if isinstance(node, cst.Integer) else ast.literal_eval(node.value)
    except (ValueError, SyntaxError):  # more digits than this Python converts
        return b.unknown(node, "number")
    return b.const(node, value)


@expression(cst.Ellipsis)
def ellipsis(b: Builder, node: cst.Ellipsis) -> ir.Reg:
    return b.const(node, ...)


@expression(cst.SimpleString, cst.ConcatenatedString, cst.FormattedString, "TemplatedString")
def string(b: Builder, node: cst.BaseString) -> ir.Reg:
    constant = string_value(node)
    if constant is not None:
        return b.const(node, constant)
    parts: list[ir.Reg | str] = []
    for piece in _pieces(node):
        if isinstance(piece, cst.SimpleString):
            text = string_value(piece)
            parts.append(text if isinstance(text, str) else piece.value)
        else:
            _content(b, getattr(piece, "parts", ()), parts)
    dst = b.reg()
    b.emit(ir.FormatString(b.origin(node), dst, tuple(parts)))
    return dst


def _content(b: Builder, content: tuple[cst.CSTNode, ...], parts: list[ir.Reg | str]) -> None:
    for part in content:
        inner = getattr(part, "expression", None)
        if isinstance(inner, cst.BaseExpression):
            parts.append(b.expr(inner))
            _content(b, getattr(part, "format_spec", None) or (), parts)
        else:
            parts.append(str(getattr(part, "value", "")))


def _pieces(node: cst.BaseString) -> list[cst.BaseString]:
    pieces: list[cst.BaseString] = []
    while isinstance(node, cst.ConcatenatedString):
        pieces.append(node.left)
        node = node.right
    pieces.append(node)
    return pieces


def string_value(node: cst.BaseString) -> str | bytes | None:
    """What a string literal (or several side by side) stands for; None where it is not a constant."""
    values: list[str | bytes] = []
    for piece in _pieces(node):
        value = _simple_value(piece) if isinstance(piece, cst.SimpleString) else None
        if value is None:
            return None
        values.append(value)
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        return "".join(texts)
    chunks = [value for value in values if isinstance(value, bytes)]
    return b"".join(chunks) if len(chunks) == len(values) else None


def _simple_value(node: cst.SimpleString) -> str | bytes | None:
    text = node.value
    if "\\" not in text and "\r" not in text:
        body, prefix = node.raw_value, node.prefix
        return body if "b" not in prefix else body.encode("ascii", "replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unknown escapes are not ours to report
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, (str, bytes)) else None
