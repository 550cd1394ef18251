"""Where no finding fits: the in-place writes near the frames of the traceback, which could have done it.

Syntax alone is looked at here, so these are guesses, and are shown as such.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..diagnostics import Position, Span
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
    node: ast.expr | ast.stmt
    target: str | None
    scope: tuple[int, int]


def guesses(error: TorchError, stacks: Stacks, files: Iterable[str], lines: Lines) -> list[Guess]:
    """The writes that could have caused an error, the likeliest first; none where nothing is near."""
    if error.kind in ("second-backward", "interior-grad"):
        return []
    near = {place.filename for place in (*stacks.forward, *stacks.raised)}
    found: list[Guess] = []
    for filename in files:
        if near and filename not in near:
            continue
        source = lines(filename)
        for write in _writes(source):
            reasons = tuple(_reasons(error, stacks, filename, write))
            guess = Guess(_span(filename, source, write.node), _text(source, write.node), reasons)
            if reasons and guess.score > 0:
                found.append(guess)
    found.sort(key=lambda it: (-it.score, it.span))
    best = found[0].score if found else 0
    return [it for it in found if it.score * 2 >= best][:_MOST]


def _reasons(error: TorchError, stacks: Stacks, filename: str, write: _Write) -> Iterator[Reason]:
    first, last = write.node.lineno, write.node.end_lineno or write.node.lineno
    raised = [place for place in stacks.raised if place.filename == filename]
    if error.kind in _AT_WRITE:
        for place in raised:
            if first <= place.row <= last:
                yield Reason(8 if place.inner == 0 else 4, f"PyTorch raises at line {place.row}, where it writes")
                return
        return
    if isinstance(write.node, ast.AugAssign) and isinstance(write.node.value, ast.Constant):
        yield Reason(-1, "it may count something, and write no tensor")
    if not stacks.raised and not stacks.forward:
        yield Reason(1, "it writes in place")
    forward = [place for place in stacks.forward if place.filename == filename]
    for place in forward:
        if not write.scope[0] <= place.row <= write.scope[1]:
            continue
        yield Reason(3, f"it is in the function whose operation at line {place.row} saved the tensor")
        if write.target and place.frame.text and re.search(rf"\b{re.escape(write.target)}\b", place.frame.text):
            yield Reason(4, f"it writes to `{write.target}`, which that line mentions")
        if first >= place.row:
            yield Reason(1, "it comes after that line")
        break
    if any(write.scope[0] <= place.row <= write.scope[1] for place in raised):
        yield Reason(1, "it is in a function that the traceback passes through")
    elif raised or forward:
        yield Reason(1, "it is in a file that the traceback passes through")


def _writes(source: Sequence[str]) -> Iterator[_Write]:
    """What writes in place by the look of it, with the rows of the function around it."""
    try:
        tree = ast.parse("\n".join(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    todo: list[tuple[ast.AST, tuple[int, int]]] = [(tree, (1, len(source)))]
    while todo:
        node, scope = todo.pop()
        inner = scope
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = (node.lineno, node.end_lineno or node.lineno)
        written = _written(node)
        if written is not None:
            yield _Write(written[0], written[1], scope)
        todo.extend((child, inner) for child in ast.iter_child_nodes(node))


def _written(node: ast.AST) -> tuple[ast.expr | ast.stmt, str | None] | None:
    """The syntax that writes in place, and the name of what it writes to."""
    if isinstance(node, ast.AugAssign):
        return node, _name(node.target)
    if isinstance(node, ast.Assign):
        items = [target for target in node.targets if isinstance(target, ast.Subscript)]
        if items and not (isinstance(items[0].slice, ast.Constant) and isinstance(items[0].slice.value, str)):
            return node, _name(items[0].value)
        return None
    if not isinstance(node, ast.Call):
        return None
    for keyword in node.keywords:
        if keyword.arg == "inplace" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True:
            return node, _name(node.args[0]) if node.args else None
        if keyword.arg == "out":
            return node, _name(keyword.value)
    if isinstance(node.func, ast.Attribute):
        if node.func.attr == "step":
            return node, None
        if _METHOD.match(node.func.attr) and node.func.attr not in _HARMLESS:
            return node, _name(node.func.value)
    return None


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


def _text(source: Sequence[str], node: ast.expr | ast.stmt) -> str:
    """The line that the write starts on."""
    return source[node.lineno - 1].strip() if node.lineno <= len(source) else ""
