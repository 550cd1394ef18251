"""From the text of a file to the IR of its module."""

from __future__ import annotations

import io
import re
import tokenize

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
from inplace_lint.lowering.room import with_room
from inplace_lint.lowering.scopes import Environment, bindings_of
from inplace_lint.lowering.units import LoweringError, OriginTable, Span, Unit

# CPython's own limit on nested brackets, which keeps the parser's stack within bounds.
DEEPEST_BRACKETS = 200
# Sources beyond either of these are parsed with more stack.
LARGE_SOURCE = 16_000
DEEP_BRACKETS = 50


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


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def split_lines(source: str) -> list[str]:
    """The lines of a source with their ends, split where Python splits them (``str.splitlines`` splits at more)."""
    return _LINE.findall(source)


def lower(source: str, file: str) -> LoweredModule:
    """Lower a module.

    ``source`` is the decoded text of the file and ``file`` the key that diagnostics will carry. Raises
    ``LoweringError``, with the place, where the text is no Python that libcst can parse.
    """
    source = source.removeprefix("\ufeff")
    table = OriginTable(file)
    unit = Unit(parse(source))
    origin = table.add(unit, unit.module)
    env = Environment("module", bindings_of(unit.module.body), None)
    builder = Builder(table, unit, env, "", 0)

    def lower_body() -> ir.Region:
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


def parse(source: str) -> cst.Module:
    """Parse a module; ``LoweringError`` where that fails."""
    depth = _bracket_depth(source)
    if depth > DEEPEST_BRACKETS:
        _check_bracket_depth(source)
    try:
        if depth > DEEP_BRACKETS or len(source) > LARGE_SOURCE:
            return with_room(lambda: cst.parse_module(source))
        return cst.parse_module(source)
    except cst.ParserSyntaxError as error:
        raise LoweringError(_message(error), max(error.raw_line, 1), error.raw_column + 1) from error
    except RecursionError as error:
        raise LoweringError("nested too deeply to be parsed", 1, 1) from error


def _message(error: cst.ParserSyntaxError) -> str:
    message = error.message
    return message[:1].lower() + message[1:]


_BRACKETS = re.compile(r"[(\[{)\]}]")


def _bracket_depth(source: str) -> int:
    """How deep brackets nest, those in strings and comments included: never less than the true depth of valid code."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(source):
        if bracket in "([{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth = max(depth - 1, 0)
    return deepest


def _check_bracket_depth(source: str) -> None:
    """Raise ``LoweringError`` where brackets nest deeper than CPython allows."""
    depth = 0
    row, column = 1, 1
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.OP and token.string in "([{":
                depth += 1
                row, column = token.start[0], token.start[1] + 1
                if depth > DEEPEST_BRACKETS:
                    break
            elif token.type == tokenize.OP and token.string in ")]}":
                depth -= 1
    except (tokenize.TokenError, SyntaxError) as error:
        if "too many nested" not in str(error):
            return
        depth = DEEPEST_BRACKETS + 1
    if depth > DEEPEST_BRACKETS:
        raise LoweringError("too many nested parentheses", row, column)
