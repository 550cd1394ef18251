"""What statements read and bind, and which of them a value comes from: as far as names tell, without running anything."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence

from .layout import Function, Layout, Loop, Spot

# What comes out of these has no graph, so that it carries nothing on.
_CUTS = frozenset({"item", "detach", "tolist", "numpy", "sample", "zero_grad", "parameters"})
_PLAIN = frozenset(dir(builtins))


def name_of(node: ast.AST) -> str | None:
    """A plain name, or an attribute of ``self``, as text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return f"self.{node.attr}"
    return None


def reads(node: ast.AST) -> set[str]:
    """The names that a node reads, but for what is cut off from its graph there."""
    found: set[str] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in _CUTS:
            continue
        name = name_of(part)
        if name is None:
            waiting += ast.iter_child_nodes(part)
        elif not isinstance(getattr(part, "ctx", None), ast.Store):
            found.add(name)
    if isinstance(node, ast.AugAssign) and (target := name_of(node.target)):
        found.add(target)
    return found - _PLAIN - {"self", "torch"}


def mentions(node: ast.AST) -> set[str]:
    """Every name that a node reads, whatever becomes of it."""
    found = {name_of(part) for part in ast.walk(node) if not isinstance(getattr(part, "ctx", None), ast.Store)}
    found |= {name_of(part.target) for part in ast.walk(node) if isinstance(part, ast.AugAssign)}
    return {name for name in found if name is not None}


def binds(node: ast.AST) -> set[str]:
    """The names that a statement binds, in whatever stands inside it as well."""
    found = {name_of(part) for part in ast.walk(node) if isinstance(getattr(part, "ctx", None), ast.Store)}
    found |= {part.name for part in ast.walk(node) if isinstance(part, (Function, ast.ClassDef))}
    own = [part.target for part in ast.walk(node) if isinstance(part, ast.comprehension)]
    found -= {name_of(part) for target in own for part in ast.walk(target)}
    return {name for name in found if name is not None}


def runs_network(node: ast.AST) -> bool:
    """Whether something is called that may be a network: a function of the code's own, ``self.net(x)``, ``nets[0](x)``."""
    for part in ast.walk(node):
        if not isinstance(part, ast.Call) or isinstance(part.func, ast.Call):
            continue
        func = part.func
        if isinstance(func, ast.Name):
            # A class (`Categorical(...)`) makes an object; one capital alone (`D`) is a network in many a training script.
            if func.id not in _PLAIN and not (func.id[:1].isupper() and len(func.id) > 2):
                return True
        elif isinstance(func, ast.Subscript) or name_of(func) is not None or getattr(func, "attr", "") == "forward":
            return True
    return False


def callees(node: ast.AST) -> set[str]:
    """What is called in a node, as text."""
    return {ast.unparse(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}


def flat(block: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block and of the blocks in it, in the order of the text; compound ones before what they hold."""
    for node in block:
        yield node
        if isinstance(node, (Function, ast.ClassDef)):
            continue
        for field in ("body", "handlers", "cases", "orelse", "finalbody"):
            for inner in getattr(node, field, []):
                yield from flat([inner] if isinstance(inner, ast.stmt) else inner.body)


def simple(node: ast.stmt) -> bool:
    """Whether a statement holds no others."""
    return not hasattr(node, "body")


class Flow:
    """How values go from name to name in some statements, each of them taken to run."""

    def __init__(self, block: Iterable[ast.stmt]) -> None:
        self.sources: dict[str, set[str]] = {}
        self.bound: dict[str, list[ast.stmt]] = {}
        self.first_read: dict[str, int] = {}
        self.first_bound: dict[str, int] = {}
        for number, node in enumerate(flat(block)):
            head: Sequence[ast.AST] = [node] if simple(node) else _head(node)
            came = set().union(*(reads(part) for part in head)) if head else set()
            for name in came:
                self.first_read.setdefault(name, number)
            grown = _grown(node)
            if grown is not None:
                self.sources.setdefault(grown, set()).update(came)
            for name in binds(node) if simple(node) else set().union(*(binds(part) for part in head), set()):
                self.sources.setdefault(name, set()).update(came)
                self.first_bound.setdefault(name, number)
                self.bound.setdefault(name, []).append(node)

    def origins(self, names: Iterable[str]) -> set[str]:
        """The names, and those that their values come from."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.sources.get(name, ())
        return found

    def carried(self, names: Iterable[str]) -> list[str]:
        """Those among the origins of the names that a round takes over from the last one, and makes a new value from."""
        return sorted(
            name
            for name in self.origins(names)
            if name in self.bound
            and self.first_read.get(name, len(self.first_read) + 1) <= self.first_bound[name]
            and name in self.origins(self.sources[name])
            and self.sources[name] - {name}
            and not any(_starts_anew(node) for node in self.bound[name])
        )


_FRESH = (ast.Constant, ast.List, ast.ListComp, ast.Dict, ast.DictComp)


def _starts_anew(node: ast.stmt) -> bool:
    """Whether an assignment binds something that no graph hangs on, be it detached."""
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    cut = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _CUTS
    return cut or isinstance(value, _FRESH)


def _grown(node: ast.stmt) -> str | None:
    """The list that a statement adds to."""
    call = node.value if isinstance(node, ast.Expr) else None
    if (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("append", "extend", "insert")
    ):
        return name_of(call.func.value)
    return None


def _head(node: ast.stmt) -> list[ast.AST]:
    """The expressions of a compound statement's header."""
    parts = [getattr(node, field, None) for field in ("test", "iter", "target", "subject")]
    items = getattr(node, "items", [])
    return [part for part in (*parts, *items) if isinstance(part, ast.AST)]


def made_before(layout: Layout, spot: Spot, names: Iterable[str]) -> list[ast.stmt] | None:
    """The statements ahead of one, in its block, that compute what it needs of the names by networks, in order.

    None where a network runs in a statement that is not simple, or where something is added to what is there.
    """
    needed, found = set(names), []
    for node in reversed(spot.before):
        if isinstance(node, (Function, ast.ClassDef, ast.Import, ast.ImportFrom)) or not binds(node) & needed:
            continue
        if not simple(node) and not (isinstance(node, ast.With) and all(map(simple, node.body))):
            if runs_network(node):
                return None
            continue
        found.append(node)
        needed |= reads(node)
    kept: list[ast.stmt] = []
    new: set[str] = set()
    for node in reversed(found):
        value = node if isinstance(node, ast.With) else getattr(node, "value", None)
        if value is not None and (runs_network(value) or reads(node) & new):
            if isinstance(node, ast.AugAssign) and not binds(node) & new:
                return None
            kept.append(node)
            new |= binds(node)
    return kept if all(layout.is_whole(node) for node in kept) else None


def loop_around(layout: Layout, one: Spot, other: Spot) -> Spot | None:
    """The innermost loop in which both statements stand, in one function."""
    around = [spot.node for spot in layout.around(other)]
    for spot in layout.around(one):
        if isinstance(spot.node, Function):
            return None
        if isinstance(spot.node, Loop) and spot.node in around:
            return spot
    return None


def siblings(layout: Layout, one: Spot, other: Spot) -> tuple[Spot, Spot] | None:
    """The statements of one block in which the two stand."""
    blocks = {id(spot.block): spot for spot in layout.around(one)}
    for spot in layout.around(other):
        if id(spot.block) in blocks:
            return blocks[id(spot.block)], spot
    return None
