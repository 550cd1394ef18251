"""Names: which scope each one belongs to.

Words
-----
*bindings*
    What one definition binds itself, found by a walk that does not enter nested definitions.
*frame*
    The variables of a comprehension (or the type parameters of a definition), which live in the enclosing code under
    a new name, such as ``x%3``, so that they neither hide nor overwrite its own ``x``.
*environment*
    A definition's bindings together with the frames around one place in it; what a nested definition captures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.syntax import children, dotted_name


@dataclass(eq=False, slots=True)
class Bindings:
    """The names that one definition binds or declares, and whether it yields."""

    bound: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    is_generator: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """New names for the variables of a comprehension; ``hides_class``: a class body's names are out of sight."""

    names: Mapping[str, str]
    hides_class: bool = True


@dataclass(frozen=True, slots=True)
class Environment:
    """One place in a definition, as far as names go. ``outer`` is where the definition itself stands."""

    kind: ir.CodeKind
    bindings: Bindings
    outer: Environment | None
    frames: tuple[Frame, ...] = ()

    def within(self, frame: Frame) -> Environment:
        """This place, inside one more frame."""
        return Environment(self.kind, self.bindings, self.outer, (*self.frames, frame))

    def without_frames(self) -> Environment:
        """The definition itself: where a walrus inside a comprehension binds."""
        return Environment(self.kind, self.bindings, self.outer)

    def resolve(self, name: str) -> tuple[str, ir.Scope]:
        """The name under which ``name`` is kept, and in which scope."""
        for frame in reversed(self.frames):
            if name in frame.names:
                return frame.names[name], "local"
        bindings = self.bindings
        if self.kind == "module" or name in bindings.globals:
            return name, "global"
        if name in bindings.bound and name not in bindings.nonlocals:
            if self.kind != "class":
                return name, "local"
            if not any(frame.hides_class for frame in self.frames):
                return name, "class"
        return self._from_outside(name)

    def _from_outside(self, name: str) -> tuple[str, ir.Scope]:
        place = self.outer
        while place is not None:
            for frame in reversed(place.frames):
                if name in frame.names:
                    return frame.names[name], "free"
            if place.kind in ("function", "lambda"):
                if name in place.bindings.globals:
                    return name, "global"
                if name in place.bindings.bound and name not in place.bindings.nonlocals:
                    return name, "free"
            place = place.outer
        return name, "global"


def bindings_of(nodes: Iterable[cst.CSTNode], params: Iterable[str] = ()) -> Bindings:
    """What the statements (or the expression) of one definition bind, given the names of its parameters."""
    result = Bindings(bound=set(params))
    pending = list(nodes)
    while pending:
        node = pending.pop()
        visit = _VISITORS.get(type(node))
        if visit is None:
            pending.extend(children(node))
        else:
            visit(node, result, pending)
    return result


def target_names(target: cst.CSTNode) -> Iterable[str]:
    """The plain names that an assignment to ``target`` binds."""
    pending = [target]
    while pending:
        node = pending.pop()
        if isinstance(node, cst.Name):
            yield node.value
        elif isinstance(node, (cst.Tuple, cst.List)):
            pending.extend(element.value for element in node.elements)
        elif isinstance(node, cst.StarredElement):
            pending.append(node.value)


def parameter_nodes(params: cst.Parameters) -> list[tuple[cst.Param, ir.ParamKind]]:
    """Every parameter with its kind, in the order of the source."""
    found: list[tuple[cst.Param, ir.ParamKind]] = [(p, "positional_only") for p in params.posonly_params]
    found.extend((p, "positional") for p in params.params)
    if isinstance(params.star_arg, cst.Param):
        found.append((params.star_arg, "vararg"))
    found.extend((p, "keyword_only") for p in params.kwonly_params)
    if params.star_kwarg is not None:
        found.append((params.star_kwarg, "kwarg"))
    return found


_Visitor = Callable[[Any, Bindings, "list[cst.CSTNode]"], None]


def _leaf(node: cst.CSTNode, result: Bindings, pending: list[cst.CSTNode]) -> None:
    del node, result, pending


def _attribute(node: cst.Attribute, result: Bindings, pending: list[cst.CSTNode]) -> None:
    pending.append(node.value)


