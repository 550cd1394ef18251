"""Where no finding fits: the in-place writes near the frames of the traceback, which could have done it.

Syntax alone is looked at here, so these are guesses, and are shown as such.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..diagnostics import Position, Span
from ..opmodel import lookup
from . import nodes
from .match import Reason, Stacks
from .places import Lines
from .traceback import TorchError

_MOST = 5
_AT_WRITE = frozenset(
    (
        "leaf",
        "leaf-view",
        "out",
        "several-views",
        "function-view",
        "no-grad-view",
        "detach-view",
        "shared-memory",
        "inference",
    )
)
_METHOD = re.compile(r"[a-z]\w*[a-z0-9]_$")
# Methods that end in an underscore and write no values.
_HARMLESS = frozenset(("requires_grad_", "share_memory_", "pin_memory_"))


@dataclass(frozen=True)
class Guess:
    """A write that could be it: its place, its text, and why it is near."""

    span: Span
    text: str
    reasons: tuple[Reason, ...]

    @property
    def score(self) -> int:
        """The sum of the reasons' weights."""
        return sum(reason.weight for reason in self.reasons)


@dataclass(frozen=True)
class _Write:
    """A write by its syntax: what it writes to, how it is spelt, the kind of spelling, and the rows of the function around it."""

    node: ast.expr | ast.stmt
    target: str | None
    spelling: str
    form: str
    scope: tuple[int, int]


def guesses(error: TorchError, stacks: Stacks, files: Iterable[str], lines: Lines) -> list[Guess]:
    """The writes that could have caused an error, the likeliest first; none where nothing is near.

    Of a second backward, the calls of backward; of an error that comes up at the write, that place alone.
    """
    near = {place.filename for place in (*stacks.forward, *stacks.raised)}
    found: list[Guess] = []
    for filename in files:
        if near and filename not in near:
            continue
        source = lines(filename)
        tree = _parsed(source)
        if tree is None:
            continue
        if error.kind == "second-backward":
            found += _backwards(stacks, filename, source, tree)
            continue
        made = _made_by(error, tree)
        for write in _writes(tree, len(source)):
            reasons = tuple(_reasons(error, stacks, filename, write, made))
            guess = Guess(_span(filename, source, write.node), _text(source, write.node.lineno), reasons)
            if guess.score > (0 if near else 2):  # without a frame, only what the operation speaks for
                found.append(guess)
    if not found and stacks.raised and error.kind in _AT_WRITE:
        place = stacks.raised[0]
        text = _text(lines(place.filename), place.row)
        span = Span(place.filename, Position(place.row, 1), Position(place.row, len(text) + 1))
        found.append(Guess(span, text, (Reason(4, "PyTorch raises here"),)))
    found.sort(key=lambda it: (-it.score, it.span))
    best = found[0].score if found else 0
    return [it for it in found if it.score * 2 >= best][:_MOST]


def _backwards(stacks: Stacks, filename: str, source: Sequence[str], tree: ast.Module) -> Iterator[Guess]:
    """The calls of backward near the one that raised."""
    raised = [place for place in stacks.raised if place.filename == filename]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr != "backward" and not (node.func.attr == "grad" and node.args):
            continue
        for place in raised:
            if node.lineno <= place.row <= (node.end_lineno or node.lineno):
                reason = Reason(
                    4, "this backward raises: an earlier one, maybe its own in a round before, freed the graph"
                )
            elif place.scope[0] <= node.lineno <= place.scope[1]:
                reason = Reason(2, f"it may have freed the graph that the backward at line {place.row} needs")
            else:
                continue
            yield Guess(_span(filename, source, node), _text(source, node.lineno), (reason,))
            break


def _reasons(
    error: TorchError, stacks: Stacks, filename: str, write: _Write, made: Mapping[str, int]
) -> Iterator[Reason]:
    first, last = write.node.lineno, write.node.end_lineno or write.node.lineno
    raised = [place for place in stacks.raised if place.filename == filename]
    if error.kind in _AT_WRITE:
        for place in raised:
            if first <= place.row <= last:
                yield Reason(8 if place.inner == 0 else 4, f"PyTorch raises at line {place.row}, where it writes")
                return
        return
    forward = [place for place in stacks.forward if place.filename == filename]
    for place in forward:
        if not write.scope[0] <= place.row <= write.scope[1]:
            continue
        yield Reason(3, f"it is in the function whose operation at line {place.row} saved the tensor")
        if write.target and place.frame.text and re.search(rf"\b{re.escape(write.target)}\b", place.frame.text):
            yield Reason(4, f"it writes to `{write.target}`, which that line mentions")
        if first > place.row:
            yield Reason(2, "it comes after that line")
        break
    if any(write.scope[0] <= place.row <= write.scope[1] for place in raised):
        yield Reason(2, "it is in a function that the traceback passes through")
    elif raised or forward:
        yield Reason(1, "it is in a file that the traceback passes through")
    yield from _operation(error, write, made)


