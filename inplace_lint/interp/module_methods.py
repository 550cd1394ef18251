"""The methods that every ``nn.Module`` has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE
from inplace_lint.domain.objects import Container, Instance, Tensor, order_of, sequence
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, NOTHING, Atom, Unknown, Value, const, constant_of, one, union
from inplace_lint.interp import attributes, belonging, calls, classes, module_tree, modules, text
from inplace_lint.interp.autograd import WriteInfo, bump
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.filled_grads import clear_grad
from inplace_lint.interp.registry import CallSite

TABLE: dict[str, Callable[..., Any]] = {}


def module_method(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the meaning of a module's method."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            TABLE[name] = function
        return function

    return register


def _listed(engine: Engine, state: State, site: CallSite, values: list[Value], word: str) -> Value:
    exact = all(atom > 0 for value in values for atom in value if isinstance(atom, int))
    box = Container("generator", tuple(values)) if exact else sequence("generator", None, union(values))
    oid = state.allocate(engine.m.oid(site.place[1], word), box)
    engine.m.complete[oid] = values
    return one(oid)


def _pairs(engine: Engine, state: State, site: CallSite, named: list[tuple[str, Value]], word: str) -> Value:
    pairs: list[Value] = []
    for number, (name, value) in enumerate(named):
        # Parts of modules that a loop made have one name, so that it is the number that tells them apart.
        oid = engine.m.oid(site.place[1], f"{word} {number}")
        key = const(name)
        if "*" in name:
            # PyTorch has a number or a name where the path says that there are several.
            parts = [".*" if part.startswith("*") else re.escape(part) for part in name.split(".")]
            key = text.unknown(engine, state, site.place[1], re.escape(".").join(parts))
        pairs.append(one(state.allocate(oid, Container("tuple", (key, value)))))
    return _listed(engine, state, site, pairs, word)


@module_method("parameters")
def parameters(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``parameters()``."""
    return _listed(engine, state, site, [v for _, v in _parameters(engine, state, oid, site)], "parameters")


