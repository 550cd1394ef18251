"""A statement's own text and syntax tree, from which rewrites are made that leave spacing and names as they are."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..events import Held, Root, WriteForm
from .base import Statement

BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.BitOr: ("|", 1),
    ast.BitXor: ("^", 2),
    ast.BitAnd: ("&", 3),
    ast.LShift: ("<<", 4),
    ast.RShift: (">>", 4),
    ast.Add: ("+", 5),
    ast.Sub: ("-", 5),
    ast.Mult: ("*", 6),
    ast.Div: ("/", 6),
    ast.FloorDiv: ("//", 6),
    ast.Mod: ("%", 6),
    ast.MatMult: ("@", 6),
    ast.Pow: ("**", 8),
}


@dataclass(frozen=True)
class Parsed:
    """A statement with its syntax tree and the nodes' places as character offsets.

    held, form, root: as in `events.Write`, where it is one. value_name: a name that nothing else in the file has.
    """

    statement: Statement
    tree: ast.stmt
    line_starts: tuple[int, ...]
    lines: tuple[str, ...]
    held: Held = "other"
    form: WriteForm | None = None
    root: Root = "tensor"
    value_name: str = "value"

    def extent(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """Where the node's text starts and ends."""
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno or 1, node.end_col_offset or 0)

    def _offset(self, line: int, column: int) -> int:
        if line > len(self.lines):
            # The body that a compound statement's header was given to be parsed at all.
            return len(self.statement.text)
        # ast counts columns in UTF-8 bytes.
        return self.line_starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode(errors="ignore"))

    def source(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        start, end = self.extent(node)
        return self.statement.text[start:end]

    def with_changes(self, changes: list[tuple[int, int, str]]) -> str:
        """The statement's text with the given stretches replaced."""
        text = self.statement.text
        for start, end, new in sorted(changes, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    @property
    def indent(self) -> str:
        """What stands before the statement's first character."""
        return " " * self.statement.indent

    def tidy(self, text: str) -> str:
        """The text with its later lines moved to the left as far as the statement's first one was."""
        return "\n".join(line.removeprefix(self.indent) for line in text.split("\n"))

    def nodes_at_site(self) -> Iterator[ast.AST]:
        """The nodes at the site: those of exactly its extent, those around it (smallest first), those inside."""
        start, end = self.statement.start, self.statement.end
        same: list[ast.AST] = []
        around: list[tuple[int, int, ast.AST]] = []
        inside: list[tuple[int, int, ast.AST]] = []
        for number, node in enumerate(ast.walk(self.tree)):
            if not isinstance(node, (ast.expr, ast.stmt, ast.keyword)):
                continue
            first, last = self.extent(node)
            if (first, last) == (start, end):
                same.append(node)
            elif first <= start and last >= end:
                around.append((last - first, number, node))
            elif first >= start and last <= end:
                inside.append((first - last, number, node))
        yield from same
        yield from (node for _, _, node in sorted(around, key=lambda entry: entry[:2]))
        yield from (node for _, _, node in sorted(inside, key=lambda entry: entry[:2]))

    def call(self, wanted: Callable[[ast.Call], bool] = lambda call: True) -> ast.Call | None:
        """The call nearest to the site that is as wanted."""
        return next((node for node in self.nodes_at_site() if isinstance(node, ast.Call) and wanted(node)), None)

    def is_whole(self, node: ast.expr) -> bool:
        """Whether the statement is the node and nothing else, its value unused."""
        return isinstance(self.tree, ast.Expr) and self.tree.value is node


def parse(statement: Statement) -> Parsed | None:
    """The statement's tree; None where it does not stand by itself (``elif``, ``except``)."""
    # A compound statement comes as its header alone.
    body = "\n pass" if statement.text.rstrip().endswith(":") else ""
    try:
        tree = ast.parse(statement.text + body)
    except (SyntaxError, ValueError):
        return None
    if len(tree.body) != 1:
        return None
    lines = statement.text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return Parsed(statement, tree.body[0], tuple(starts), tuple(lines))


def bracketed(parsed: Parsed, value: ast.expr, strength: int) -> str:
    """The text of an augmented assignment's value, in brackets where it binds less than the operator."""
    # The value's own brackets are no part of its node, so the text runs from the first character after the operator.
    assert isinstance(parsed.tree, ast.AugAssign)
    target_end = parsed.extent(parsed.tree.target)[1]
    after = parsed.statement.text.index("=", target_end) + 1
    text = parsed.statement.text[after : parsed.extent(parsed.tree)[1]].strip()
    if text.startswith("("):
        try:
            if ast.dump(ast.parse(text, mode="eval").body) == ast.dump(value) and _closes_at_end(text):
                return text
        except SyntaxError:
            pass
    loose: tuple[type[ast.expr], ...] = (ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda, ast.NamedExpr, ast.Yield,
                                         ast.YieldFrom, ast.Await, ast.Tuple)  # fmt: skip
    if isinstance(value, loose):
        return f"({text})"
    if isinstance(value, ast.BinOp) and BINARY[type(value.op)][1] <= strength:
        return f"({text})"
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not):
        return f"({text})"
    return text


def _closes_at_end(text: str) -> bool:
    """Whether the bracket that opens the text is the one that ends it."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return place == len(text) - 1
    return False
