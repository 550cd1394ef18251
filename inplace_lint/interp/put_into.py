"""What code puts into something unknown: under a name into a caller's dict, or as an attribute of a caller's object.

Models hand such a dict from layer to layer (``end_points["scores"] = ...; return end_points``): whoever gets the dict gets the
tensors. A tensor that was put under a name is what lies there, until something else is put there or the thing is handed to code
that nobody knows. What else it holds stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import Container, Tensor, contents, sequence
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NOTHING, Atom, Unknown, Value, under, union
from inplace_lint.interp import keys
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.parts import outwards

LOOKS = frozenset({"get", "keys", "values", "items", "copy", "__contains__", "__len__"})
"""Methods of Python's mappings that leave them as they are."""


def put(m: Machine, state: State, owner: Atom, value: Value, name: str | None = None, cond: Cond = TRUE) -> None:
    """Remember what is put into an unknown. name: what follows from it so (``.x``, ``['x']``), None where no one knows."""
    if not isinstance(owner, Unknown) or not owner.tag:
        return
    held: Value = {atom: own for atom, own in value.items() if isinstance(atom, int)}
    if held:
        state.heap[m.named_oid(keys.PUT_INTO, owner.tag)] = sequence(
            "list", None, union((found(m, state, owner), held))
        )
    if name is None:
        forget(m, state, owner)
    elif "~" not in owner.tag:
        _name(m, state, owner, name, value, cond)


def _name(m: Machine, state: State, owner: Unknown, name: str, value: Value, cond: Cond) -> None:
    before = under_name(m, state, owner, name)
    forget(m, state, Unknown(owner.tag + name))
    tensors = any(isinstance(state.heap.get(atom), Tensor) for atom in value if isinstance(atom, int))
    if before is None and not tensors:
        return
    new = value
    if cond and not cond <= state.path:
        new = union((under(value, cond), NOTHING if before is None else before))
    number = m.named_oid(keys.NAMED, owner.tag)
    box = state.heap.get(number)
    entries: Mapping[object, Value] = (box.entries or {}) if isinstance(box, Container) else {}
    m.holding.add(owner.tag)
    state.heap[number] = Container("dict", (), {**entries, name: new})


def under_name(m: Machine, state: State, owner: Unknown, name: str) -> Value | None:
    """What was put under a name into an unknown, None where nothing is known to be there. It may be there on some paths only."""
    if owner.tag not in m.holding:
        return None
    box = state.heap.get(m.named_oid(keys.NAMED, owner.tag))
    return (box.entries or {}).get(name) if isinstance(box, Container) else None


def read(m: Machine, state: State, owner: Unknown, name: str, otherwise: Unknown) -> Value | None:
    """What lies under a name: what was put there, or what was there before on paths where nothing was; None if nothing was."""
    value = under_name(m, state, owner, name)
    if value is None:
        return None
    sure = any(cond <= state.path for cond in value.values())
    return value if sure else union((value, {otherwise: TRUE}))


def forget(m: Machine, state: State, owner: Unknown) -> None:
    """Of an unknown, and of its parts, nothing is known any more."""
    for tag in m.holding:
        if tag == owner.tag or any(whole.tag == owner.tag for whole in outwards(m.part_of, Unknown(tag))):
            state.heap.pop(m.named_oid(keys.NAMED, tag), None)


def given_away(m: Machine, state: State, values: Iterable[Value]) -> None:
    """Unknowns were handed to code that nobody knows, which may put something else into them."""
    if m.holding:
        for value in values:
            for atom in value:
                thing = state.heap.get(atom) if isinstance(atom, int) else None
                tag = atom.tag if isinstance(atom, Unknown) else thing.assumed if isinstance(thing, Tensor) else None
                if tag:
                    forget(m, state, Unknown(tag))


def found(m: Machine, state: State, owner: Atom) -> Value:
    """What was put into an unknown."""
    if not isinstance(owner, Unknown) or not owner.tag:
        return NOTHING
    box = state.heap.get(m.named_oid(keys.PUT_INTO, owner.tag))
    return NOTHING if box is None else contents(box)
