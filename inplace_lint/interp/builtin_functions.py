"""Python's builtins and the few standard library functions through which tensors travel."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, maybe_both, maybe_weaker, negate
from inplace_lint.domain.objects import Container, Instance, Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    NONE,
    NOTHING,
    Atom,
    Const,
    Sym,
    Unknown,
    Value,
    const,
    constant_of,
    one,
    under,
    union,
)
from inplace_lint.interp import (
    attributes,
    calls,
    classes,
    copying,
    instances,
    iterators,
    module_tree,
    operators,
    text,
)
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.iteration import Elements
from inplace_lint.interp.registry import CallSite, symbol

LONGEST = 64


@symbol("builtins.list", "builtins.sorted")
def list_(engine: Engine, state: State, site: CallSite) -> Value:
    """``list`` and ``sorted``."""
    if not site.positional:
        return iterators.boxed(engine, state, site, "list", Elements([], ANYTHING), "list")
    inner = iterators.elements_of(engine, state, site)
    if (site.target or "").endswith("sorted"):
        inner = Elements(inner.exact, inner.any)  # what is where is not known any more
    return iterators.boxed(engine, state, site, "list", inner, "list")


@symbol("builtins.tuple")
def tuple_(engine: Engine, state: State, site: CallSite) -> Value:
    """``tuple``."""
    if not site.positional:
        return iterators.boxed(engine, state, site, "tuple", Elements([], ANYTHING), "tuple")
    return iterators.boxed(engine, state, site, "tuple", iterators.elements_of(engine, state, site), "tuple")


@symbol("builtins.set", "builtins.frozenset")
def set_(engine: Engine, state: State, site: CallSite) -> Value:
    """``set``."""
    if not site.positional:
        return iterators.boxed(engine, state, site, "set", Elements([], ANYTHING), "set")
    return iterators.boxed(engine, state, site, "set", iterators.elements_of(engine, state, site), "set")


@symbol("builtins.len")
def len_(engine: Engine, state: State, site: CallSite) -> Value:
    """``len``."""
    value = site.positional[0] if site.positional else ANYTHING
    atom = next(iter(value)) if len(value) == 1 else None
    thing = state.heap.get(atom) if isinstance(atom, int) else None
    if isinstance(thing, Instance):
        thing = calls.module_items(state, thing)
    if isinstance(thing, Container):
        if thing.kind == "dict" and thing.entries is not None and not thing.rest:
            return const(len(thing.entries))
        if thing.kind != "dict" and thing.items is not None and not thing.rest:
            return const(len(thing.items))
    if isinstance(thing, Tensor) and thing.shape and thing.shape[0] is not None:
        return const(thing.shape[0])
    if isinstance(atom, Const) and isinstance(atom.value, (str, tuple, bytes)):
        return const(len(atom.value))
    return one(engine.m.fresh(state, site.place[1], "length", "no", False))


@symbol("builtins.sum")
def sum_(engine: Engine, state: State, site: CallSite) -> Value:
    """``sum``: additions from the start value on."""
    inner = iterators.elements_of(engine, state, site)
    total = site.argument(1, "start") or const(0)
    m = engine.m
    outer = m.ctx
    parts = inner.exact if inner.exact is not None else [inner.any, inner.any]
    for number, part in enumerate(parts[:LONGEST]):
        m.ctx = (*outer, ("sum", site.place, number))
        added = operators.binary(engine, state, site.flow, "+", total, part, site.place)
        total = added if inner.exact is not None else union((total, added))
    m.ctx = outer
    return total


@symbol("builtins.isinstance", "builtins.issubclass")
def isinstance_(engine: Engine, state: State, site: CallSite) -> Value:
    """``isinstance``, as far as the classes are known."""
    if len(site.positional) < 2:
        return one(engine.m.fresh(state, site.place[1], "isinstance", "no", False))
    wanted: list[object] = []
    for cls in site.positional[1]:
        box = state.heap.get(cls) if isinstance(cls, int) else None
        if isinstance(box, Container):
            wanted.extend(a for item in (box.items or ()) for a in item)
        else:
            wanted.append(cls)
    things = engine.m.consistent(state, site.positional[0])
    return union([under(_answer(engine, state, atom, wanted, site), cond) for atom, cond in things.items()])


def _answer(engine: Engine, state: State, atom: Atom, wanted: list[object], site: CallSite) -> Value:
    """Whether one thing is an instance of any of the classes."""
    answer = _is_a(engine, state, atom, wanted)
    if answer is not None:
        return const(answer)
    thing = state.tensor(atom) if isinstance(atom, int) else None
    if thing is not None and thing.assumed:
        atom = Unknown(thing.assumed)
    if isinstance(atom, Unknown) and atom.tag and len(wanted) == 1 and isinstance(wanted[0], Sym):
        return one(engine.m.derived(atom, f" is a {wanted[0].path}", tensor=False))
    return one(engine.m.fresh(state, site.place[1], "isinstance", "no", False))


_PLAIN: dict[str, type] = {"list": list, "tuple": tuple, "dict": dict, "set": set}


_ABSTRACT = ("numbers", "collections.abc")
"""The modules whose classes are said to be bases of Python's own types."""


