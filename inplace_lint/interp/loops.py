"""Loops of unknown length: what holds after any number of rounds.

The first round works on what was there before the loop, later ones on what a round made. It is set apart, so that what the
next round writes is not taken for what was there before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from inplace_lint import ir
from inplace_lint.domain.conditions import both
from inplace_lint.domain.objects import Place
from inplace_lint.domain.state import State
from inplace_lint.interp.counters import is_last
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.machine import Machine

if TYPE_CHECKING:
    from inplace_lint.interp.engine import Engine

ROUNDS = 12
"""Rounds after which a loop's states are taken as they are; the finite domain ends long before."""


_ACTING = (ir.For, ir.While, ir.Yield, ir.Binary, ir.InPlace, ir.SetItem)
_QUESTIONS = frozenset({"isinstance", "issubclass", "hasattr", "callable", "len", "type"})


def computes_only(m: Machine, loop: ir.For | ir.While, place: Place) -> bool:
    """Whether a loop's rounds write nothing in place and start no backward, as far as its own text shows: layer after layer."""
    known = m.computing.get(place)
    if known is None:
        known = m.computing[place] = not any(_acts(instr) for instr in ir.walk(loop.body))
    return known


def looks_only(body: ir.Region) -> bool:
    """Whether a loop's round calls nothing but Python's questions about an object, such as ``isinstance``."""
    asking = {instr.dst for instr in ir.walk(body) if isinstance(instr, ir.Load) and instr.name in _QUESTIONS}
    return all(
        instr.func in asking if isinstance(instr, ir.Call) else not isinstance(instr, _ACTING)
        for instr in ir.walk(body)
    )


def _acts(instr: ir.Instr) -> bool:
    name = instr.attr if isinstance(instr, ir.GetAttr) else ""
    acts = name in ("backward", "step", "data") or (name.endswith("_") and not name.startswith("_"))
    # What a generator's taker does while it waits is not in its text.
    return acts or isinstance(instr, (ir.InPlace, ir.SetItem, ir.Yield))


def steady_state(
    engine: Engine,
    instr: ir.For | ir.While,
    entry: State,
    flow: Flow,
    start: Callable[[State, Flow], State | None],
    dead: frozenset[int] | set[int],
    place: tuple[str, int],
) -> State | None:
    """What holds after any number of rounds but none, events muted; None where no round ends in another one."""
    m = engine.m

    def another(state: State, first: bool = False) -> State | None:
        return _another(engine, instr, state, entry, flow, start, dead, place, first)

    m.muted += 1
    m.iterated.loops += 1
    try:
        steady = another(entry.copy(), first=True)
        if steady is None:
            return None
        # In the later rounds of an outer loop the entry only grows, so the last fixpoint lies below the next one and is a start
        # for it. What an outer loop's first round works on is set apart, and no part of what later ones work on.
        outer = tuple(m.first_round.get(loop) for loop in m.loops[:-1])
        key = (place, m.ctx, len(entry.registers), outer)
        before = m.fixpoints.get(key)
        if before is not None and before.path == entry.path and before.mode == entry.mode:
            steady = steady.join(before)
        for _ in range(ROUNDS):
            after = another(steady.copy())
            if after is None:
                break
            merged = steady.join(after)
            if merged.same_as(steady):
                break
            steady = merged
    finally:
        m.muted -= 1
        m.iterated.loops -= 1
    if m.muted:
        m.fixpoints[key] = steady.copy()
    return steady


def second_round(
    engine: Engine,
    instr: ir.For | ir.While,
    entry: State,
    flow: Flow,
    start: Callable[[State, Flow], State | None],
    dead: frozenset[int] | set[int],
    place: tuple[str, int],
) -> State | None:
    """What holds after one round that is not the last, events muted; None where it does not end in another one."""
    m = engine.m
    m.muted += 1
    m.iterated.loops += 1
    try:
        return _another(engine, instr, entry.copy(), entry, flow, start, dead, place, True)
    finally:
        m.muted -= 1
        m.iterated.loops -= 1


def _another(
    engine: Engine,
    instr: ir.For | ir.While,
    state: State,
    entry: State,
    flow: Flow,
    start: Callable[[State, Flow], State | None],
    dead: frozenset[int] | set[int],
    place: tuple[str, int],
    first: bool,
) -> State | None:
    # What another round follows is not the last.
    path = both(state.path, is_last(engine.m, place, False))
    if path is None:
        return None
    state.path = path
    after = engine.round(instr, state, flow.apart(), start, dead, place, first)
    if after is not None:
        after.path = entry.path
    return after
