"""A leaf rebound, in its own update, to an interior tensor: ``w = w - lr * w.grad``."""

from __future__ import annotations

from inplace_lint.domain.objects import Container, Frame, Instance, Node, Place, reachable_from
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Value, references
from inplace_lint.events import ParameterRebound
from inplace_lint.interp.machine import Machine

DEPTH = 6
"""Nodes between the leaf and the new tensor that still count as one update expression."""


def check_rebound(m: Machine, state: State, old: Value, new: Value, name: str, place: Place) -> None:
    """Report where ``name``, until now a leaf, becomes an interior tensor made from it and from its ``.grad``."""
    if not old or not new or old is new:
        return
    for leaf_oid in old:
        leaf = state.tensor(leaf_oid) if isinstance(leaf_oid, int) else None
        if leaf is None or leaf.status.leaf is None or not isinstance(leaf_oid, int):
            continue
        for oid, cond in new.items():
            made = state.tensor(oid) if isinstance(oid, int) else None
            if made is None or made.status.interior is None or leaf_oid not in made.from_grad:
                continue
            if any(_leads_to(state, node, leaf_oid, DEPTH) for node in made.nodes):
                event = ParameterRebound(m.site(place), m.origin(leaf), name, m.context(cond))
                if "." not in name or _known_elsewhere(m, state, leaf_oid, name):
                    # Only a name was rebound; it does harm once the new tensor's gradient is asked for, if it ever is.
                    m.rebound[made.made] = event
                else:
                    m.emit(event, cond, state.path)


def _leads_to(state: State, oid: int, leaf: int, depth: int) -> bool:
    node = state.heap.get(oid)
    if not isinstance(node, Node) or depth == 0:
        return False
    return leaf in node.edges or any(_leads_to(state, edge, leaf, depth - 1) for edge in node.edges)


def _known_elsewhere(m: Machine, state: State, leaf: int, name: str) -> bool:
    """Whether something else still refers to the leaf: then only a name was rebound, and the leaf trains on."""
    seen: set[int] = set()
    todo: list[int] = []
    for frame_id in m.live_frames:
        frame = state.heap.get(frame_id)
        if isinstance(frame, Frame):
            for other, value in frame.names.items():
                if other != name:
                    todo.extend(references(value))
    while todo:
        oid = todo.pop()
        if oid == leaf:
            return True
        obj = state.heap.get(oid)
        if oid in seen or not isinstance(obj, (Container, Instance)):
            continue
        seen.add(oid)
        if (
            isinstance(obj, Instance)
            and "." in name
            and obj.attrs.get(name.rsplit(".", 1)[1], {}).get(leaf) is not None
        ):
            continue
        todo.extend(reachable_from(obj))
    return False
