"""libcst's parser behind errors of our own, with room for deep syntax."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings

import libcst as cst

from inplace_lint.lowering.parenthesised import allow_parenthesised
from inplace_lint.lowering.room import with_room

# CPython's own limit on nested brackets, which keeps the parser's stack within bounds.
DEEPEST_BRACKETS = 200
# Sources beyond either of these are parsed with more stack.
LARGE_SOURCE = 16_000
DEEP_BRACKETS = 50
UNKNOWN_SYNTAX = "syntax that libcst cannot parse"


class LoweringError(Exception):
    """Text that cannot be lowered, with the place (counted from 1) where that shows."""

    def __init__(self, message: str, row: int, column: int) -> None:
        super().__init__(f"{message} ({row}:{column})")
        self.message = message
        self.row = row
        self.column = column


def parse(source: str) -> cst.Module:
    """Parse a module; ``LoweringError`` where that fails."""
    depth = _bracket_depth(source)
    if depth > DEEPEST_BRACKETS:
        _check_bracket_depth(source)
    deep = depth > DEEP_BRACKETS or len(source) > LARGE_SOURCE
    try:
        return _module(source, deep)
    except (cst.CSTValidationError, TypeError):
        if not allow_parenthesised():
            raise LoweringError(UNKNOWN_SYNTAX, 1, 1) from None
        return parse(source)
    except cst.ParserSyntaxError as error:
        raise _syntax_error(source, error) from error
    except RecursionError as error:
        raise LoweringError("nested too deeply to be parsed", 1, 1) from error


def _module(source: str, deep: bool) -> cst.Module:
    return with_room(lambda: cst.parse_module(source)) if deep else cst.parse_module(source)


def _syntax_error(source: str, error: cst.ParserSyntaxError) -> LoweringError:
    """The error in CPython's words, which people know, unless this CPython finds nothing wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as known:
        return LoweringError(f"syntax error: {known.msg}", max(known.lineno or 1, 1), max(known.offset or 1, 1))
    except (ValueError, RecursionError, MemoryError):
        pass
    return LoweringError(UNKNOWN_SYNTAX, max(error.raw_line, 1), error.raw_column + 1)


_BRACKETS = re.compile(r"[(\[{)\]}]")


def _bracket_depth(source: str) -> int:
    """How deep brackets nest, those in strings and comments included, which can only make it deeper or end earlier."""
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
