"""Python's collection classes: made by calls, derived from by classes of the source, run through by iterators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE, Cond, add_to
from inplace_lint.domain.objects import Class, Container, Instance, order_of
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    NONE,
    NOTHING,
    Atom,
    Sym,
    Value,
    constant_of,
    one,
    union,
)
from inplace_lint.interp import calls, classes, iteration
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.registry import METHODS, CallSite, method, symbol

KINDS = {
    "builtins.dict": "dict",
    "collections.OrderedDict": "dict",
    "collections.defaultdict": "dict",
    "collections.UserDict": "dict",
    "builtins.list": "list",
    "collections.UserList": "list",
    "collections.deque": "deque",
    "builtins.tuple": "tuple",
    "builtins.set": "set",
}
"""Collection classes that a class may derive from, by the kind of container behind an instance."""


@symbol("collections.deque")
def deque_(engine: Engine, state: State, site: CallSite) -> Value:
    """``deque``."""
    box = Container("deque", ())
    if site.positional:
        inner = iteration.elements(engine, state, site.flow, site.positional[0], site.place)
        box = (
            Container("deque", tuple(inner.exact))
            if inner.exact is not None
            else Container("deque", None, None, inner.any)
        )
    most = site.argument(1, "maxlen") or NONE
    limit = constant_of(most)
    if box.items is not None and isinstance(limit, int) and limit >= 0:
        box = replace(box, items=box.items[max(len(box.items) - limit, 0) :])
    return one(state.allocate(engine.m.oid(site.place[1], "deque"), replace(box, default=most)))


MOST_GIVEN = 6
"""Things that a dict may be made of, that are told apart."""


@symbol("builtins.dict", "collections.OrderedDict")
def dict_(engine: Engine, state: State, site: CallSite) -> Value:
    """``dict``: of each thing that may be given, one of its own."""
    given = site.positional[0] if len(site.positional) == 1 else NOTHING
    if len(given) < 2:
        return one(state.allocate(engine.m.oid(site.place[1], "dict"), _dict(engine, state, site)))
    made: dict[Atom, Cond] = {}
    for number, (atom, cond) in enumerate(given.items()):
        alone = CallSite(site.place, site.flow, [one(atom)], site.named, site.target)
        box = _dict(engine, state, alone)
        add_to(made, state.allocate(engine.m.oid(site.place[1], f"dict {min(number, MOST_GIVEN)}"), box), cond)
    return made


@symbol("collections.defaultdict")
def defaultdict_(engine: Engine, state: State, site: CallSite) -> Value:
    """``defaultdict(factory, ...)``: what is missing is made by the factory when it is first asked for."""
    factory = site.positional[0] if site.positional else NONE
    rest = CallSite(site.place, site.flow, site.positional[1:], site.named, site.target)
    box = _dict(engine, state, rest)
    if factory != NONE:
        box = replace(box, default=factory)
    return one(state.allocate(engine.m.oid(site.place[1], "dict"), box))


def _dict(engine: Engine, state: State, site: CallSite) -> Container:
    entries: dict[object, Value] = {}
    rest: Value = NOTHING
    for value in site.positional:
        for atom in value:
            box = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(box, Instance):
                box = calls.module_items(state, box) or box
            if isinstance(box, Container) and box.kind == "dict":
                entries.update(box.entries or {})
                rest = union((rest, box.rest))
            elif isinstance(box, Container):
                for key, item in iteration.pairs(engine, state, site.flow, atom, site.place):
                    if key is not None:
                        entries[key.value] = item
                    else:
                        rest = union((rest, item))
                order = order_of(box) if len(site.positional) == 1 and not site.named else None
                if box.items is None and order is not None:
                    order = sequences.mapped(order, lambda pair: _second(engine, state, site, pair))
                    return Container("dict", (), entries, rest, None, order)
    entries.update(site.named)
    return Container("dict", (), entries, rest)


def _second(engine: Engine, state: State, site: CallSite, pair: Atom) -> Value:
    """The value of a pair of a key and a value."""
    return iteration.elements(engine, state, site.flow, one(pair), site.place, 2).numbered(engine, 1)


# --- classes of the source that derive from a collection ---


def _base(state: State, cls: Atom) -> str | None:
    for atom in classes.order(state, cls):
        if isinstance(atom, Sym) and atom.path in KINDS:
            return atom.path
    return None


def initialise(engine: Engine, state: State, oid: int, site: CallSite) -> None:
    """Give an instance of a class derived from a collection the container behind it, filled by the call's arguments."""
    instance = state.heap.get(oid)
    base = None if not isinstance(instance, Instance) else _base(state, instance.cls)
    if base is None or not isinstance(instance, Instance):
        return
    kind = KINDS[base]
    box = Container("dict", (), {}) if kind == "dict" else Container(kind, ())  # type: ignore[arg-type]
    if base == "collections.defaultdict" and site.positional:
        box = replace(box, default=site.positional[0])
    elif kind == "dict":
        box = _dict(engine, state, site)
    elif site.positional:
        inner = iteration.elements(engine, state, site.flow, site.positional[0], site.place)
        items = None if inner.exact is None else tuple(inner.exact)
        box = Container(kind, items, None, inner.any if items is None else NOTHING)  # type: ignore[arg-type]
    items_oid = state.allocate(engine.m.named_oid("items", oid), box)
    now = state.heap.get(oid)
    if isinstance(now, Instance):
        state.put(oid, replace(now, attrs={**now.attrs, "*items": one(items_oid)}))


