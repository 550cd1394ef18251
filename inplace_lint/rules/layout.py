"""Where a file's statements stand: blocks, loops and names around a place, for rewrites of more than one statement."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..diagnostics import Position, Span

Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While


@dataclass(frozen=True)
class Spot:
    """A statement in the block that holds it. owner: the node whose block it is."""

    node: ast.stmt
    block: Sequence[ast.stmt]
    index: int
    owner: ast.AST

    @property
    def before(self) -> Sequence[ast.stmt]:
        """The statements of the block that come before it."""
        return self.block[: self.index]


class Layout:
    """The statements of one file. Raises ``SyntaxError``, ``ValueError`` or ``RecursionError`` where it is not understood."""

    def __init__(self, filename: str, lines: Sequence[str]) -> None:
        self.filename, self.lines = filename, lines
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse("\n".join(lines))
        self._spots: dict[ast.stmt, Spot] = {}
        self._starts: dict[tuple[int, int], ast.stmt] = {}
        self._owners: dict[ast.AST, ast.AST] = {}
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            owner = waiting.pop()
            for _, field in ast.iter_fields(owner):
                if not isinstance(field, list):
                    continue
                block = [one for one in field if isinstance(one, ast.stmt)]
                for index, node in enumerate(block):
                    self._spots[node] = Spot(node, block, index, owner)
                    self._starts[node.lineno, self.column(node.lineno, node.col_offset)] = node
                inner = [one for one in field if isinstance(one, (ast.stmt, ast.ExceptHandler, ast.match_case))]
                self._owners.update((one, owner) for one in inner)
                waiting += inner

    def column(self, row: int, offset: int) -> int:
        """The column, in characters from 1, of an offset in UTF-8 bytes, as ast counts."""
        return len(self.lines[row - 1].encode()[:offset].decode(errors="ignore")) + 1

    def at(self, position: Position) -> Spot | None:
        """The statement that starts there."""
        node = self._starts.get((position.row, position.column))
        return None if node is None else self._spots[node]

    def spot(self, node: ast.stmt) -> Spot:
        """Where a statement stands."""
        return self._spots[node]

    def around(self, spot: Spot) -> Iterator[Spot]:
        """The statement, then those that it stands in, from inside out."""
        node: ast.AST | None = spot.node
        while node is not None:
            if isinstance(node, ast.stmt):
                yield self._spots[node]
            node = self._owners.get(node)

    def function(self, spot: Spot) -> Function | ast.Module:
        """What a statement runs in: the innermost function around it, or the module."""
        for one in self.around(spot):
            if one.node is not spot.node and isinstance(one.node, Function):
                return one.node
        return self.tree

    def is_whole(self, node: ast.stmt) -> bool:
        """Whether a statement has its rows to itself, but for a comment."""
        before = self.lines[node.lineno - 1][: self.column(node.lineno, node.col_offset) - 1]
        last, end = node.end_lineno or 0, node.end_col_offset or 0
        rest = self.lines[last - 1][self.column(last, end) - 1 :].strip()
        return not before.strip() and (not rest or rest.startswith("#"))

    def first_row(self, node: ast.stmt) -> int:
        """The row that a statement begins on, its decorators included."""
        decorators = getattr(node, "decorator_list", [])
        return min((node.lineno, *(int(one.lineno) for one in decorators)))

    def indent(self, node: ast.stmt) -> str:
        """The blanks before a statement."""
        line = self.lines[node.lineno - 1]
        return line[: len(line) - len(line.lstrip())]

    def text(self, node: ast.AST) -> str:
        """The source of an expression or a statement."""
        first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
        lines = list(self.lines[first - 1 : last])
        lines[-1] = lines[-1][: self.column(last, getattr(node, "end_col_offset", 0)) - 1]
        lines[0] = lines[0][self.column(first, getattr(node, "col_offset", 0)) - 1 :]
        return "\n".join(lines)

    def rows(self, node: ast.stmt) -> list[str]:
        """The lines of a statement that has them to itself, without its indentation."""
        indent = self.indent(node)
        return [line.removeprefix(indent) for line in self.lines[self.first_row(node) - 1 : node.end_lineno]]

    def span(self, node: ast.stmt) -> Span:
        """The rows of a statement, with one line end."""
        first, last = self.first_row(node), node.end_lineno or 0
        if last < len(self.lines) or first == 1:
            return Span(self.filename, Position(first, 1), Position(last + 1, 1))
        before = Position(first - 1, len(self.lines[first - 2]) + 1)
        return Span(self.filename, before, Position(last, len(self.lines[last - 1]) + 1))

    def behind(self, node: ast.stmt) -> Span:
        """The place at the end of a statement's last row."""
        row = node.end_lineno or 0
        end = Position(row, len(self.lines[row - 1]) + 1)
        return Span(self.filename, end, end)

    def ahead(self, node: ast.stmt) -> Span:
        """The place at the beginning of a statement's first row."""
        start = Position(self.first_row(node), 1)
        return Span(self.filename, start, start)


def names_in(node: ast.AST) -> set[str]:
    """Every name that occurs somewhere in a node, be it read, bound, an argument or a definition."""
    found: set[str] = set()
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                found.add(name)
            case ast.alias(name=name):
                found.add(name.split(".")[0])
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                found.update(names)
            case _:
                pass
    return found


def free_name(layout: Layout | None, wanted: str) -> str:
    """The name, or one that begins with it, that the file does not use yet."""
    taken = set() if layout is None else names_in(layout.tree)
    if wanted not in taken:
        return wanted
    return next(name for number in range(2, len(taken) + 3) if (name := f"{wanted}_{number}") not in taken)
