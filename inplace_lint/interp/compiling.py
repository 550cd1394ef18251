"""``torch.compile``: functions and modules that run compiled, where PyTorch's checks may come at another time or not at all."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.conditions import Cond
from inplace_lint.domain.objects import Function, Instance, Place
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, Atom, BoundFunction, Value, const, one
from inplace_lint.interp import instances
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.module_methods import module_method
from inplace_lint.interp.registry import CallSite, method, symbol

COMPILED = "*compiled"
"""The attribute that a compiled module has."""


@symbol("torch.compile")
def compile_(engine: Engine, state: State, site: CallSite) -> Value:
    """``torch.compile(f)``, or without ``f`` a decorator with settings."""
    target = site.argument(0, "model")
    if target is None:
        return instances.make_outside(engine, state, "torch.compile", site)
    return compiled(engine, state, target, site.place)


@method("torch.compile", "__call__")
def apply(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``torch.compile(mode=...)(f)``."""
    return compiled(engine, state, site.argument(0, "model") or ANYTHING, site.place)


@module_method("compile")
def compile_module(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``module.compile()``: its calls are compiled from now on."""
    compiled(engine, state, one(oid), site.place)
    return NONE


def compiled(engine: Engine, state: State, target: Value, place: Place) -> Value:
    """The compiled form of functions and modules. A module's own calls are marked as well, which is what people call."""
    found: dict[Atom, Cond] = {}
    for number, (atom, cond) in enumerate(target.items()):
        receiver = atom.receiver if isinstance(atom, BoundFunction) else None
        oid = atom.function if isinstance(atom, BoundFunction) else atom
        thing = state.heap.get(oid) if isinstance(oid, int) else None
        if isinstance(thing, Function):
            made = state.allocate(engine.m.oid(place[1], f"compiled {min(number, 3)}"), replace(thing, compiled=True))
            found[made if receiver is None else BoundFunction(receiver, made)] = cond
            continue
        if isinstance(thing, Instance) and isinstance(oid, int):
            state.put(oid, replace(thing, attrs={**thing.attrs, COMPILED: const(True)}))
        found[atom] = cond
    return found
