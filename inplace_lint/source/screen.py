"""Two screens that pass by what cannot hold a finding, so that most code is never lowered.

The *byte screen* looks at a file as a string of bytes. The *ast screen* parses with the standard library, which is
several times faster than libcst, and lists the module's definitions with what each of them mentions.

Both may say yes too often, never no too often: neither may know names of operators, which are the op model's
business, so that they go by how in-place writes are *spelled* in Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .syntax import parsed

_TORCH = re.compile(rb"torch")
_OWN_IMPORT = re.compile(rb"^[ \t]*from[ \t]+\.", re.MULTILINE)
_IN_PLACE = re.compile(
    rb"[-+*/%&|^@<>]="  # augmented assignment (comparisons too: cheaper than telling them apart)
    rb"|\]\s*="  # a subscript assigned to
    rb"|\w_\("  # a method whose name ends in an underscore
    rb"|inplace|\bout\s*=|\.data\b|\.grad\b|backward\(|autograd|\.step\(|\.numpy\("
)

# Attributes that read or write a tensor behind autograd's back, run a backward pass, or write to parameters.
_TELLING_ATTRIBUTES = frozenset(
    {
        "autograd",
        "backward",
        "data",
        "data_ptr",
        "grad",
        "manual_backward",
        "numpy",
        "step",
        "storage",
        "untyped_storage",
        "__array__",
    }
)
_TRAINERS_CALL = frozenset({"training_step"})  # Lightning's trainer runs backward from what it returns
_TELLING_KEYWORDS = frozenset({"inplace", "out"})
_TELLING_NAMES = frozenset({"autograd", "backward", "grad"})
# `x.add_`, `x.__iadd__`, `operator.iadd`, `x.__setitem__`
_IN_PLACE_METHOD = re.compile(
    r"[^_]_$"
    r"|^(?:__)?i(?:add|sub|mul|matmul|truediv|floordiv|mod|pow|lshift|rshift|and|xor|or)(?:__)?$"
    r"|^(?:__)?(?:set|del)(?:item|attr)(?:__)?$"
)

# A method named in text, for `getattr` or a table of methods (beginnings of names such as f"conv_{n}" too).
_IN_PLACE_NAME = re.compile(r"(?!_)\w*[^_\W]_")

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def may_concern(data: bytes, package: str | None = None) -> bool:
    """Whether a file can hold a finding, as far as its bytes tell.

    True when it mentions torch; or when it has something like an in-place write *and* imports from its own project
    (relatively, or from ``package``, the top-level package that it belongs to), since then torch may come to it
    through its neighbours.
    """
    if _TORCH.search(data):
        return True
    imports_own = _OWN_IMPORT.search(data) is not None
    if not imports_own and package:
        name = re.escape(package.encode())
        imports_own = re.search(rb"^[ \t]*(?:from|import)[ \t]+" + name + rb"\b", data, re.MULTILINE) is not None
    return imports_own and _IN_PLACE.search(data) is not None


@dataclass(slots=True)
class Definition:
    """One function or class, or the module itself (``<module>``), with all that stands inside.

    ``first_row`` is the row of its first decorator or of its header, ``last_row`` its last row. ``names`` and
    ``attributes`` are what it mentions, nested definitions included. ``is_telling`` says that it holds something
    that could write in place, end a graph or go behind autograd's back.
    """

    qualname: str
    kind: str
    first_row: int
    last_row: int
    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    is_telling: bool = False


@dataclass(frozen=True, slots=True)
class ModuleIndex:
    """What the ast screen knows of a module; ``definitions`` are in the order of the file, the module itself first.

    ``imports`` lists the modules that are imported, relative ones with their leading dots; ``imported`` the same as level,
    module and the names that are taken from it.
    """

    definitions: tuple[Definition, ...]
    imports: tuple[str, ...]
    imported: tuple[tuple[int, str, tuple[str, ...]], ...]
    tree: ast.Module

    @property
    def is_telling(self) -> bool:
        """Whether anything in the module could write in place, end a graph or go behind autograd's back."""
        return self.definitions[0].is_telling

    def telling(self) -> Iterator[Definition]:
        """The functions and classes that hold something telling, and the module where it does so itself."""
        return (definition for definition in self.definitions if definition.is_telling)


def index(source: str) -> ModuleIndex | None:
    """Index a module; None where this Python's own parser cannot read it, which newer syntax may cause."""
    tree = parsed(source)
    return None if isinstance(tree, SyntaxError) else _Indexer(tree).run()


