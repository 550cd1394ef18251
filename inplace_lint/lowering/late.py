"""Parsing the bodies of functions late: the text of a module without them, and each of them by itself.

The standard library's parser, several times faster than libcst's, says where the bodies of the outermost functions
stand. In the *skeleton* each of these is one line with a name of ours, the rest of its rows being empty: rows and
columns of everything else stay as they are. A body's own text is parsed below a header of one row, without taking
its indentation away, so that its rows are off by a constant and its columns are right.

Only functions that stand in no other function are cut out, because all that their names can refer to outside is
globals and the type parameters around them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from inplace_lint.lowering.syntax import split_lines

MARKER = "__inplace_lint_body_"
_HEADER = "if 1:\n"
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class LateBody:
    """A function's body that was not parsed yet.

    ``text`` can be parsed as a module of one block and begins at row ``first_row`` of the file; the body ends at
    ``end_row`` and ``end_column`` (exclusive, from 1). ``docstring`` and ``is_generator`` belong to the function.
    """

    text: str
    first_row: int
    end_row: int
    end_column: int
    docstring: str | None
    is_generator: bool


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A module's text without the bodies; ``bodies`` by their number in the marker that stands for each."""

    text: str
    bodies: tuple[LateBody, ...]


def cut(source: str, tree: ast.Module) -> Skeleton | None:
    """Cut the bodies of the outermost functions out of a source, ``tree`` being its syntax; None if it cannot be."""
    if MARKER in source:
        return None
    lines = split_lines(source)
    bodies: list[LateBody] = []
    for function in _outermost_functions(tree):
        first, last = _rows(function)
        indent = _INDENT.match(lines[first - 1])
        end = function.body[-1]
        if indent is None or indent.end() != _column(function.body[0], lines) or end.end_col_offset is None:
            continue  # it begins on the row of its header
        text = "".join(lines[first - 1 : last])
        last_line = lines[last - 1].encode("utf-8", "surrogatepass")
        end_column = len(last_line[: end.end_col_offset].decode("utf-8", "surrogatepass")) + 1
        bodies.append(
            LateBody(
                text=_HEADER + text,
                first_row=first - 1,
                end_row=last,
                end_column=end_column,
                docstring=ast.get_docstring(function, clean=False),
                is_generator="yield" in text and _yields(function),
            )
        )
        lines[first - 1] = f"{indent.group()}{MARKER}{len(bodies) - 1}{_line_end(lines[first - 1])}"
        for row in range(first, last):
            lines[row] = _line_end(lines[row])
    return Skeleton("".join(lines), tuple(bodies))


def marker_number(body: cst.BaseSuite) -> int | None:
    """The number of the late body that this suite of a skeleton stands for; None where it stands for itself."""
    first: cst.CSTNode | None = body.body[0] if len(body.body) == 1 else None
    if isinstance(first, cst.SimpleStatementLine) and len(first.body) == 1:
        first = first.body[0]
    if isinstance(first, cst.Expr) and isinstance(first.value, cst.Name) and first.value.value.startswith(MARKER):
        return int(first.value.value[len(MARKER) :])
    return None


_INDENT = re.compile(r"[ \t\f]*(?=\S)")


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _rows(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """The first and the last row of a body, the decorators of its first statement included."""
    first = function.body[0]
    rows = [first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", ()))]
    return min(rows), function.body[-1].end_lineno or first.lineno


def _column(first: ast.stmt, lines: list[str]) -> int:
    """The column, from 0 and in characters, at which the first row of a body begins."""
    decorators: list[ast.expr] = getattr(first, "decorator_list", [])
    if decorators:
        row = min(decorator.lineno for decorator in decorators)
        return len(lines[row - 1]) - len(lines[row - 1].lstrip(" \t\f"))
    before = lines[first.lineno - 1].encode("utf-8", "surrogatepass")[: first.col_offset]
    return len(before.decode("utf-8", "surrogatepass"))


def _outermost_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    pending: list[ast.AST] = [tree]
    while pending:
        for node in ast.iter_child_nodes(pending.pop()):
            if isinstance(node, _Function):
                yield node
            elif not isinstance(node, ast.expr):
                pending.append(node)


def _yields(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function yields, what is nested in it aside."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if isinstance(node, (*_Function, ast.ClassDef)):
            pending.extend(node.decorator_list)
        elif not isinstance(node, ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))
    return False
