"""From the text of a file to the IR of its module."""

from __future__ import annotations

import ast
import warnings

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering import (  # noqa: F401  # these register how each kind of syntax is lowered
    assignments,
    compound,
    comprehensions,
    definitions,
    expressions,
    literals,
    patterns,
    statements,
)
from inplace_lint.lowering.builder import Builder
from inplace_lint.lowering.definitions import docstring
from inplace_lint.lowering.late import cut
from inplace_lint.lowering.parsing import LoweringError, parse
from inplace_lint.lowering.scopes import Bindings, Environment
from inplace_lint.lowering.syntax import split_lines
from inplace_lint.lowering.units import OriginTable, Span, Unit


class LoweredModule:
    """A file's module as IR, with the way back from origins to the source.

    ``code`` is the module's definition, ``file`` the key that was given, ``problems`` what was met while bodies were
    lowered late; such a body is one ``Unknown``.
    """

    def __init__(self, table: OriginTable, code: ir.Code, source: str) -> None:
        self.code = code
        self.file = table.file
        self.source = source
        self._table = table
        self._lines: list[str] | None = None

    @property
    def problems(self) -> list[LoweringError]:
        """The definitions that could not be lowered, as far as they were asked for."""
        return self._table.problems

    def node(self, origin: int) -> cst.CSTNode:
        """The libcst node that ``origin`` names."""
        return self._table.node(origin)

    def span(self, origin: int) -> Span:
        """Where that syntax stands in the file; the first call computes the positions of everything parsed with it."""
        return self._table.unit(origin).span(self._table.node(origin))

    def statement_span(self, origin: int) -> Span:
        """The simple statement around that syntax, or the header of the compound statement around it."""
        return self._table.unit(origin).statement_span(self._table.node(origin))

    def text(self, origin: int) -> str:
        """The source text of that syntax."""
        span = self.span(origin)
        if self._lines is None:
            self._lines = split_lines(self.source)
        lines = self._lines[span.row - 1 : span.end_row]
        if not lines:
            return ""
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        return "".join(lines)


def lower(source: str, file: str, tree: ast.Module | None = None) -> LoweredModule:
    """Lower a module.

    ``source`` is the decoded text of the file, ``file`` the key that diagnostics will carry, and ``tree`` the
    standard library's syntax tree of this very text where someone has it already. The bodies of functions are
    parsed, too, when they are first asked for. Raises ``LoweringError``, with the place, where the text is no Python.
    """
    source = source.removeprefix("\ufeff")
    table = OriginTable(file)
    unit = _parse_late(source, tree) or Unit(parse(source))
    origin = 0
    table.put(origin, unit, unit.module)

    def lower_body() -> ir.Region:
        builder = Builder(table, unit, Environment("module", Bindings(), None), "", 0, origin)
        for statement in unit.module.body:
            builder.statement(statement)
        return tuple(builder.out)

    code = ir.Code(
        file=file,
        name="<module>",
        qualname="<module>",
        kind="module",
        origin=origin,
        params=(),
        lower=table.guarded(origin, lower_body),
        docstring=docstring(unit.module.body),
    )
    return LoweredModule(table, code, source)


def _parse_late(source: str, tree: ast.Module | None) -> Unit | None:
    """A unit whose functions have their bodies cut out; None where the text has to be parsed as a whole."""
    try:
        if tree is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source)
        skeleton = cut(source, tree)
        return None if skeleton is None else Unit(parse(skeleton.text), bodies=skeleton.bodies)
    except (SyntaxError, ValueError, RecursionError, MemoryError, LoweringError):
        return None