@module_method("named_parameters")
def named_parameters(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``named_parameters()``."""
    return _pairs(engine, state, site, _parameters(engine, state, oid, site), "named parameters")


def _parameters(engine: Engine, state: State, oid: int, site: CallSite) -> list[tuple[str, Value]]:
    """A module's parameters; those of one of several modules are met where it is."""
    met = belonging.met(engine.m, state, oid, site.given)
    found = module_tree.parameters(engine.m, state, oid)
    return [(name, belonging.held_by(engine.m, oid, value, met)) for name, value in found] if met else found


@module_method("state_dict")
def state_dict(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``state_dict()``: detached aliases of the parameters, on the same version counters."""
    entries: dict[object, Value] = {}
    for name, value in module_tree.parameters(engine.m, state, oid):
        for atom in value:
            tensor = state.tensor(atom) if isinstance(atom, int) else None
            if tensor is not None:
                alias = Tensor(
                    site.place,
                    "state_dict",
                    tensor.storages,
                    tensor.counters,
                    region=tensor.region,
                    dtype=tensor.dtype,
                    shape=tensor.shape,
                )
                entries[name] = one(state.allocate(engine.m.oid(site.place[1], f"state {name}"), alias))
    return one(state.allocate(engine.m.oid(site.place[1], "state_dict"), Container("dict", (), entries)))


@module_method("modules")
def all_modules(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``modules()``."""
    return _listed(engine, state, site, [one(sub) for _, sub in module_tree.submodules(state, oid)], "modules")


@module_method("named_modules")
def named_modules(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``named_modules()``."""
    return _pairs(engine, state, site, [(n, one(s)) for n, s in module_tree.submodules(state, oid)], "named modules")


@module_method("children")
def children(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``children()``."""
    held = module_tree.children(state, oid)
    if all(child.name is not None for child in held):
        return _listed(engine, state, site, [child.value for child in held], "children")
    order = module_tree.order_of_children(held)
    box = sequence("generator", order, union([child.value for child in held]))
    return one(state.allocate(engine.m.oid(site.place[1], "children"), box))


@module_method("named_children")
def named_children(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``named_children()``."""
    held = module_tree.children(state, oid)
    if all(child.name is not None for child in held):
        return _pairs(engine, state, site, [(str(child.name), child.value) for child in held], "named children")
    pairs: list[Value] = []
    for number, child in enumerate(held):
        name = text.unknown(engine, state, site.place[1], child.pattern) if child.name is None else const(child.name)
        pair = Container("tuple", (name, child.value))
        pairs.append(one(state.allocate(engine.m.oid(site.place[1], f"named child {number}"), pair)))
    box = sequence("generator", None, union(pairs))
    return one(state.allocate(engine.m.oid(site.place[1], "named children"), box))


@module_method("train", "eval")
def train(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``train(mode)`` and ``eval()``, for the module and all it holds."""
    flag: Value = const(site.target is None or not site.target.endswith("eval"))
    given = site.argument(0, "mode")
    if given is not None:
        flag = given
    for _, sub in list(module_tree.submodules(state, oid)):
        instance = state.heap.get(sub)
        if isinstance(instance, Instance):
            state.put(sub, replace(instance, attrs={**instance.attrs, "training": flag}))
    return one(oid)


@module_method("to", "cuda", "cpu", "float", "double", "half", "bfloat16", "type", "share_memory", "to_empty", "xpu")
def same(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """Methods that return the module itself; parameters keep their identity."""
    return one(oid)


@module_method("__getattr__")
def attribute(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """``module.__getattr__(name)``, as older code finds its submodules: what ``getattr`` gives."""
    given = replace(site, positional=[one(oid), *site.positional[:1]], named={})
    return calls.call_symbol(engine, state, "builtins.getattr", given)


@module_method("zero_grad")
def zero_grad(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``zero_grad()``: gradients become None, unless they are asked to become zero."""
    flag = constant_of(site.argument(0, "set_to_none"), True)
    if flag is not False:
        for _, value in module_tree.parameters(engine.m, state, oid):
            for atom in value:
                if isinstance(atom, int):
                    clear_grad(state, atom)
    return NONE


@module_method("requires_grad_")
def requires_grad(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``requires_grad_(flag)`` for every parameter."""
    flag = site.argument(0, "requires_grad") or const(True)
    for _, value in module_tree.parameters(engine.m, state, oid):
        for atom, cond in value.items():
            if isinstance(atom, int):
                attributes.set_requires_grad(engine, state, atom, flag, cond)
    return one(oid)


@module_method("load_state_dict")
def load_state_dict(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``load_state_dict()`` copies into every parameter in place, under no_grad."""
    info = WriteInfo(site.place, "call", "load_state_dict", None)
    for _, value in module_tree.parameters(engine.m, state, oid):
        for atom, cond in value.items():
            if isinstance(atom, int):
                bump(engine.m, state, atom, cond, info, False)
    return ANYTHING


@module_method("register_buffer", "register_parameter", "add_module", "register_module")
def register(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """Registering is setting an attribute of a constant name."""
    name = constant_of(site.argument(0, "name"))
    value = site.argument(1, "tensor") or site.argument(1, "param") or site.argument(1, "module") or NONE
    instance = state.heap.get(oid)
    if (site.target or "").endswith("register_buffer"):
        value = {_needs_no_grad(engine, state, atom): cond for atom, cond in value.items()}
    if isinstance(name, str) and isinstance(instance, Instance):
        state.put(oid, replace(instance, attrs={**instance.attrs, name: value}))
        box_value = instance.attrs.get("*items")
        for atom in box_value or ():
            box = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(box, Container) and isinstance(atom, int):
                if box.kind == "dict":
                    grown = None if box.order is None else sequences.appended(box.order, value)
                    entries = {**(box.entries or {}), name: value}
                    state.put(atom, Container("dict", (), entries, box.rest, None, grown))
                elif box.items is not None:
                    state.put(atom, Container("list", (*box.items, value)))
                else:
                    grown = None if box.order is None else sequences.appended(box.order, value)
                    state.put(atom, sequence("list", grown, union((box.rest, value))))
    elif isinstance(instance, Instance):
        key = module_tree.dynamic_name(text.pattern_of(engine.m, site.argument(0, "name") or ANYTHING))
        held = union((instance.attrs.get(key, NOTHING), value))
        state.put(oid, replace(instance, attrs={**instance.attrs, key: held}))
        for atom in instance.attrs.get("*items", {}):
            box = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(box, Container) and isinstance(atom, int) and box.kind == "list" and box.items is not None:
                state.put(atom, Container("list", (*box.items, value)))
            elif isinstance(box, Container) and isinstance(atom, int) and box.kind == "list":
                grown = None if box.order is None else sequences.appended(box.order, value)
                state.put(atom, sequence("list", grown, union((box.rest, value))))
            elif isinstance(box, Container) and isinstance(atom, int):
                before = order_of(box)
                grown = None if before is None else sequences.appended(before, value)
                state.put(atom, Container("dict", (), box.entries, union((box.rest, value)), None, grown))
    return NONE


def _needs_no_grad(engine: Engine, state: State, atom: Atom) -> Atom:
    """A buffer of which nobody knows what it is: buffers are there for what is not trained."""
    tensor = state.tensor(atom) if isinstance(atom, int) else None
    whole = Unknown(tensor.assumed) if tensor is not None and tensor.assumed else atom
    if not isinstance(whole, Unknown) or not whole.tag:
        return atom
    return engine.m.derived(whole, " as a buffer", grad="no")


@module_method("apply")
def apply(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """``apply(fn)`` calls the function with every module."""
    func = site.argument(0, "fn")
    if func is not None:
        for _, sub in list(module_tree.submodules(state, oid)):
            calls.call_value(engine, state, site.flow, func, [one(sub)], {}, site.place)
    return one(oid)


@module_method("get_parameter", "get_submodule", "get_buffer")
def by_path(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """A part by its dotted path."""
    path = constant_of(site.argument(0, "target"))
    if not isinstance(path, str):
        return ANYTHING
    value: Value = one(oid)
    for part in path.split(".") if path else ():
        value = attributes.get(engine, state, site.flow, value, part, site.place)
    return value


@module_method("buffers", "named_buffers")
def buffers(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """Buffers need no grad; which they are does not matter."""
    unknown = Unknown("", "no", False)
    if site.target is not None and site.target.endswith("named_buffers"):
        pair = one(
            state.allocate(engine.m.oid(site.place[1], "buffer"), Container("tuple", (ANYTHING, {unknown: TRUE})))
        )
        return one(state.allocate(engine.m.oid(site.place[1], "buffers"), Container("generator", None, None, pair)))
    return one(
        state.allocate(engine.m.oid(site.place[1], "buffers"), Container("generator", None, None, {unknown: TRUE}))
    )


@module_method("forward")
def forward(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """``module.forward(...)`` of a torch module."""
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return ANYTHING
    return modules.call_instance(
        engine, state, site.flow, oid, instance, site.positional, site.named, site.place, site.target, hooked=False
    )


@module_method("reset_running_stats", "reset_parameters")
def reset(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """A module writes to its own tensors again, in place and under no_grad, as their counters see."""
    instance = state.heap.get(oid)
    name = (site.target or "").rsplit(".", 1)[-1]
    row = None
    if isinstance(instance, Instance):
        path = classes.outside_base(state, instance.cls)
        row = None if path is None else engine.m.model.module(path)
    if row is None or not isinstance(instance, Instance):
        return NONE
    info = WriteInfo(site.place, "call", name, None)
    names = row.buffers if name == "reset_running_stats" else (*row.buffers, *(n for n, _ in row.parameters))
    for attr in names:
        for atom, cond in instance.attrs.get(attr, {}).items():
            if isinstance(atom, int):
                bump(engine.m, state, atom, cond, info, False)
    return NONE
