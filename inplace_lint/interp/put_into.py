"""What code puts into something unknown: under a name into a caller's dict, or as an attribute of a caller's object.

Models hand such a dict from layer to layer (``end_points["scores"] = ...; return end_points``): whoever gets the dict gets the
tensors. What else it holds, and what is under that name once it is read again, stays unknown.
"""

from __future__ import annotations

from inplace_lint.domain.objects import contents, sequence
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NOTHING, Atom, Unknown, Value, union
from inplace_lint.interp import keys
from inplace_lint.interp.machine import Machine


def put(m: Machine, state: State, owner: Atom, value: Value) -> None:
    """Remember what is put into an unknown."""
    if not isinstance(owner, Unknown) or not owner.tag:
        return
    held: Value = {atom: cond for atom, cond in value.items() if isinstance(atom, int)}
    if held:
        state.heap[m.named_oid(keys.PUT_INTO, owner.tag)] = sequence(
            "list", None, union((found(m, state, owner), held))
        )


def found(m: Machine, state: State, owner: Atom) -> Value:
    """What was put into an unknown."""
    if not isinstance(owner, Unknown) or not owner.tag:
        return NOTHING
    box = state.heap.get(m.named_oid(keys.PUT_INTO, owner.tag))
    return NOTHING if box is None else contents(box)
