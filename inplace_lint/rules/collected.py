"""A tensor that a loop fills row by row, as a list that is stacked after the loop.

Writing a row is what breaks what earlier rows went into; a list has no version counter, and each row keeps its own. The rewrite
is spelled only where the loop fills the whole tensor in order, and nothing but single rows that are there already is read on the
way.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..diagnostics import Edit, Position, Span
from ..events import Write
from .base import RuleContext
from .layout import Layout, Spot, names_in

_FACTORIES = {"zeros", "ones", "empty", "full", "new_zeros", "new_ones", "new_empty", "new_full"}


def in_a_list(ctx: RuleContext, write: Write) -> tuple[Edit, ...]:
    """The edits that make a list of a tensor of which ``write`` sets a row in each round; none where it is not that clear."""
    layout, spot = ctx.layout(write.site), ctx.spot(write.site)
    row = None if spot is None else _row(spot.node)
    if layout is None or spot is None or row is None:
        return ()
    loop, (name, index, _) = spot.owner, row
    counted = _counted(loop)
    ahead = None if counted is None else _offset(index, counted.name)
    if not isinstance(loop, ast.For) or counted is None or ahead is None:
        return ()
    made = _made_before(layout.spot(loop), name, counted.start + ahead)
    if made is None or not _is_sum(_size(made[0]), counted.stop, ahead):
        return ()
    if not _reads_rows_only(spot, loop, name, counted, ahead):
        return ()
    changed = [*made, spot.node]
    if any((found := _row(node)) is not None and _is_plain(found[2]) for node in changed):
        return ()
    if not all(map(layout.is_whole, (*changed, loop))) or any(one.lineno != one.end_lineno for one in made):
        return ()
    stacked = f"\n{layout.indent(loop)}{name} = torch.stack({name})"
    first, last = _extent(layout, made[0]), _extent(layout, made[-1])
    rows = [row[2] for one in made[1:] if (row := _row(one)) is not None]
    if last.start.row - first.start.row == len(rows) and not any(_has_comment(layout, one) for one in made[:-1]):
        given = ", ".join(map(layout.text, rows))
        edits = [Edit(f"{name} = [{given}]", Span(layout.filename, first.start, last.end))]
        changed = [spot.node]
    else:
        edits = [Edit(f"{name} = []", first)]
    for one in changed:
        if (row := _row(one)) is not None:
            edits.append(Edit(f"{name}.append({layout.text(row[2])})", _extent(layout, one)))
    return (*edits, Edit(stacked, layout.behind(loop)))


def _row(node: ast.stmt) -> tuple[str, ast.expr, ast.expr] | None:
    """The name, the index and the value of ``name[index] = value``."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=index)], value=value):
            return name, index, value
    return None


@dataclass(frozen=True)
class _Counter:
    """What counts a loop's rounds: its name, its first value and the one at which it stops."""

    name: str
    start: int
    stop: ast.expr


def _counted(loop: ast.AST) -> _Counter | None:
    """The counter of ``for counter in range(start, stop)`` that runs all its rounds to their ends."""
    match loop:
        case ast.For(
            target=ast.Name(id=name),
            iter=ast.Call(func=ast.Name(id="range"), args=[*start, stop], keywords=[]),
            orelse=[],
            body=body,
        ):
            leaves = (ast.Break, ast.Continue, ast.Return)
            if any(isinstance(part, leaves) for one in body for part in ast.walk(one)):
                return None
            match start:
                case []:
                    return _Counter(name, 0, stop)
                case [ast.Constant(value=int(first))]:
                    return _Counter(name, first, stop)
    return None


def _offset(index: ast.expr, counter: str) -> int | None:
    """How far an index is ahead of the counter; None where it is something else."""
    match index:
        case ast.Name(id=name) if name == counter:
            return 0
        case ast.BinOp(left=ast.Name(id=name), op=ast.Add() | ast.Sub() as sign, right=ast.Constant(value=int(by))):
            return None if name != counter else by if isinstance(sign, ast.Add) else -by
    return None


def _made_before(loop: Spot, name: str, rows: int) -> list[ast.stmt] | None:
    """What makes the tensor in front of the loop, and the ``rows`` statements that set its first rows, in order."""
    found: list[ast.stmt] = []
    for node in reversed(loop.before if rows >= 0 else ()):
        if name not in names_in(node):
            continue
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Call()) if bound == name and len(found) == rows:
                return [node, *reversed(found)]
        row = _row(node)
        wanted = rows - 1 - len(found)
        if row is None or not isinstance(row[1], ast.Constant) or row[1].value != wanted or name in names_in(row[2]):
            return None
        found.append(node)
    return None


def _size(made: ast.stmt) -> ast.expr | None:
    """The number of rows that a factory is given."""
    match made:
        case ast.Assign(value=ast.Call(func=ast.Attribute(attr=factory), args=[first, *_])) if factory in _FACTORIES:
            match first:
                case ast.Tuple(elts=[size, *_]) | ast.List(elts=[size, *_]):
                    return size
            return first
    return None


def _is_sum(size: ast.expr | None, stop: ast.expr, ahead: int) -> bool:
    """Whether the last round sets the last row."""
    if size is None:
        return False
    base, more = _parts(size)
    other, less = _parts(stop)
    return base == other and more == less + ahead


def _parts(number: ast.expr) -> tuple[str, int]:
    """An expression as something and a number that is added to it."""
    match number:
        case ast.Constant(value=int(value)):
            return "", value
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=ast.Constant(value=int(by))):
            return ast.unparse(left), by if isinstance(sign, ast.Add) else -by
    return ast.unparse(number), 0


def _reads_rows_only(write: Spot, loop: ast.For, name: str, counter: _Counter, ahead: int) -> bool:
    """Whether a round reads single rows alone, and only those that a list holds by then."""
    if counter.name in {one.id for one in _names(loop.body) if isinstance(one.ctx, ast.Store)}:
        return False
    for place, node in enumerate(loop.body):
        rows = [part for part in ast.walk(node) if isinstance(part, ast.Subscript)]
        known = {id(part.value) for part in rows if isinstance(part.value, ast.Name) and part.value.id == name}
        if any(one.id == name and id(one) not in known for one in _names([node])):
            return False
        for part in rows:
            if id(part.value) not in known or (node is write.node and isinstance(part.ctx, ast.Store)):
                continue
            there = _offset(part.slice, counter.name)
            last = ahead if place > write.index else ahead - 1
            if not isinstance(part.ctx, ast.Load) or there is None or not -counter.start <= there <= last:
                return False
    return True


def _is_plain(value: ast.expr) -> bool:
    """Whether a value is spelled without a name: a number, which fills a row, and is none."""
    return not any(isinstance(part, ast.Name) for part in ast.walk(value))


def _names(body: Sequence[ast.stmt]) -> Iterator[ast.Name]:
    return (part for one in body for part in ast.walk(one) if isinstance(part, ast.Name))


def _has_comment(layout: Layout, node: ast.stmt) -> bool:
    return "#" in layout.lines[node.lineno - 1][_extent(layout, node).end.column - 1 :]


def _extent(layout: Layout, node: ast.stmt) -> Span:
    start = Position(node.lineno, layout.column(node.lineno, node.col_offset))
    last = node.end_lineno or node.lineno
    return Span(layout.filename, start, Position(last, layout.column(last, node.end_col_offset or 0)))
