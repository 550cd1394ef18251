"""The names that a fix needs: ``torch``, ``nn`` and ``F`` in its code become what the file calls them, or are imported."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ..diagnostics import LINE_END, Diagnostic, Edit, Position, Span
from .edits import Misplaced, Text

ROOTS = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}
"""The names that fixes are written with, and the modules that they mean."""

_IMPORTS = {"torch": "import torch", "nn": "from torch import nn", "F": "import torch.nn.functional as F"}

# Strings and comments are matched in order to be passed by.
_USE = re.compile(
    r"""
      (?P<other>\"{3}(?:[^\\]|\\.)*?\"{3} | '{3}(?:[^\\]|\\.)*?'{3} | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | \#[^\n]*)
    | (?<![\w.])(?P<root>torch|nn|F)(?P<rest>(?:\.[A-Za-z_]\w*)+)
    """,
    re.VERBOSE | re.DOTALL,
)


class NameTaken(Exception):
    """A name that would have to be imported means something else in the file."""

    def __init__(self, name: str) -> None:
        super().__init__(f"it needs `{name}`, which means something else here")


@dataclass(frozen=True)
class _Binding:
    """A name bound in the rows of a scope; ``path`` is what an import brings, None where anything else binds it."""

    name: str
    path: str | None
    first: int
    last: int


class Names:
    """What a file's names mean, as far as fixes ask."""

    def __init__(self, source: str) -> None:
        self._source = source

    @cached_property
    def _tree(self) -> ast.Module | None:
        return _parse(self._source)

    @cached_property
    def _bindings(self) -> list[_Binding]:
        return [] if self._tree is None else list(_bindings(self._tree))

    @cached_property
    def _lines(self) -> list[str]:
        return LINE_END.split(self._source)

    def spelt(self, edit: Edit, old: str) -> tuple[Edit, ...]:
        """The edit in the file's own words, with the imports that it needs. ``old`` is the text that it replaces.

        Raises ``NameTaken`` where a needed name is not to be had.
        """
        if not _asks(edit.content) or self._tree is None:
            return (edit,)
        row = edit.span.start.row
        kept = {match["root"] for match in _USE.finditer(old) if match["root"]}
        missing: dict[str, None] = {}

        def replaced(match: re.Match[str]) -> str:
            root = match["root"]
            if root is None or root in kept or self._path(root, row) == ROOTS[root]:
                return match.group()
            own = self._own(ROOTS[root] + match["rest"], row)
            if own is None:
                missing[root] = None
            return own or match.group()

        content = _USE.sub(replaced, edit.content)
        for root in missing:
            if any(it.name == root and it.path != ROOTS[root] for it in self._bindings):
                raise NameTaken(root)
        imports = tuple(self._import(_IMPORTS[root], edit.span.filename) for root in missing)
        return (*imports, Edit(content, edit.span))

    def _path(self, name: str, row: int) -> str | None:
        """What an import makes the name mean at a row, by the innermost scope that binds it."""
        found = [it for it in self._bindings if it.name == name and it.first <= row <= it.last]
        if not found:
            return None
        innermost = min(it.last - it.first for it in found)
        paths = {it.path for it in found if it.last - it.first == innermost}
        if len(paths) > 1:
            # `except ImportError: torch = None` takes no meaning away.
            paths.discard(None)
        return paths.pop() if len(paths) == 1 else None

    def _own(self, dotted: str, row: int) -> str | None:
        """How the file can write a dotted name: by the longest part of it that has a name of its own."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            path = ".".join(parts[:length])
            for it in self._bindings:
                if it.path == path and self._path(it.name, row) == path:
                    return ".".join([it.name, *parts[length:]])
        return None

    def _import(self, statement: str, filename: str) -> Edit:
        """The statement on a line of its own, below the imports that the file begins with, or its docstring."""
        assert self._tree is not None
        last: ast.stmt | None = None
        for number, node in enumerate(self._tree.body):
            if not (_imports_only(node) or (number == 0 and _is_docstring(node))):
                break
            last = node
        if last is None:
            row = _first_row(self._tree.body[0]) if self._tree.body else 1
            return _insertion(f"{statement}\n", filename, row, 1)
        row = last.end_lineno or last.lineno
        # Statements may share the line, the last of which may be long.
        for node in self._tree.body:
            if node.lineno <= row < (node.end_lineno or node.lineno):
                row = node.end_lineno or row
        gap = "\n" if _is_docstring(last) else ""
        if row < len(self._lines):
            return _insertion(f"{gap}{statement}\n", filename, row + 1, 1)
        return _insertion(f"\n{gap}{statement}", filename, row, len(self._lines[row - 1]) + 1)


class Speller:
    """Puts the fixes of findings into the words of the files that they are for; ``source`` gives a file's text, by name."""

    def __init__(self, source: Callable[[str], str]) -> None:
        self._source = source
        self._files: dict[str, tuple[Text, Names]] = {}

    def spelt(self, found: Diagnostic) -> Diagnostic:
        """The finding, its fix as it would be made; as it is where the text has no such place."""
        fix = found.fix
        code = [edit.content for edit in fix.edits] if fix else []
        if fix is None or not any(_asks(content) for content in [*code, found.suggestion or ""]):
            return found
        try:
            edits = tuple(dict.fromkeys(one for edit in fix.edits for one in self._edits(edit)))
            suggestion = found.suggestion
            if suggestion is not None and found.suggestion_span is not None:
                suggestion = self._edits(Edit(suggestion, found.suggestion_span))[-1].content
        except Misplaced:
            return found
        except NameTaken:
            # There is nothing to import it as: the code shows what to do, and no more.
            return replace(found, fix=replace(fix, applicability="display-only", edits=()))
        return replace(found, fix=replace(fix, edits=edits), suggestion=suggestion)

    def _edits(self, edit: Edit) -> tuple[Edit, ...]:
        name = edit.span.filename
        if name not in self._files:
            source = self._source(name)
            self._files[name] = Text(source), Names(source)
        text, names = self._files[name]
        old = text.source[text.offset(edit.span.start) : text.offset(edit.span.end)]
        return names.spelt(edit, old)


def _asks(content: str) -> bool:
    """Whether code uses a name that may have to be put in the file's words."""
    return any(match["root"] for match in _USE.finditer(content))


def _insertion(content: str, filename: str, row: int, column: int) -> Edit:
    place = Position(row, column)
    return Edit(content, Span(filename, place, place))


def _parse(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports_only(node: ast.stmt) -> bool:
    """Whether a statement is an import, or tries one."""
    if isinstance(node, ast.Try):
        return all(_imports_only(inner) for inner in node.body)
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _first_row(node: ast.stmt) -> int:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return node.lineno


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def _bindings(tree: ast.Module) -> Iterator[_Binding]:
    """Every binding of a name, with the rows of the scope that it is made in."""
    pending: list[tuple[ast.AST, int, int]] = [(tree, 0, 1 << 60)]
    while pending:
        node, first, last = pending.pop()
        if isinstance(node, ast.If) and _is_for_type_checkers(node.test):
            pending += ((inner, first, last) for inner in node.orelse)
            continue
        for name, path in _bound(node):
            yield _Binding(name, path, first, last)
        if isinstance(node, _SCOPES):
            first, last = node.lineno, node.end_lineno or node.lineno
            if not isinstance(node, ast.ClassDef):
                for arg in ast.walk(node.args):
                    if isinstance(arg, ast.arg):
                        yield _Binding(arg.arg, None, first, last)
        pending += ((inner, first, last) for inner in ast.iter_child_nodes(node))


def _bound(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """The names that a node itself binds, with the path where it is an import."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            path = f"{node.module}.{alias.name}" if node.module and not node.level else None
            yield alias.asname or alias.name, path
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name, None
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id, None
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name, None


def _is_for_type_checkers(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