class _Indexer:
    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._definitions: list[Definition] = []
        self._imports: list[tuple[int, tuple[int, str, tuple[str, ...]]]] = []

    def run(self) -> ModuleIndex:
        """Walk the tree and put together what was found."""
        last = max((getattr(node, "end_lineno", 1) for node in self._tree.body), default=1)
        module = Definition("<module>", "module", 1, last)
        self._definitions.append(module)
        # Definitions come after what encloses them, so that going backwards hands everything on outwards.
        enclosing: list[tuple[Definition, Definition]] = []
        pending: list[tuple[Definition, str, list[ast.AST]]] = [(module, "", list(self._tree.body))]
        while pending:
            definition, prefix, nodes = pending.pop()
            for node in self._walk(definition, nodes):
                inner = _definition(node, prefix)
                self._definitions.append(inner)
                enclosing.append((definition, inner))
                separator = "." if inner.kind == "class" else ".<locals>."
                pending.append((inner, inner.qualname + separator, _inside(node)))
        for outer, inner in reversed(enclosing):
            outer.names |= inner.names
            outer.attributes |= inner.attributes
            outer.is_telling |= inner.is_telling
        functions = sorted(self._definitions[1:], key=lambda d: (d.first_row, -d.last_row))
        imported = tuple(found for _, found in sorted(self._imports, key=lambda found: found[0]))
        imports = tuple("." * level + name for level, name, _ in imported)
        return ModuleIndex((module, *functions), imports, imported, self._tree)

    def _walk(
        self, definition: Definition, nodes: list[ast.AST]
    ) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
        """Record what ``nodes`` mention, and yield the definitions right inside instead of entering them."""
        names, attributes = definition.names, definition.attributes
        while nodes:
            node = nodes.pop()
            if isinstance(node, ast.Name):
                names.add(node.id)
                continue
            if isinstance(node, _DEFINITIONS):
                yield node
                continue
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self._imports.extend((node.lineno, name) for name in _imported(node))
                continue
            if not definition.is_telling and _is_telling(node):
                definition.is_telling = True
            for name in node._fields:
                value = getattr(node, name, None)
                if isinstance(value, ast.AST):
                    nodes.append(value)
                elif isinstance(value, list):
                    nodes.extend(item for item in value if isinstance(item, ast.AST))


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, prefix: str) -> Definition:
    first = min((decorator.lineno for decorator in node.decorator_list), default=node.lineno)
    kind = "class" if isinstance(node, ast.ClassDef) else "function"
    made = Definition(prefix + node.name, kind, first, node.end_lineno or node.lineno)
    made.is_telling = node.name in _TRAINERS_CALL
    return made


def _inside(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.AST]:
    """All that a definition holds, its decorators, defaults and bases included."""
    return list(ast.iter_child_nodes(node))


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    if isinstance(node, ast.Import):
        yield from ((0, alias.name, ()) for alias in node.names)
    else:
        yield node.level, node.module or "", tuple(alias.name for alias in node.names)


def _is_telling(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        if node.attr in _TELLING_ATTRIBUTES or _IN_PLACE_METHOD.search(node.attr):
            return True
        # `self.hidden = h` binds an attribute of an object that is no tensor: it writes to no storage.
        return not isinstance(node.ctx, ast.Load) and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    if isinstance(node, ast.Subscript):
        return not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Call):
        return _is_telling_call(node)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and _IN_PLACE_NAME.fullmatch(node.value) is not None
    return isinstance(node, ast.AugAssign)


def _is_telling_call(node: ast.Call) -> bool:
    func = node.func
    called = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    if called in _TELLING_NAMES or _IN_PLACE_METHOD.search(called):
        return True
    if any(keyword.arg is None or keyword.arg in _TELLING_KEYWORDS for keyword in node.keywords):
        return True
    if called == "getattr" and any(_ends_in_underscore(part) for arg in node.args[1:2] for part in ast.walk(arg)):
        return True
    # `nn.ReLU(True)`: whether a flag means in place, only the op model knows.
    return any(
        (isinstance(arg, ast.Constant) and arg.value is True)
        or isinstance(arg, ast.Starred)
        or (isinstance(arg, ast.Name) and "inplace" in arg.id)
        or (isinstance(arg, ast.Attribute) and "inplace" in arg.attr)
        for arg in node.args
    )


def _ends_in_underscore(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search("(?<!_)_$", node.value) is not None
    )
