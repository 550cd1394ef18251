"""Writes to expanded memory that PyTorch lets pass, since they leave one value everywhere: ``fill_``, ``masked_fill_``, an index.

Their backward does not pass: it writes into a gradient that is expanded as the tensor is. That is so where the written tensor
itself required grad; a value that requires grad and is written into a constant gets its gradient.
"""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, Fact, maybe_both
from inplace_lint.domain.objects import Node, Place, Saved, Tensor, WriteRecord
from inplace_lint.domain.state import State
from inplace_lint.events import ExpandedWritten, Write
from inplace_lint.interp.machine import Machine

ROLE = "expanded"


def grown(tensor: Tensor) -> Cond:
    """When expanded memory is larger than what was expanded: what goes to a shape that nobody knows may have it already."""
    if tensor.expanded_dims is not None:
        return TRUE
    return frozenset({Fact(f"grows {tensor.expanded}", True, f"`{tensor.made_by}` makes it larger", True)})


def note(state: State, node: int, oid: int, tensor: Tensor, needs: Cond | None, record: WriteRecord) -> None:
    """``node`` is such a write to a tensor that requires grad under ``needs``, if ever."""
    made = state.heap.get(node)
    needs = maybe_both(needs, grown(tensor))
    if isinstance(made, Node) and needs is not None:
        none: frozenset[int] = frozenset()
        saved = Saved(ROLE, False, oid, none, none, (), needs, None, writes={record: TRUE}, scattered=tensor.expanded)
        state.heap[node] = replace(made, saved=(*made.saved, saved))


def event(
    m: Machine, saved: Saved, write: Write, record: WriteRecord, place: Place | None, cond: Cond
) -> ExpandedWritten:
    """What a backward at ``place`` makes of it."""
    known = not any(fact.key.startswith("grows ") for fact in saved.cond)
    context = replace(m.context(cond, record.calls), grows=known)
    expanded = None if saved.scattered is None else m.site(saved.scattered)
    return ExpandedWritten(write, expanded, context, True, None if place is None else m.site(place))
