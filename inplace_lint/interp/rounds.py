"""Methods that train are called again: what one call leaves on the object meets the next one's backward and step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inplace_lint.domain.objects import Instance
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Value, const, constant_of
from inplace_lint.events import Event, Site
from inplace_lint.interp import optimizers, recurrence, trainers
from inplace_lint.interp.autograd import backward
from inplace_lint.interp.budget import BudgetExceeded
from inplace_lint.interp.engine import RETURN_PLACE, Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.graph_methods import pending_roots
from inplace_lint.interp.machine import Pending
from inplace_lint.interp.registry import CallSite

MOST_OPTIMIZERS = 4
"""Optimizers of one LightningModule whose turns are followed."""

Call = Callable[[State, str, dict[int, Value]], Value | None]
"""Call the method: on a state, with the owner's name for the tags of unknown arguments, and given arguments by position."""


def call_again(engine: Engine, state: State, name: str, call: Call) -> None:
    """Call a method that ran backward once more on the same object; what then goes wrong assumes that somebody does."""
    _new_events(engine, lambda: call(state, f"{name} (next call)", {}), f"`{name}` is called again on the same object")


def call_in_a_row(engine: Engine, state: State, name: str, call: Call, links: dict[int, int]) -> None:
    """Call a forward once more with the state that it returned; ``links`` says where that is in the result."""
    word = f"`{name}` is given the state that its last call returned"
    _new_events(engine, lambda: recurrence.call_in_a_row(engine, state, name, call, links), word)


def lightning_steps(engine: Engine, state: State, flow: Flow, oid: int, call: Call, steps: bool) -> None:
    """What Lightning's trainer does: one ``training_step`` after the other.

    steps: the trainer runs backward and steps (automatic optimization). With several optimizers and a parameter for
    their index each has its turn.
    """

    def turns() -> None:
        made = trainers.configured(engine, state, flow, oid)[:MOST_OPTIMIZERS] if steps else []
        number = max(1, len(made))
        for turn in range(number + 1):
            which = turn % number
            owner = "training_step" if not turn else f"training_step (call {turn + 1})"
            value = call(state, owner, {2: const(which)} if number > 1 else {})
            if value is None:
                return
            if steps:
                _train(engine, state, flow, value, made[which : which + 1])

    _new_events(engine, turns, None)


def automatic(state: State, oid: int) -> bool:
    """Whether a LightningModule leaves backward and step to the trainer."""
    instance = state.heap.get(oid)
    flag = instance.attrs.get("automatic_optimization") if isinstance(instance, Instance) else None
    return flag is None or constant_of(flag) is True


def _train(engine: Engine, state: State, flow: Flow, loss: Value, made: list[Value]) -> None:
    place = constant_of(state.registers[-1].get(RETURN_PLACE))
    roots = pending_roots(engine, state, loss)
    if not roots or not isinstance(place, tuple):
        return
    site = CallSite(place, flow)
    held = [atom for value in made for atom in value if isinstance(atom, int)]
    for atom in held:
        optimizers.zero_grad(engine, state, atom, site)
    backward(engine.m, state, roots, place, None)
    for atom in held:
        optimizers.step(engine, state, atom, site)


def _new_events(engine: Engine, work: Callable[[], object], assumption: str | None) -> None:
    m = engine.m
    before = len(m.pending)
    known = {_what(pending.event) for pending in m.pending}
    outer = m.ctx
    m.ctx = (*outer, "again")
    try:
        work()
    except BudgetExceeded:
        m.muted = 0
    m.ctx = outer
    new = [pending for pending in m.pending[before:] if _what(pending.event) not in known]
    m.pending[before:] = new if assumption is None else [_assuming(pending, assumption) for pending in new]


def _what(event: Event) -> tuple[str, Site]:
    write = getattr(event, "write", None)
    return type(event).__name__, event.site if write is None else write.site  # type: ignore[union-attr]


def _assuming(pending: Pending, assumption: str) -> Pending:
    context = pending.event.context
    assumed = replace(context, assumptions=tuple(sorted({*context.assumptions, assumption})))
    return Pending(replace(pending.event, context=assumed), pending.cond)