def _call_argument(node: cst.Arg, result: Bindings, pending: list[cst.CSTNode]) -> None:
    pending.append(node.value)


def _assignment(
    node: cst.AssignTarget | cst.AugAssign | cst.AnnAssign | cst.For | cst.Del | cst.NamedExpr,
    result: Bindings,
    pending: list[cst.CSTNode],
) -> None:
    result.bound.update(target_names(node.target))
    pending.extend(child for child in children(node) if child is not node.target or not isinstance(child, cst.Name))


def _as_name(node: cst.AsName, result: Bindings, pending: list[cst.CSTNode]) -> None:
    result.bound.update(target_names(node.name))
    if not isinstance(node.name, cst.Name):
        pending.append(node.name)


def _import_alias(node: cst.ImportAlias, result: Bindings, pending: list[cst.CSTNode]) -> None:
    if node.asname is not None:
        result.bound.update(target_names(node.asname.name))
    else:
        result.bound.add(dotted_name(node.name).partition(".")[0])


def _function(node: cst.FunctionDef, result: Bindings, pending: list[cst.CSTNode]) -> None:
    result.bound.add(node.name.value)
    pending.extend(decorator.decorator for decorator in node.decorators)
    pending.extend(p.default for p, _ in parameter_nodes(node.params) if p.default is not None)


def _lambda(node: cst.Lambda, result: Bindings, pending: list[cst.CSTNode]) -> None:
    pending.extend(p.default for p, _ in parameter_nodes(node.params) if p.default is not None)


def _class(node: cst.ClassDef, result: Bindings, pending: list[cst.CSTNode]) -> None:
    result.bound.add(node.name.value)
    pending.extend(decorator.decorator for decorator in node.decorators)
    pending.extend(arg.value for arg in (*node.bases, *node.keywords))


def _comp_for(node: cst.CompFor, result: Bindings, pending: list[cst.CSTNode]) -> None:
    pending.extend(child for child in children(node) if child is not node.target)


def _global(node: cst.Global, result: Bindings, pending: list[cst.CSTNode]) -> None:
    result.globals.update(item.name.value for item in node.names)


def _nonlocal(node: cst.Nonlocal, result: Bindings, pending: list[cst.CSTNode]) -> None:
    result.nonlocals.update(item.name.value for item in node.names)


def _capture(node: cst.MatchAs | cst.MatchStar, result: Bindings, pending: list[cst.CSTNode]) -> None:
    if node.name is not None:
        result.bound.add(node.name.value)
    if isinstance(node, cst.MatchAs) and node.pattern is not None:
        pending.append(node.pattern)


def _mapping_pattern(node: cst.MatchMapping, result: Bindings, pending: list[cst.CSTNode]) -> None:
    if node.rest is not None:
        result.bound.add(node.rest.value)
    pending.extend(node.elements)


def _type_alias(node: cst.TypeAlias, result: Bindings, pending: list[cst.CSTNode]) -> None:
    result.bound.add(node.name.value)


def _yield(node: cst.Yield, result: Bindings, pending: list[cst.CSTNode]) -> None:
    result.is_generator = True
    pending.extend(children(node))


_VISITORS: dict[type[cst.CSTNode], _Visitor] = {
    **dict.fromkeys((cst.Name, cst.Integer, cst.Float, cst.Imaginary), _leaf),
    **dict.fromkeys((cst.SimpleString, cst.Ellipsis, cst.Annotation), _leaf),
    **dict.fromkeys((cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For, cst.Del, cst.NamedExpr), _assignment),
    cst.Attribute: _attribute,
    cst.Arg: _call_argument,
    cst.AsName: _as_name,
    cst.ImportAlias: _import_alias,
    cst.FunctionDef: _function,
    cst.Lambda: _lambda,
    cst.ClassDef: _class,
    cst.CompFor: _comp_for,
    cst.Global: _global,
    cst.Nonlocal: _nonlocal,
    cst.MatchAs: _capture,
    cst.MatchStar: _capture,
    cst.MatchMapping: _mapping_pattern,
    cst.TypeAlias: _type_alias,
    cst.Yield: _yield,
}
