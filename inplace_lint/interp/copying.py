"""Deep copies: the same structure over new objects and new storages."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import Class, Container, Frame, Function, Instance, Node, Obj, Place, Status, Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NONE, Atom, Unknown, Value
from inplace_lint.interp.engine import Engine

SHARED = (Class, Function, Frame, Node)
"""Kinds of objects that a deep copy shares with its original."""


def deep(engine: Engine, state: State, value: Value, place: Place) -> Value:
    """The deep copy of a value. Copies of leaves are leaves without a gradient."""
    made: dict[int, int] = {}
    return _value(engine, state, value, place, made)


def _value(engine: Engine, state: State, value: Value, place: Place, made: dict[int, int]) -> Value:
    copied: dict[Atom, Cond] = {}
    for atom, cond in value.items():
        if isinstance(atom, int):
            copied[_object(engine, state, atom, place, made)] = cond
        elif isinstance(atom, Unknown) and atom.tag:
            copied[engine.m.derived(atom, " copied")] = cond
        else:
            copied[atom] = cond
    return copied


def _object(engine: Engine, state: State, oid: int, place: Place, made: dict[int, int]) -> int:
    if oid in made:
        return made[oid]
    obj = state.heap.get(oid)
    if obj is None or isinstance(obj, SHARED):
        return oid
    new = engine.m.oid(place[1], f"copy of {oid}")
    made[oid] = new
    if new in state.heap:
        state.age(new)
    state.heap[new] = obj
    state.heap[new] = _rebuilt(engine, state, obj, new, place, made)
    return new


def _rebuilt(engine: Engine, state: State, obj: Obj, new: int, place: Place, made: dict[int, int]) -> Obj:
    if isinstance(obj, Tensor):
        own = frozenset({new})
        status = Status(leaf=obj.status.leaf, constant=obj.status.constant, interior=obj.status.interior)
        grad = NONE if obj.status.leaf == TRUE else obj.grad
        return replace(obj, storages=own, counters=own, bases={}, marks={}, nodes={}, status=status, grad=grad)
    if isinstance(obj, Container):
        return replace(
            obj,
            items=None if obj.items is None else tuple(_value(engine, state, v, place, made) for v in obj.items),
            entries=None
            if obj.entries is None
            else {k: _value(engine, state, v, place, made) for k, v in obj.entries.items()},
            rest=_value(engine, state, obj.rest, place, made),
        )
    if isinstance(obj, Instance):
        attrs = {k: _value(engine, state, v, place, made) for k, v in obj.attrs.items()}
        return replace(obj, attrs=attrs)
    return obj
