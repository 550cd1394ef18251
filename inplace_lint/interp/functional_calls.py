"""``functional_call``: a module's call with other tensors in the place of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from inplace_lint.domain.objects import LEAF, Container, Instance, Place, Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, NOTHING, Value, one, union
from inplace_lint.interp import calls, iteration, module_tree, modules
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.parts import DEEPEST
from inplace_lint.interp.registry import CallSite, symbol

OLD = -1_000_006
"""The register that keeps the module's own parameters while others are in their place."""


@symbol("torch.func.functional_call", "torch.nn.utils.stateless.functional_call", "functorch.functional_call")
def functional_call(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``functional_call(module, parameters, args, kwargs)``."""
    module = site.argument(0, "module") or ANYTHING
    given = site.argument(2, "args")
    positional: list[Value] = [] if given is None else [given]
    if given is not None and len(given) == 1:
        (atom,) = given
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and box.kind == "tuple":
            inner = iteration.elements(engine, state, site.flow, given, site.place)
            positional = inner.exact if inner.exact is not None else [inner.any]
    named: dict[str, Value] = {}
    for atom in site.argument(3, "kwargs") or NOTHING:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            named.update({str(k): v for k, v in (box.entries or {}).items()})
    places = list(_replaced(engine, state, module, site.argument(1, "parameters_and_buffers_dict") or NOTHING))
    old = Container("tuple", tuple(_attribute(state, oid, name) for oid, name, _ in places))
    for oid, name, value in places:
        _put(state, oid, name, value)
    state.registers[-1][OLD] = one(state.allocate(engine.m.oid(site.place[1], "own parameters"), old))
    result = calls.call_value(engine, state, site.flow, module, positional, named, site.place)
    if result is None:
        return None
    for atom in state.registers[-1].pop(OLD, NOTHING):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            for (oid, name, _), value in zip(places, box.items or (), strict=False):
                _put(state, oid, name, value)
    return result


@symbol("torch.func.stack_module_state", "functorch.stack_module_state")
def stack_module_state(engine: Engine, state: State, site: CallSite) -> Value:
    """``stack_module_state(models)``: a dict of leaves, each the stack of one parameter of all models, and a dict of buffers."""
    m = engine.m
    entries: dict[object, Value] = {}
    inner = iteration.elements(engine, state, site.flow, site.argument(0, "models") or NOTHING, site.place)
    for atom in inner.any:
        for name, value in module_tree.parameters(m, state, atom) if isinstance(atom, int) else ():
            entries.setdefault(name, one(_leaf(state, m.oid(site.place[1], f"stacked {name}"), site.place, value)))
    rest = NOTHING if entries else one(_leaf(state, m.oid(site.place[1], "stacked"), site.place, NOTHING))
    parameters = state.allocate(m.oid(site.place[1], "stacked parameters"), Container("dict", (), entries, rest))
    buffers = state.allocate(m.oid(site.place[1], "stacked buffers"), Container("dict", (), {}, ANYTHING))
    both = Container("tuple", (one(parameters), one(buffers)))
    return one(state.allocate(m.oid(site.place[1], "stacked state"), both))


def _leaf(state: State, oid: int, place: Place, of: Value) -> int:
    """A new leaf of the same dtype."""
    kinds = {tensor.dtype for atom in of if isinstance(atom, int) and (tensor := state.tensor(atom)) is not None}
    dtype = kinds.pop() if len(kinds) == 1 else None
    number = frozenset({oid})
    return state.allocate(oid, Tensor(place, "stack_module_state", number, number, status=LEAF, dtype=dtype, grad=NONE))


def _attribute(state: State, oid: int, name: str) -> Value:
    instance = state.heap.get(oid)
    return instance.attrs.get(name, NOTHING) if isinstance(instance, Instance) else NOTHING


def _put(state: State, oid: int, name: str, value: Value) -> None:
    instance = state.heap.get(oid)
    if isinstance(instance, Instance):
        state.put(oid, replace(instance, attrs={**instance.attrs, name: value}))


def _replaced(engine: Engine, state: State, module: Value, given: Value) -> Iterator[tuple[int, str, Value]]:
    """Which attribute of which submodule becomes what. Names that are not known may be any parameter's."""
    for atom in module:
        if not isinstance(atom, int) or not isinstance(state.heap.get(atom), Instance):
            continue
        rest: list[Value] = []
        for box in _dicts(state, given):
            for key, value in (box.entries or {}).items():
                found = _resolve(state, atom, str(key).split("."))
                if found is None:
                    rest.append(value)
                else:
                    yield (*found, value)
            rest.append(box.rest)
        others = union(rest)
        if any(other not in ANYTHING for other in others):  # what nobody knows is no reason to forget the module's own
            yield from _all(state, atom, others, set())


def _dicts(state: State, given: Value, depth: int = 0) -> Iterator[Container]:
    """The dicts that were given, alone or as a tuple of several."""
    for atom in given:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if not isinstance(box, Container):
            continue
        if box.kind == "dict":
            yield box
        elif depth < DEEPEST:
            for item in box.items or (box.rest,):
                yield from _dicts(state, item, depth + 1)


def _resolve(state: State, oid: int, path: list[str]) -> tuple[int, str] | None:
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return None
    if len(path) == 1:
        return (oid, path[0]) if path[0] in instance.attrs else None
    held = instance.attrs.get(path[0], NOTHING)
    box = modules.items_of(state, instance)
    if not held and box is not None:
        if box.items is not None and path[0].isdigit() and int(path[0]) < len(box.items):
            held = box.items[int(path[0])]
        elif box.entries is not None:
            held = box.entries.get(path[0], NOTHING)
    for atom in held:
        found = _resolve(state, atom, path[1:]) if isinstance(atom, int) else None
        if found is not None:
            return found
    return None


def _all(state: State, oid: int, value: Value, seen: set[int]) -> Iterator[tuple[int, str, Value]]:
    """Every parameter of a module and what it holds, each with the value."""
    instance = state.heap.get(oid)
    if oid in seen or not isinstance(instance, Instance):
        return
    seen.add(oid)
    inside: list[Value] = []
    for name, own in instance.attrs.items():
        tensors = [t for a in own if isinstance(a, int) and isinstance(t := state.heap.get(a), Tensor)]
        if any(tensor.parameter for tensor in tensors):
            yield oid, name, value
        inside.append(own)
    box = modules.items_of(state, instance)
    if box is not None:
        inside += [*(box.items or ()), *(box.entries or {}).values(), box.rest]
    for part in inside:
        for atom in part:
            if isinstance(atom, int):
                yield from _all(state, atom, value, seen)