def call_method(engine: Engine, state: State, oid: int, instance: Instance, name: str, site: CallSite) -> Any:
    """A method that an instance of such a class has from the collection; ``NotImplemented`` where it has none."""
    if "*items" not in instance.attrs or classes.is_module(state, instance.cls):
        return NotImplemented
    if name == "__init__":
        initialise(engine, state, oid, site)
        return NONE
    for atom in instance.attrs["*items"]:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        table = METHODS.get((box.kind, name)) if isinstance(box, Container) else None
        if table is not None:
            return table(engine, state, atom, site)
    return NotImplemented


# --- iterators ---


@symbol("builtins.iter")
def iter_(engine: Engine, state: State, site: CallSite) -> Value:
    """``iter``: a new iterator over the elements; iterators themselves are what they are."""
    value = site.positional[0] if site.positional else ANYTHING
    found: list[Value] = []
    for number, atom in enumerate(value):
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Instance) and isinstance(atom, int):
            called = calls.special_method(engine, state, site.flow, atom, "__iter__", [], site.place)
            if called is not None:
                found.append(called)
                continue
        inner = iteration.elements(engine, state, site.flow, {atom: TRUE}, site.place)
        items = None if inner.exact is None else tuple(inner.exact)
        box = Container("generator", items, None, inner.any if items is None else NOTHING)
        found.append(one(state.allocate(engine.m.oid(site.place[1], f"iterator {min(number, 3)}"), box)))
    return union(found) or ANYTHING


@symbol("builtins.next")
def next_(engine: Engine, state: State, site: CallSite) -> Value:
    """``next``: the first element that is left, which is gone from then on; any of them where that is not known."""
    found: list[Value] = []
    for atom in site.positional[0] if site.positional else ():
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Instance) and isinstance(atom, int):
            called = calls.special_method(engine, state, site.flow.apart(), atom, "__next__", [], site.place)
            if called is not None:
                found.append(called)
                continue
        if isinstance(box, Container) and isinstance(atom, int) and box.kind == "generator" and box.items:
            if atom > 0 and not engine.m.in_fixpoint() and len(site.positional[0]) == 1:
                state.put(atom, Container("generator", box.items[1:]))
                found.append(box.items[0])
            else:
                found.append(union(box.items))
            continue
        found.append(iteration.elements(engine, state, site.flow, {atom: TRUE}, site.place).any)
    default = site.argument(1, "default")
    return union(found) or (ANYTHING if default is None else default)


@symbol("operator.itemgetter", "operator.attrgetter", "operator.methodcaller")
def getter(engine: Engine, state: State, site: CallSite) -> Value:
    """``itemgetter(key, ...)`` and its kin: functions of the object that they are given."""
    from inplace_lint.interp import instances

    name = (site.target or "").rsplit(".", 1)[-1]
    return instances.make_outside(engine, state, f"operator.{name}", site)


@method("operator.itemgetter", "__call__")
def call_itemgetter(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """The item, or a tuple of items where several keys were given."""
    from inplace_lint.interp import items

    keys = _given(state, oid)
    target = site.positional[0] if site.positional else ANYTHING
    values = [items.get(engine, state, site.flow, target, key, site.place, None) for key in keys]
    return _one_or_tuple(engine, state, values, site)


@method("operator.attrgetter", "__call__")
def call_attrgetter(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """The attribute (of an attribute ...), or a tuple of them."""
    from inplace_lint.interp import attributes

    values: list[Value] = []
    for key in _given(state, oid):
        value = site.positional[0] if site.positional else ANYTHING
        for part in str(constant_of(key, "")).split("."):
            value = attributes.get(engine, state, site.flow, value, part, site.place) if part else ANYTHING
        values.append(value)
    return _one_or_tuple(engine, state, values, site)


def _given(state: State, oid: int) -> list[Value]:
    instance = state.heap.get(oid)
    config = instance.config if isinstance(instance, Instance) else {}
    return [config[f"*{n}"] for n in range(len(config)) if f"*{n}" in config]


def _one_or_tuple(engine: Engine, state: State, values: list[Value], site: CallSite) -> Value:
    if len(values) == 1:
        return values[0]
    return one(state.allocate(engine.m.oid(site.place[1], "got"), Container("tuple", tuple(values))))


@symbol("collections.namedtuple")
def namedtuple_(engine: Engine, state: State, site: CallSite) -> Value:
    """``namedtuple(name, fields)`` makes a class whose instances hold their fields in order."""
    name = constant_of(site.argument(0, "typename"))
    given = site.argument(1, "field_names") or ANYTHING
    text = constant_of(given)
    names: list[object] = []
    if isinstance(text, str):
        names = list(text.replace(",", " ").split())
    else:
        inner = iteration.elements(engine, state, site.flow, given, site.place)
        names = [constant_of(v) for v in inner.exact or ()]
    if not isinstance(name, str) or not names or not all(isinstance(n, str) for n in names):
        return one(engine.m.fresh(state, site.place[1], "namedtuple", "no", False))
    given_defaults = site.named.get("defaults")
    inner = iteration.elements(engine, state, site.flow, given_defaults or ANYTHING, site.place)
    attrs: dict[str, Value] = {}
    if given_defaults is not None and inner.exact:
        attrs = {str(n): v for n, v in zip(reversed(names), reversed(inner.exact), strict=False)}
    fields = tuple((str(n), str(n) in attrs) for n in names)
    made = Class(name, name, (one(Sym("typing.NamedTuple")),), attrs, fields)
    return one(state.allocate(engine.m.oid(site.place[1], "namedtuple"), made))