def _abstract(path: str) -> type | None:
    """The abstract class that a name stands for, if it is one."""
    module, _, name = path.replace("typing.", "collections.abc.").rpartition(".")
    base = getattr(importlib.import_module(module), name, None) if module in _ABSTRACT else None
    return base if isinstance(base, type) else None


def _plain_is_a(atom: Const, path: str) -> bool | None:
    """Whether a literal is an instance of a class outside the source; None where the name may stand for several classes."""
    if path == f"builtins.{atom.kind}" or (atom.kind == "bool" and path == "builtins.int"):
        return True
    base = _abstract(path)
    if base is not None:
        return isinstance(atom.value, base)
    module, _, name = path.rpartition(".")
    # ``six.string_types``, ``torch._six.container_abcs.Iterable``: names for Python's own, as the versions of Python called them.
    several = (name.islower() and module != "builtins") or "_six." in path
    return None if atom.value is not None and several else False


def _is_a(engine: Engine, state: State, atom: object, wanted: list[object]) -> bool | None:
    paths = {w.path for w in wanted if isinstance(w, Sym)}
    if isinstance(atom, Const):
        answers = {_plain_is_a(atom, w.path) if isinstance(w, Sym) else None for w in wanted}
        return True if True in answers else None if None in answers else False
    thing = state.heap.get(atom) if isinstance(atom, int) else None
    if isinstance(thing, Tensor):
        if thing.assumed:
            return True if "torch.Tensor" in paths else None
        if paths & {"torch.Tensor", "torch.FloatTensor"} or (thing.parameter and "torch.nn.Parameter" in paths):
            return True
        return False if all(isinstance(w, (Sym, int)) for w in wanted) else None
    if isinstance(thing, Container):
        plain = _PLAIN.get(thing.kind)
        if plain is not None and any(
            path == f"builtins.{plain.__name__}" or ((base := _abstract(path)) is not None and issubclass(plain, base))
            for path in paths
        ):
            return True
        return (
            False
            if paths and all(isinstance(w, Sym) and w.path.startswith(("builtins.", "torch.")) for w in wanted)
            else None
        )
    if isinstance(thing, Instance):
        order = classes.order(state, thing.cls)
        if any(w in order for w in wanted):
            return True
        if "torch.nn.Module" in paths and classes.is_module(state, thing.cls):
            return True
        if any(isinstance(a, Unknown) for a in order):
            return None
        return False if all(isinstance(w, (Sym, int)) for w in wanted) else None
    return None


@symbol("builtins.getattr")
def getattr_(engine: Engine, state: State, site: CallSite) -> Value:
    """``getattr`` with a constant name; the default only where nothing else is there."""
    name = constant_of(site.argument(1, "name"))
    obj = site.positional[0] if site.positional else ANYTHING
    if not isinstance(name, str):
        return _some_attribute(engine, state, site, obj)
    if len(site.positional) > 2 and len(obj) == 1:
        (atom,) = obj
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Instance) and name not in thing.attrs and classes.lookup(state, thing.cls, name) is None:
            return site.positional[2]
    return attributes.get(engine, state, site.flow, obj, name, site.place)


def _some_attribute(engine: Engine, state: State, site: CallSite, obj: Value) -> Value:
    """An attribute under a name that is not known: any submodule whose name fits what is known of the text.

    Where nothing is known of the text it is one that was set under such a name, or an unknown one.
    """
    pattern = text.pattern_of(engine.m, site.argument(1, "name") or ANYTHING)
    found: list[Value] = []
    hope = "no"
    for atom in obj:
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if not isinstance(thing, Instance) or not classes.is_module(state, thing.cls):
            continue
        hope = "likely"
        dynamic = module_tree.dynamic_attributes(thing)
        for own, value in dynamic:
            if text.may_match(pattern, own):
                found.append(value)
        if pattern == ".*" or (found and pattern in (own for own, _ in dynamic)):
            continue
        for key, value in thing.attrs.items():
            if key.startswith("*") or not re.fullmatch(pattern, key):
                continue
            if any(isinstance(state.heap.get(a), Instance) for a in value if isinstance(a, int)):
                found.append(value)
    return union(found) if found else one(engine.m.fresh(state, site.place[1], "attribute", hope))


