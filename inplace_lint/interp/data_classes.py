"""Classes made of fields: data classes, attrs, named tuples, namespaces; how they are filled, copied and taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inplace_lint.domain.objects import Class, Container, Frame, Instance, Place
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, Sym, Value, const, constant_of, one, under, union
from inplace_lint.interp import calls, classes, copying, instances
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.registry import CallSite, method, symbol

FIELD = "dataclasses.field"
NAMED_TUPLE = "typing.NamedTuple"
DECORATORS = ("dataclasses.dataclass", "attr.s", "attr.attrs", "attr.define", "attrs.define")
"""What generates an ``__init__`` for a class of fields."""
AFTER_INIT = ("__post_init__", "__attrs_post_init__")
"""What a generated ``__init__`` calls last."""


def fields(state: State, cls: int) -> list[str]:
    """The fields of a class and its bases in order: annotated names, and names bound to a field's description."""
    found: list[str] = []
    for atom in reversed(classes.order(state, cls)):
        made = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(made, Class):
            own = [name for name, _ in made.fields]
            own += [name for name, value in made.attrs.items() if name not in own and _description(state, value)]
            found.extend(name for name in own if name not in found)
    return found


def filled(state: State, cls: int) -> bool:
    """Whether instances of a class are filled by a generated ``__init__``: by a decorator's, whatever its bases have, or for
    want of any other; modules have their fields filled where a decorator says so."""
    made = state.heap.get(cls)
    if isinstance(made, Class) and made.dataclass:
        return "__init__" not in made.attrs and bool(fields(state, cls))
    none = classes.lookup(state, cls, "__init__") is None
    return none and not classes.is_module(state, cls) and bool(fields(state, cls))


def _description(state: State, value: Value) -> Instance | None:
    (atom,) = value if len(value) == 1 else (None,)
    described = state.heap.get(atom) if isinstance(atom, int) else None
    return described if isinstance(described, Instance) and described.cls == Sym(FIELD) else None


def fill(
    engine: Engine,
    state: State,
    oid: int,
    cls: int,
    positional: list[Value],
    named: Mapping[str, Value],
    flow: Flow,
    place: Place,
) -> bool:
    """Make an instance as a generated ``__init__`` does; False where the code after it never returns.

    What the defaults make comes first: it may be of the same class, made at the same place.
    """
    attrs: dict[str, Value] = {}
    rest = list(positional)
    for name in fields(state, cls):
        default = classes.lookup(state, cls, name)
        described = None if default is None else _description(state, default)
        given = described is None or constant_of(described.config.get("init"), True) is not False
        if given and rest:
            attrs[name] = rest.pop(0)
        elif given and name in named:
            attrs[name] = named[name]
        else:
            attrs[name] = ANYTHING if default is None else _default(engine, state, default, described, flow, place)
    state.allocate(oid, Instance(cls, {}, place))
    _hold(engine, state, oid, attrs)
    for name in AFTER_INIT:
        if classes.lookup(state, cls, name) is not None:
            return calls.special_method(engine, state, flow, oid, name, [], place) is not None
    return True


def _hold(engine: Engine, state: State, oid: int, attrs: dict[str, Value]) -> None:
    instance = state.heap[oid]
    if isinstance(instance, Instance):
        items = Container("tuple", tuple(attrs.values()))
        held = {**attrs, "*fields": one(state.allocate(engine.m.named_oid("fields", oid), items))}
        state.put(oid, replace(instance, attrs={**instance.attrs, **held}))


def _default(
    engine: Engine, state: State, default: Value, described: Instance | None, flow: Flow, place: Place
) -> Value:
    """What ``field(default=..., default_factory=...)`` gives a new instance; any other default is itself."""
    if described is None:
        return default
    if "default" in described.config:
        return described.config["default"]
    factory = described.config.get("default_factory") or described.config.get("factory")
    if factory is None:
        return ANYTHING
    value = calls.call_value(engine, state, flow, factory, [], {}, place)
    return ANYTHING if value is None else value


@symbol("dataclasses.field", "attr.ib", "attr.attrib", "attr.field", "attrs.field")
def field(engine: Engine, state: State, site: CallSite) -> Value:
    """A field's description."""
    return instances.make_outside(engine, state, FIELD, site)


# --- copies with some fields changed ---


def _members(instance: Instance) -> dict[str, Value]:
    return {name: value for name, value in instance.attrs.items() if not name.startswith("*")}


def _rebuilt(engine: Engine, state: State, oid: int, named: Mapping[str, Value], site: CallSite) -> Value:
    """A new instance whose fields are the old one's, those that are named apart."""
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return ANYTHING
    if isinstance(instance.cls, int) and classes.lookup(state, instance.cls, "__init__") is None:
        names = fields(state, instance.cls)
    else:
        names = list(_members(instance))
    new = engine.m.oid(site.place[1], f"copy of instance {engine.m.alternative}")
    attrs = {name: named.get(name, instance.attrs.get(name, ANYTHING)) for name in names}
    state.allocate(new, Instance(instance.cls, {}, site.place))
    _hold(engine, state, new, attrs)
    if isinstance(instance.cls, int) and not is_named_tuple(state, instance.cls):
        for name in AFTER_INIT:
            if classes.lookup(state, instance.cls, name) is not None:
                calls.special_method(engine, state, site.flow, new, name, [], site.place)
    return one(new)


