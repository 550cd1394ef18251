"""What ``del`` does: elements of containers, and parameters of modules, whose names are free for plain tensors afterwards."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.objects import Container, Instance, contents
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, SliceAtom, Value, constant_of, known
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.registry import CallSite, symbol


def attribute(state: State, obj: Value, attr: str) -> None:
    """``del obj.attr``: of a parameter. What other attributes were stays known to callers that still look."""
    if len(obj) != 1:
        return
    (atom,) = obj
    thing = state.heap.get(atom) if isinstance(atom, int) else None
    if not isinstance(thing, Instance) or not isinstance(atom, int):
        return
    held = [state.tensor(inner) for inner in thing.attrs.get(attr, ()) if isinstance(inner, int)]
    if any(tensor is not None and tensor.parameter for tensor in held):
        state.put(atom, replace(thing, attrs={name: value for name, value in thing.attrs.items() if name != attr}))


@symbol("builtins.delattr")
def delattr_(engine: Engine, state: State, site: CallSite) -> Value:
    """``delattr(obj, name)``."""
    name = constant_of(site.argument(1, "name"))
    if isinstance(name, str):
        attribute(state, site.argument(0, "obj") or ANYTHING, name)
    return NONE


def item(engine: Engine, state: State, obj: Value, index: Value) -> None:
    """``del obj[index]``; an item of ``module._parameters`` is an attribute of the module."""
    for atom in obj:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if not isinstance(box, Container) or not isinstance(atom, int):
            continue
        literal = known(index)
        owner = engine.m.registries.get(atom)
        if owner is not None and literal is not None and isinstance(literal.value, str):
            attribute(state, {owner: obj[atom]}, literal.value)
        if box.kind == "dict" and literal is not None and box.entries is not None:
            entries = {k: v for k, v in box.entries.items() if k != literal.value}
            state.put(atom, Container("dict", (), entries, box.rest, box.default))
        elif literal is not None and isinstance(literal.value, int) and box.items is not None:
            left = list(box.items)
            if -len(left) <= literal.value < len(left):
                del left[literal.value]
            state.put(atom, Container(box.kind, tuple(left), None, box.rest))
        elif len(index) == 1 and next(iter(index)) == SliceAtom(None, None, None):
            state.put(atom, Container(box.kind, ()))
        else:
            state.put(atom, Container(box.kind, None, None, contents(box)))