@symbol("builtins.setattr")
def setattr_(engine: Engine, state: State, site: CallSite) -> Value:
    """``setattr``; under an unknown name the value is kept as some attribute."""
    if len(site.positional) < 3:
        return NONE
    name = constant_of(site.positional[1])
    if isinstance(name, str):
        attributes.put(engine, state, site.flow, site.positional[0], name, site.positional[2], site.place, None)
        return NONE
    for atom in site.positional[0]:
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Instance) and isinstance(atom, int):
            key = module_tree.dynamic_name(text.pattern_of(engine.m, site.positional[1]))
            held = union((thing.attrs.get(key, NOTHING), site.positional[2]))
            state.put(atom, replace(thing, attrs={**thing.attrs, key: held}))
    return NONE


@symbol("builtins.hasattr")
def hasattr_(engine: Engine, state: State, site: CallSite) -> Value:
    """``hasattr``, where the attribute is surely there or surely not."""
    name = constant_of(site.argument(1, "name"))
    obj = site.positional[0] if site.positional else ANYTHING
    if isinstance(name, str) and len(obj) == 1:
        (atom,) = obj
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Instance):
            if classes.lookup(state, thing.cls, name) is not None or name in thing.config:
                return const(True)
            if name in thing.attrs:
                return _where_set(thing.attrs[name])
            if classes.all_known(state, thing.cls) and not calls.is_module_method(engine, state, thing, name):
                return const(False)
        if isinstance(atom, Unknown) and atom.tag:
            return one(engine.m.derived(atom, f" has {name}", tensor=False))
    return one(engine.m.fresh(state, site.place[1], "hasattr", "no", False))


def _where_set(held: Value) -> Value:
    """Whether an attribute is there: an initialiser that sets it in one branch alone leaves what was set under that condition."""
    (cond,) = held.values() if len(held) == 1 else (TRUE,)
    otherwise = negate(cond) if len(cond) == 1 else None
    if not otherwise:
        return const(True)
    return {Const(True, "bool"): cond, Const(False, "bool"): otherwise}


@symbol("builtins.str")
def str_(engine: Engine, state: State, site: CallSite) -> Value:
    """``str`` of a literal, or a text that is not known."""
    literal = constant_of(site.positional[0]) if site.positional else ""
    if isinstance(literal, (str, int, float)):
        return const(str(literal))
    given = site.positional[0] if site.positional else ANYTHING
    return text.unknown(engine, state, site.place[1], text.pattern_of(engine.m, given), [given])


@symbol(
    "builtins.print",
    "builtins.repr",
    "builtins.format",
    "warnings.warn",
    "builtins.id",
    "builtins.hash",
)
def inert(engine: Engine, state: State, site: CallSite) -> Value:
    """Functions that only look."""
    return one(engine.m.fresh(state, site.place[1], "text", "no", False))


@symbol(
    "builtins.int", "builtins.float", "builtins.bool", "builtins.round", "builtins.abs", "builtins.max", "builtins.min"
)
def numbers(engine: Engine, state: State, site: CallSite) -> Value:
    """Numbers made of numbers; ``abs`` and friends of tensors are ops."""
    name = (site.target or "").rsplit(".", 1)[-1]
    literals = [constant_of(v) for v in site.positional]
    if literals and all(isinstance(n, (int, float, str)) for n in literals):
        function = {"int": int, "float": float, "bool": bool, "round": round, "abs": abs, "max": max, "min": min}.get(
            name
        )
        try:
            if function is not None and not (name in ("max", "min") and len(literals) == 1):
                return const(function(*literals))  # type: ignore[operator]
        except (TypeError, ValueError, ArithmeticError):
            return ANYTHING
    if name == "abs" and site.positional and operators.split(engine, state, site.positional[0])[0]:
        value = operators.method_op(engine, state, "__abs__", [site.positional[0]], site.place, "abs", None, "function")
        if value is not None:
            return value
    if name in ("max", "min") and site.positional:
        # They compare, and return one of what they were given.
        inner = iterators.elements_of(engine, state, site).any if len(site.positional) == 1 else union(site.positional)
        if operators.split(engine, state, inner)[0] or any(isinstance(atom, int) for atom in inner):
            return inner
    return one(engine.m.fresh(state, site.place[1], "number", "no", False))


@symbol("builtins.type")
def type_(engine: Engine, state: State, site: CallSite) -> Value:
    """``type(x)``."""
    if len(site.positional) != 1:
        return one(engine.m.fresh(state, site.place[1], "type", "no", False))
    things = engine.m.consistent(state, site.positional[0])
    return union([under(one(_type_of(engine, state, atom, site)), cond) for atom, cond in things.items()])