@symbol("dataclasses.replace", "attr.evolve", "attrs.evolve", "copy.replace")
def replace_(engine: Engine, state: State, site: CallSite) -> Value:
    """``dataclasses.replace(obj, **changes)`` and its kin: the other fields are shared, not copied."""
    values: list[Value] = []
    for number, (atom, cond) in enumerate(site.positional[0].items() if site.positional else ()):
        engine.m.alternative = min(number, calls.MOST_ALTERNATIVES)
        made = _rebuilt(engine, state, atom, site.named, site) if isinstance(atom, int) else ANYTHING
        values.append(under(made, cond))
    engine.m.alternative = 0
    return union(values) or ANYTHING


@method(NAMED_TUPLE, "_replace")
def replaced(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``pair._replace(name=value)``."""
    return _rebuilt(engine, state, oid, site.named, site)


def is_named_tuple(state: State, cls: int) -> bool:
    """Whether instances of a class of the source are named tuples."""
    return Sym(NAMED_TUPLE) in classes.order(state, cls)


def as_entries(state: State, oid: int) -> dict[object, Value]:
    """The attributes of an instance as a dict's entries."""
    instance = state.heap.get(oid)
    return dict(_members(instance).items()) if isinstance(instance, Instance) else {}


@method(NAMED_TUPLE, "_asdict")
def asdict_named_tuple(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``pair._asdict()``: a new dict of the same elements."""
    box = Container("dict", (), as_entries(state, oid))
    return one(state.allocate(engine.m.oid(site.place[1], "asdict"), box))


@symbol("builtins.locals")
def locals_(engine: Engine, state: State, site: CallSite) -> Value:
    """``locals()``: the names bound so far."""
    return one(_names(engine, state, site))


def _names(engine: Engine, state: State, site: CallSite) -> int:
    frame = state.heap.get(site.flow.frame)
    names = frame.names if isinstance(frame, Frame) else {}
    entries: dict[object, Value] = {name: value for name, value in names.items() if not name.startswith("*")}
    return state.allocate(engine.m.oid(site.place[1], "locals"), Container("dict", (), entries))


for _path in DECORATORS:

    def _decorator(engine: Engine, state: State, site: CallSite, path: str = _path) -> Value:
        if site.positional:
            return instances.decorate(state, path, None, site.positional[0])
        return instances.make_outside(engine, state, path, site)

    symbol(_path)(_decorator)


@symbol("builtins.vars")
def vars_(engine: Engine, state: State, site: CallSite) -> Value:
    """``vars(obj)``: its attributes by name."""
    if not site.positional:
        return one(_names(engine, state, site))
    (atom,) = site.positional[0] if len(site.positional[0]) == 1 else (None,)
    if not isinstance(atom, int) or not isinstance(state.heap.get(atom), Instance):
        return ANYTHING
    box = Container("dict", (), as_entries(state, atom))
    return one(state.allocate(engine.m.oid(site.place[1], "vars"), box))


@symbol("dataclasses.asdict", "attr.asdict", "attrs.asdict", "dataclasses.astuple")
def asdict_(engine: Engine, state: State, site: CallSite) -> Value:
    """``asdict(obj)`` copies what the fields hold, deeply (attrs: the elements are the same ones)."""
    (atom,) = site.positional[0] if site.positional and len(site.positional[0]) == 1 else (None,)
    if not isinstance(atom, int) or not isinstance(state.heap.get(atom), Instance):
        return ANYTHING
    held = as_entries(state, atom)
    as_tuple = (site.target or "").endswith("astuple")
    box = Container("tuple", tuple(held.values())) if as_tuple else Container("dict", (), held)
    value = one(state.allocate(engine.m.oid(site.place[1], "asdict"), box))
    shares = site.target is not None and site.target.startswith("attr")
    return value if shares else copying.deep(engine, state, value, site.place)


@symbol("dataclasses.fields", "attr.fields", "attrs.fields")
def fields_(engine: Engine, state: State, site: CallSite) -> Value:
    """``fields(obj)``: one description a field, of which the name matters."""
    (atom,) = site.positional[0] if site.positional and len(site.positional[0]) == 1 else (None,)
    thing = state.heap.get(atom) if isinstance(atom, int) else None
    cls = thing.cls if isinstance(thing, Instance) else atom
    if not isinstance(cls, int) or not isinstance(state.heap.get(cls), Class):
        return ANYTHING
    found: list[Value] = []
    for name in fields(state, cls):
        described = Instance(Sym("dataclasses.Field"), {"name": const(name)}, site.place)
        found.append(one(state.allocate(engine.m.oid(site.place[1], f"field {name}"), described)))
    return one(state.allocate(engine.m.oid(site.place[1], "fields"), Container("tuple", tuple(found))))


# --- plain namespaces ---


@symbol("types.SimpleNamespace", "argparse.Namespace")
def namespace(engine: Engine, state: State, site: CallSite) -> Value:
    """An object that is nothing but its attributes."""
    made = Instance(Sym("types.SimpleNamespace"), dict(site.named), site.place)
    return one(state.allocate(engine.m.oid(site.place[1], "namespace"), made))


def typed_dict(engine: Engine, state: State, site: CallSite) -> Value:
    """A call of a ``TypedDict`` class makes a plain dict."""
    entries: dict[object, Value] = dict(site.named.items())
    return one(state.allocate(engine.m.oid(site.place[1], "dict"), Container("dict", (), entries)))


__all__ = ["fields", "fill", "is_named_tuple", "typed_dict"]
