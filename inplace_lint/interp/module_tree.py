"""What a module holds: its submodules and parameters, with the names under which PyTorch lists them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import Cond
from inplace_lint.domain.objects import Container, Instance, Tensor, order_of
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NOTHING, Unknown, Value, one, union
from inplace_lint.interp import networks
from inplace_lint.interp.machine import Machine

_DYNAMIC = "*dynamic "


def dynamic_name(pattern: str) -> str:
    """The key of attributes whose names are known by a pattern only."""
    return _DYNAMIC + pattern


def dynamic_attributes(instance: Instance) -> list[tuple[str, Value]]:
    """The attributes whose names are known by a pattern only, with that pattern."""
    found = instance.attrs.items()
    return [(name.removeprefix(_DYNAMIC), value) for name, value in found if name.startswith(_DYNAMIC)]


def dynamic_value(instance: Instance, attr: str) -> Value:
    """What an attribute may be that was set under a name which only a pattern describes."""
    return union([value for pattern, value in dynamic_attributes(instance) if re.fullmatch(pattern, attr)])


class Child(NamedTuple):
    """Something that a module holds directly: its name, or a pattern for the names of several, and their order."""

    name: str | None
    pattern: str
    value: Value
    order: Order | None = None


def children(state: State, oid: int) -> list[Child]:
    """The modules that a module holds directly, in order."""
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return []
    found: list[Child] = []
    for atom in instance.attrs.get("*items", NOTHING):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            found.extend(Child(str(n), "", v) for n, v in enumerate(box.items or ()))
            found.extend(Child(str(k), "", v) for k, v in (box.entries or {}).items())
            if box.rest:
                found.append(Child(None, ".*", box.rest, order_of(box)))
    held = {atom for child in found for atom in child.value}
    for name, value in instance.attrs.items():
        dynamic = name.startswith(_DYNAMIC)
        if (name.startswith("*") and not dynamic) or held.issuperset(value):
            continue
        if any(isinstance(state.heap.get(a), Instance) for a in value if isinstance(a, int)):
            found.append(Child(None, name.removeprefix(_DYNAMIC), value) if dynamic else Child(name, "", value))
    return found


def order_of_children(held: list[Child]) -> Order | None:
    """What may follow what among modules that are held directly."""
    order: Order | None = sequences.EMPTY
    for child in held:
        own = child.order if child.name is None else sequences.of([child.value])
        order = None if order is None or own is None else sequences.concatenated(order, own)
    return order


def registered(m: Machine, state: State, oid: int) -> Value:
    """``_modules``: the dict of the modules that are held directly. Assigning to its items sets attributes."""
    held = children(state, oid)
    entries: dict[object, Value] = {child.name: child.value for child in held if child.name is not None}
    rest = union([child.value for child in held if child.name is None])
    order = order_of_children(held) if rest else None
    number = m.named_oid("registered", oid)
    m.registries[number] = oid
    return one(state.allocate(number, Container("dict", (), entries, rest, None, order)))


def own_parameters(m: Machine, state: State, oid: int) -> Value:
    """``_parameters``: the dict of a module's own parameters. Its items are attributes as well."""
    instance = state.heap.get(oid)
    entries: dict[object, Value] = {}
    rest: list[Value] = []
    for name, value in instance.attrs.items() if isinstance(instance, Instance) else ():
        held = [tensor for atom in value if isinstance(atom, int) and (tensor := state.tensor(atom)) is not None]
        if any(tensor.parameter for tensor in held):
            if name.startswith(_DYNAMIC):
                rest.append(value)
            elif not name.startswith("*"):
                entries[name] = value
    number = m.named_oid("own parameters", oid)
    m.registries[number] = oid
    return one(state.allocate(number, Container("dict", (), entries, union(rest))))


REGISTRIES = {"_modules": registered, "_parameters": own_parameters}
"""The attributes of every module that list what it holds."""


def submodules(state: State, oid: int, seen: set[int] | None = None) -> Iterator[tuple[str, int]]:
    """Every module that an instance holds, itself first, with a path of names."""
    seen = set() if seen is None else seen
    if oid in seen:
        return
    seen.add(oid)
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return
    yield "", oid
    for name, value in instance.attrs.items():
        for inner in _modules_in(state, value, set() if name == "*items" else None):
            for path, sub in submodules(state, inner, seen):
                yield f"{name}.{path}", sub


def _modules_in(state: State, value: Value, entered: set[int] | None) -> Iterator[int]:
    """The modules that a value may be. entered: containers that were looked into; None for none."""
    for atom in value:
        if not isinstance(atom, int):
            continue
        thing = state.heap.get(atom)
        if isinstance(thing, Instance):
            yield atom
        elif isinstance(thing, Container) and entered is not None and atom not in entered:
            entered.add(atom)
            for element in (*(thing.items or ()), *(thing.entries or {}).values(), thing.rest):
                yield from _modules_in(state, element, entered)


def parameters(m: Machine, state: State, oid: int) -> list[tuple[str, Value]]:
    """The parameters of a module and of all it holds, with their names."""
    found: list[tuple[str, Value]] = []
    seen: set[int] = set()
    for path, sub in submodules(state, oid):
        instance = state.heap.get(sub)
        if not isinstance(instance, Instance):
            continue
        for name, value in instance.attrs.items():
            for atom, cond in _parameter_atoms(m, state, value, set() if name == "*items" else None):
                if atom not in seen:
                    seen.add(atom)
                    found.append((f"{path}{name}", {atom: cond}))
    return found


def _parameter_atoms(m: Machine, state: State, value: Value, entered: set[int] | None) -> Iterator[tuple[int, Cond]]:
    for atom, cond in value.items():
        if isinstance(atom, Unknown) and atom.tag and (atom.tensor or networks.is_network(m, state, atom)):
            # What an outside factory gave a module to keep may be a submodule; it matters once it is called.
            yield networks.parameters_of_unknown(m, state, atom), cond
        if not isinstance(atom, int):
            continue
        thing = state.heap.get(atom)
        if isinstance(thing, Tensor) and thing.parameter:
            yield atom, cond
        elif isinstance(thing, Container) and entered is not None and atom not in entered:
            entered.add(atom)
            for element in (*(thing.items or ()), *(thing.entries or {}).values(), thing.rest):
                yield from _parameter_atoms(m, state, element, entered)