_LITERALS = ("int", "float", "complex", "bool", "str", "bytes", "tuple")


def _type_of(engine: Engine, state: State, atom: Atom, site: CallSite) -> Atom:
    """The class of a thing; for an unknown one an unknown that says whose type it is."""
    m = engine.m
    thing = state.heap.get(atom) if isinstance(atom, int) else None
    if isinstance(thing, Instance):
        return thing.cls
    if isinstance(thing, Container) and thing.kind in _PLAIN:
        return Sym(f"builtins.{thing.kind}")
    if isinstance(thing, Tensor) and not thing.assumed:
        return Sym("numpy.ndarray" if thing.is_array else "torch.nn.Parameter" if thing.parameter else "torch.Tensor")
    if isinstance(atom, Const) and atom.kind in _LITERALS:
        return Sym(f"builtins.{atom.kind}")
    whose = Unknown(thing.assumed) if isinstance(thing, Tensor) and thing.assumed else atom
    if isinstance(whose, Unknown) and whose.tag:
        found = m.derived(whose, ".__class__", tensor=False, grad="no")
        if found.tag:
            m.type_of[found.tag] = whose
            return found
    return m.fresh(state, site.place[1], "type", "no", False)


@symbol("functools.partial")
def partial_(engine: Engine, state: State, site: CallSite) -> Value:
    """``functools.partial``: a callable with arguments already given."""
    config = {f"*{n}": v for n, v in enumerate(site.positional)} | site.named
    made = Instance(Sym("functools.partial"), {}, site.place, config)
    return one(state.allocate(engine.m.oid(site.place[1], "partial"), made))


@symbol("functools.wraps", "functools.lru_cache")
def wraps_(engine: Engine, state: State, site: CallSite) -> Value:
    """Decorator factories that leave the function as it is."""
    return one(Sym("functools.wraps.applied"))


@symbol("copy.deepcopy")
def deepcopy_(engine: Engine, state: State, site: CallSite) -> Value:
    """``copy.deepcopy``: other objects on other storages, all else the same."""
    return copying.deep(engine, state, site.positional[0] if site.positional else ANYTHING, site.place)


@symbol("copy.copy")
def copy_(engine: Engine, state: State, site: CallSite) -> Value:
    """``copy.copy``: another container with the same elements."""
    value = site.positional[0] if site.positional else ANYTHING
    atom = next(iter(value)) if len(value) == 1 else None
    thing = state.heap.get(atom) if isinstance(atom, int) else None
    if isinstance(thing, Container):
        return one(state.allocate(engine.m.oid(site.place[1], "copy"), thing))
    return value


def _operator(op: str, in_place: bool) -> Callable[[Engine, State, CallSite], Value]:
    """The meaning of ``operator.add`` and its kin, which are the binary operators, or of ``operator.iadd`` and its kin, which
    are the augmented ones."""

    def applied(engine: Engine, state: State, site: CallSite) -> Value:
        if len(site.positional) != 2:
            return ANYTHING
        left, right = site.positional
        if in_place:
            return operators.in_place(engine, state, site.flow, op, left, right, site.place, None)
        return operators.binary(engine, state, site.flow, op, left, right, site.place)

    return applied


for _op, _method in operators.METHODS.items():
    symbol(f"operator.{_method}", f"operator.{_method}_")(_operator(_op, False))
    symbol(f"operator.i{_method}")(_operator(_op, True))


@symbol("builtins.property", "builtins.staticmethod", "builtins.classmethod")
def descriptor(engine: Engine, state: State, site: CallSite) -> Value:
    """``property(f)`` and its kin as calls: what the decorator form does."""
    name = (site.target or "").rsplit(".", 1)[-1]
    if not site.positional or name not in ("property", "staticmethod", "classmethod"):
        return ANYTHING
    return instances.decorate(state, f"builtins.{name}", None, site.positional[0])


@symbol("builtins.any", "builtins.all")
def any_all(engine: Engine, state: State, site: CallSite) -> Value:
    """``any`` and ``all`` over known elements: the answer rests on what the elements rest on."""
    inner = iterators.elements_of(engine, state, site)
    wanted = not (site.target or "").endswith("all")
    if inner.exact is None:
        return one(engine.m.fresh(state, site.place[1], "any", "no", False))
    found: Cond | None = None
    none: Cond | None = TRUE
    for element in inner.exact:
        yes, no = engine.truth(state, element)
        hit, miss = (yes, no) if wanted else (no, yes)
        found = maybe_weaker(found, hit)
        none = maybe_both(none, miss)
    answer: dict[Atom, Cond] = {}
    if found is not None:
        answer[Const(wanted, "bool")] = found
    if none is not None:
        answer[Const(not wanted, "bool")] = none
    return answer
