"""``detach_`` and ``requires_grad_`` of one of several tensors: they are called of all of them.

Code that cuts its states from the graph, or freezes its parameters, goes over all that there are, one in a round. Were each of
them cut only where it is the one that the round met, the others would still seem to hang on to the graph after the loop.
"""

from __future__ import annotations

from inplace_lint import ir
from inplace_lint.domain.conditions import Cond, both
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, Atom, Method, Value, under, union
from inplace_lint.interp import calls
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.registry import CallSite

METHODS = frozenset({"detach_", "requires_grad_"})
"""By which a tensor leaves the graph, or enters it."""


def applies(callees: list[tuple[Atom, Cond]]) -> bool:
    """Whether all that may be called are such methods."""
    return all(isinstance(atom, Method) and atom.name in METHODS for atom, _ in callees)


def run(
    engine: Engine, state: State, flow: Flow, instr: ir.Call, callees: list[tuple[Atom, Cond]], site: CallSite
) -> State:
    """Call them one after another in one state, each for what is assumed of its tensor."""
    outer = state.path
    values: list[Value] = []
    for atom, cond in callees:
        path = both(outer, cond)
        if path is None:
            continue
        state.path = path
        value = calls.call_atom(
            engine, state, flow, atom, site.positional, site.named, site.place, site.target, None, cond - outer
        )
        values.append(ANYTHING if value is None else under(value, cond))
    state.path = outer
    state.registers[-1][instr.dst] = union(values)
    return state
