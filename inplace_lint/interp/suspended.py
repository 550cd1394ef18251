"""Generators that a loop or a ``with`` takes up at once: the taker's body runs where the generator yields.

Python runs a generator in pieces, between which whoever holds it goes on. Where the call of a generator function is the very
thing that a ``for`` goes over or a ``with`` enters, both texts are there, so the call is put off, and the generator's body is run
with the taker's body in the place of each ``yield``: what comes after a ``yield`` happens after the body, and what holds while
the generator waits holds in it. A generator that is kept for later is run where it is made, as one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest

from inplace_lint import ir
from inplace_lint.domain.conditions import both
from inplace_lint.domain.objects import Container, Function, Instance, Place
from inplace_lint.domain.state import State, join_all
from inplace_lint.domain.values import NOTHING, Value, one, under, union
from inplace_lint.interp import classes, functions
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.functions import Call
from inplace_lint.interp.machine import Machine

WAY_OUT = -1_000_005
"""The register in which what a body returns waits while the rest of the generator runs."""

Body = Callable[[State, Flow, Value], State | None]
"""Runs what takes up the generator: in a state of its own frame, with what was yielded; the state after it."""


def put_off(engine: Engine, state: State, flow: Flow, call: Call) -> Value | None:
    """A generator that waits for its taker; None where the call has to run as one piece."""
    code = call.function.code
    assert isinstance(code, ir.Code)
    taker = _takers(engine.m, flow.code).get(call.place[1]) if call.place[0] == flow.code.file else None
    if taker is not (ir.With if call.function.kind == "context" else ir.For):
        return None
    return _waiting(engine, state, call, code)


def _waiting(engine: Engine, state: State, call: Call, code: ir.Code) -> Value:
    made = state.allocate(engine.m.oid(code.origin, "generator"), Container("generator"))
    engine.m.suspended[made] = call
    return one(made)


def iterator_of(engine: Engine, state: State, iterable: Value, place: Place) -> Value:
    """What a loop goes over: for an instance whose class iterates by a generator, that generator, which has not begun."""
    atom = next(iter(iterable)) if len(iterable) == 1 else None
    instance = state.heap.get(atom) if isinstance(atom, int) else None
    if not isinstance(instance, Instance) or not isinstance(atom, int):
        return iterable
    for method in classes.lookup(state, instance.cls, "__iter__") or NOTHING:
        function = state.heap.get(method) if isinstance(method, int) else None
        if isinstance(method, int) and isinstance(function, Function) and isinstance(function.code, ir.Code):
            if not function.code.is_generator:
                return iterable
            return _waiting(engine, state, Call(function, [iterable], {}, place), function.code)
    return iterable


def _takers(m: Machine, code: ir.Code) -> Mapping[int, type]:
    """By the origin of a call in a definition, what takes up its result at once."""
    known = m.takers.get(code)
    if known is None:
        known = m.takers[code] = {}
        todo = [code.body]
        while todo:
            region = todo.pop()
            for instr, following in zip_longest(region, region[1:]):
                todo.extend(inner for _, inner in ir.subregions(instr))
                if isinstance(instr, ir.Call) and (
                    (isinstance(following, ir.For) and following.iterable == instr.dst)
                    or (isinstance(following, ir.With) and following.manager == instr.dst)
                ):
                    known[instr.origin] = type(following)
    return known


def taken_up(engine: Engine, state: State, flow: Flow, value: Value) -> tuple[Call | None, Value]:
    """The call that waits to be taken up, or the value with every such call run: of several things, none can wait."""
    waiting = engine.m.suspended
    if not any(atom in waiting for atom in value if isinstance(atom, int)):
        return None, value
    if len(value) == 1:
        (atom,) = value
        return waiting.pop(atom), value  # type: ignore[arg-type]
    given: list[Value] = []
    outer = state.path
    for atom, cond in value.items():
        call = waiting.pop(atom, None) if isinstance(atom, int) else None
        path = both(outer, cond)
        if call is None or path is None:
            given.append({atom: cond})
            continue
        state.path = path
        result = functions.run(engine, state, flow, call)
        state.path = outer
        given.append(under(result or NOTHING, cond))
    return None, union(given)


def run_through(
    engine: Engine, state: State, flow: Flow, call: Call, body: Body, finishes: bool
) -> tuple[State | None, list[State], Value]:
    """Run a generator with the taker's body where it yields.

    finishes: the generator goes on where the body leaves early, as after a ``with``. Returns the state after the generator, those
    in which the body broke off a loop, and, where the generator could not be followed, what stands for it: then nothing was run.
    Other ways out of the body are in the flow.
    """
    m = engine.m
    depth = len(state.registers) - 1
    mode = dict(state.mode)
    own = (m.file, m.calls, m.codes, m.depths)
    left = flow.apart()
    ways: set[str] = set()

    def resume(here: State, value: Value, place: Place) -> State | None:
        inner, ctx, within = (m.file, m.calls, m.codes, m.depths), m.ctx, here.mode
        m.file, m.calls, m.codes, m.depths = own
        m.ctx = (*ctx, place)
        if call.function.grad_mode is not None:
            here.mode = dict(mode)
        frames = here.registers
        here.registers = [*frames[:depth], *frames[depth + 1 :], dict(frames[depth])]
        try:
            after = body(here, left, value)
        finally:
            m.file, m.calls, m.codes, m.depths = inner
            m.ctx = ctx
        _let_go(left, here)
        way = "end" if after is not None else _only_way(left) if finishes else None
        if way is not None:
            ways.add(way)
        if after is None and way is not None:
            after = _turn_back(left, way)
        if after is None:
            return None
        frames = after.registers
        after.registers = [*frames[:depth], frames[-1], *frames[depth:-1]]
        after.registers[-1] = dict(after.registers[-1])
        if call.function.grad_mode is not None:
            after.mode = within
        return after

    value = functions.run(engine, state, flow, call, resume)
    if value:
        return state, [], value
    for gone in (*left.breaks, *left.continues, *left.raises, *(it for it, _ in left.returns)):
        gone.registers = [*gone.registers[:depth], gone.registers[-1]]
        gone.mode = dict(mode)
    flow.returns.extend(left.returns)
    flow.raises.extend(left.raises)
    flow.continues.extend(left.continues)
    if value is None:
        return None, left.breaks, NOTHING
    returned = state.registers[-1].pop(WAY_OUT, None)
    if ways and "end" not in ways:
        if "return" in ways:
            flow.returns.append((state, returned or NOTHING))
        elif "break" in ways:
            left.breaks.append(state)
        else:
            flow.continues.append(state)
        return None, left.breaks, NOTHING
    return state, left.breaks, NOTHING


def _let_go(left: Flow, here: State) -> None:
    """States that leave a body are their own: the one that it began with is the generator's, which unwinds it."""
    for states in (left.breaks, left.continues, left.raises):
        states[:] = [it.copy() if it is here else it for it in states]
    left.returns[:] = [(it.copy() if it is here else it, value) for it, value in left.returns]


def _only_way(left: Flow) -> str | None:
    """The way in which a body leaves that never reaches its end, where it is always the same one."""
    ways = [way for way, taken in _ways(left) if taken]
    return ways[0] if len(ways) == 1 else None


def _ways(left: Flow) -> tuple[tuple[str, bool], ...]:
    return ("return", bool(left.returns)), ("break", bool(left.breaks)), ("continue", bool(left.continues))


def _turn_back(left: Flow, way: str) -> State | None:
    """The state in which a body left, to run the rest of the generator; what is returned waits in a register."""
    states = list(left.breaks if way == "break" else left.continues)
    for state, value in left.returns:
        state.registers[-1][WAY_OUT] = value
        states.append(state)
    left.breaks.clear()
    left.continues.clear()
    left.returns.clear()
    return join_all(states)
