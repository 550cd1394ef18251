"""Gradients that are lent: to hooks of tensors and modules, and to a custom Function's own backward.

PyTorch hands one gradient to whoever needs it, so whoever is lent one must not write to it. A borrower is run once, beside
the program, where it is registered or applied: what it does is not done yet, only looked at.
"""

from __future__ import annotations

from inplace_lint.domain.conditions import TRUE
from inplace_lint.domain.objects import Container, Place, Tensor
from inplace_lint.domain.state import NO_GRAD, State
from inplace_lint.domain.values import Value, one
from inplace_lint.interp import calls
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow

BORROWED = -1_000_007
"""The register that keeps the lent gradients while the borrower runs."""


def gradient(engine: Engine, state: State, place: Place, by: str, number: int) -> Value:
    """A gradient that is lent at a place."""
    m = engine.m
    oid = m.oid(place[1], f"lent {by} {number}")
    own = frozenset({oid})
    m.lent[oid] = (by, place)
    return one(state.allocate(oid, Tensor(place, "gradient", own, own)))


def gradients(engine: Engine, state: State, place: Place, by: str, number: int) -> Value:
    """A tuple that holds a gradient, as hooks of modules are given."""
    box = Container("tuple", None, None, gradient(engine, state, place, by, number))
    return one(state.allocate(engine.m.oid(place[1], f"lent {by} tuple {number}"), box))


def lend(engine: Engine, state: State, flow: Flow, borrower: Value, arguments: list[Value], place: Place) -> None:
    """Run the borrower on gradients, beside the program. ``state`` is a copy that is given up afterwards."""
    state.mode = {NO_GRAD: TRUE}
    held = state.allocate(engine.m.oid(place[1], "lent arguments"), Container("tuple", tuple(arguments)))
    state.registers[-1][BORROWED] = one(held)
    calls.call_value(engine, state, flow.apart(), borrower, arguments, {}, place)