def _operation(error: TorchError, write: _Write, made: Mapping[str, int]) -> Iterator[Reason]:
    """What the operation that PyTorch names says of a write."""
    row = made.get(write.target or "")
    if row is not None and row <= write.node.lineno:
        yield Reason(5, f"it writes to `{write.target}`, a result of {error.producer} (line {row})")
    named = nodes.plain(error.producer) if error.producer is not None else None
    if named is not None and write.form != "step" and named in nodes.of_write(write.spelling, write.form):
        yield Reason(3, f"{error.producer} is what this write is recorded as")
    if write.form == "step" and (named in nodes.VIEWS or (named is None and error.version is not None)):
        yield Reason(2, "a step writes to parameters, and the tensor may be one, or a view of one")
    if isinstance(write.node, ast.AugAssign) and isinstance(write.node.value, ast.Constant):
        yield Reason(-1, "it may count something, and write no tensor")
    elif write.form == "method" and lookup.load().method(write.spelling) is None:
        yield Reason(-1, f"`{write.spelling}` is no method of tensors")


def _made_by(error: TorchError, tree: ast.Module) -> dict[str, int]:
    """The names that are bound to results of the operation that PyTorch names, each with the first such row."""
    if error.kind != "modified" or error.producer is None:
        return {}
    wanted = nodes.plain(error.producer).lower()
    made: dict[str, int] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        called = node.value.func
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        if name.replace("_", "").lower() == wanted:
            for target in node.targets:
                bound = _name(target)
                if bound is not None:
                    made[bound] = min(node.lineno, made.get(bound, node.lineno))
    return made


def _parsed(source: Sequence[str]) -> ast.Module | None:
    try:
        return ast.parse("\n".join(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _writes(tree: ast.Module, rows: int) -> Iterator[_Write]:
    """What writes in place by the look of it."""
    todo: list[tuple[ast.AST, tuple[int, int]]] = [(tree, (1, rows))]
    while todo:
        node, scope = todo.pop()
        inner = scope
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = (node.lineno, node.end_lineno or node.lineno)
        written = _written(node)
        if written is not None and isinstance(node, (ast.expr, ast.stmt)):
            yield _Write(node, *written, scope)
        todo.extend((child, inner) for child in ast.iter_child_nodes(node))


def _written(node: ast.AST) -> tuple[str | None, str, str] | None:
    """What a piece of syntax writes to, how the write is spelt and the kind of spelling; None where it writes nothing."""
    if isinstance(node, ast.AugAssign):
        if isinstance(node.target, ast.Subscript):
            return _name(node.target), "[...] =", "item"
        return _name(node.target), f"{_SYMBOLS.get(type(node.op), '?')}=", "operator"
    if isinstance(node, ast.Assign):
        items = [target for target in node.targets if isinstance(target, ast.Subscript)]
        if items and not (isinstance(items[0].slice, ast.Constant) and isinstance(items[0].slice.value, str)):
            return _name(items[0].value), "[...] =", "item"
        return None
    if not isinstance(node, ast.Call):
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else _name(node.func) or ""
    for keyword in node.keywords:
        if keyword.arg == "inplace" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True:
            return _name(node.args[0]) if node.args else None, called, "function"
        if keyword.arg == "out":
            return _name(keyword.value), called, "out"
    if isinstance(node.func, ast.Attribute):
        if called == "step":
            return None, called, "step"
        if _METHOD.match(called) and called not in _HARMLESS:
            return _name(node.func.value), called, "method"
    return None


_SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@", ast.FloorDiv: "//", ast.Mod: "%",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip


def _name(node: ast.expr) -> str | None:
    """The dotted name of what is written, without indices."""
    while isinstance(node, (ast.Subscript, ast.Starred)):
        node = node.value
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def _span(filename: str, source: Sequence[str], node: ast.expr | ast.stmt) -> Span:
    end = node.end_lineno or node.lineno
    return Span(
        filename,
        Position(node.lineno, _column(source, node.lineno, node.col_offset)),
        Position(end, _column(source, end, node.end_col_offset or 0)),
    )


def _column(source: Sequence[str], row: int, offset: int) -> int:
    """The column in characters, from 1, of an offset in bytes."""
    line = source[row - 1] if row <= len(source) else ""
    return len(line.encode(errors="replace")[:offset].decode(errors="replace")) + 1


def _text(source: Sequence[str], row: int) -> str:
    return source[row - 1].strip() if row <= len(source) else ""
