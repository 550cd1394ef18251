"""What a function that nobody knows may do to a network that it is given: it may reset the state that the network keeps.

Spiking and recurrent networks keep a state from call to call, and a library's function resets it (``functional.reset_net(net)``).
It is taken to do so: the state's graph of earlier rounds is not what the next round goes on with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from inplace_lint.domain.objects import Instance, Place
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Value, one
from inplace_lint.interp import classes, module_tree
from inplace_lint.interp.machine import Machine


def given_away(m: Machine, state: State, values: Iterable[Value], place: Place) -> None:
    """Networks were handed to an unknown function: of the tensors with a graph that they keep, nothing is known any more."""
    for value in values:
        for atom in value:
            thing = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(atom, int) and isinstance(thing, Instance) and classes.is_module(state, thing.cls):
                for _, part in list(module_tree.submodules(state, atom)):
                    _forget(m, state, part, place)


def _forget(m: Machine, state: State, oid: int, place: Place) -> None:
    part = state.heap.get(oid)
    if not isinstance(part, Instance):
        return
    kept = {name: value for name, value in part.attrs.items() if _has_graph(state, value)}
    if kept:
        unknown = {name: one(m.fresh(state, place[1], f"state {name}", "no")) for name in kept}
        state.put(oid, replace(part, attrs={**part.attrs, **unknown}))


def _has_graph(state: State, value: Value) -> bool:
    tensors = (state.tensor(atom) for atom in value if isinstance(atom, int))
    return any(t is not None and not t.parameter and t.status.interior is not None for t in tensors)
