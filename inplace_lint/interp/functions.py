"""Functions of the source: a call runs the callee's body on the caller's state, in a context of its own.

Running the body on the real state is the exact summary of the call at this site: what it writes, which aliases it returns,
what it saves that outlives it, which graph it leaves pending. Recursion is followed a few activations deep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from inplace_lint import ir
from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import Container, Frame, Function, Instance, Place
from inplace_lint.domain.state import State, join_all, switched
from inplace_lint.domain.values import ANYTHING, NONE, NOTHING, Atom, BoundFunction, Unknown, Value, one, union
from inplace_lint.interp import classes, pairing
from inplace_lint.interp.budget import BudgetExceeded
from inplace_lint.interp.engine import RETURN_PLACE, Engine
from inplace_lint.interp.evidence import tensor_parameters
from inplace_lint.interp.flow import Flow, Resume
from inplace_lint.interp.keys import seats
from inplace_lint.interp.machine import CALL_DEPTH, RECURSION, RECURSIVE_CALLS, Machine
from inplace_lint.interp.ops import adopt
from inplace_lint.interp.registry import Spread

MOST_WAITING = 2
"""States at a yield that are kept of a generator which never ends: where a loop came to its fixpoint, the last ones hold all."""
RETURNED = -1_000_001
"""The register in which a return value travels through the join of a function's exits."""


@dataclass(slots=True)
class Call:
    """A function of the source and what it is called with. spread: the starred ones among its arguments, if there are any."""

    function: Function
    positional: list[Value]
    named: Mapping[str, Value]
    place: Place
    spread: Spread | None = None


def bind(engine: Engine, state: State, call: Call) -> dict[str, Value]:
    """Arguments to parameter names; what is not given is the default, and unknown where there is none."""
    function, positional, spread = call.function, call.positional, call.spread
    code = function.code
    assert isinstance(code, ir.Code)
    m = engine.m
    names: dict[str, Value] = {}
    rest = list(positional)
    spare = dict(call.named)
    for param in code.params:
        if param.kind in ("positional", "positional_only"):
            if rest:
                names[param.name] = rest.pop(0)
                if spread is not None and not spread.surplus and not rest:
                    rest = [positional[-1]]
            elif param.name in spare and param.kind == "positional":
                names[param.name] = spare.pop(param.name)
            elif param.name in function.defaults:
                names[param.name] = function.defaults[param.name]
            else:
                names[param.name] = ANYTHING
        elif f"*{param.name}" in spare:
            names[param.name] = spare.pop(f"*{param.name}")  # what unknown callers give, as one unknown
        elif param.kind == "vararg" and spread is not None and spread.surplus and not rest:
            names[param.name] = spread.surplus
        elif param.kind == "vararg":
            taken = len(positional) - len(rest)
            box = Container("tuple", tuple(rest)) if spread is None else spread.after(positional, taken)
            names[param.name] = one(state.allocate(m.oid(code.origin, f"*{param.name}"), box))
            rest = []
        elif param.kind == "keyword_only":
            if param.name in spare:
                names[param.name] = spare.pop(param.name)
            else:
                names[param.name] = function.defaults.get(param.name, ANYTHING)
        else:
            extra: dict[object, Value] = dict(spare.items())
            box = Container("dict", (), extra)
            names[param.name] = one(state.allocate(m.oid(code.origin, f"**{param.name}"), box))
    return names


def _settle_tensors(
    engine: Engine, state: State, code: ir.Code, names: dict[str, Value], receiver: Value, owner: int | None
) -> None:
    """Arguments of which nothing is known are tensors where the body shows that only tensors will do.

    receiver: the first argument, of whose class the methods are; owner: the class that defines the function.
    """
    m = engine.m
    unknown = [n for n, value in names.items() if any(isinstance(a, Unknown) and a.tag and a.tensor for a in value)]
    if not unknown:
        return
    instance = state.heap.get(atom) if isinstance(atom := next(iter(receiver), None), int) else None
    cls = instance.cls if isinstance(instance, Instance) else owner
    evident = m.evident.get((code, cls))
    if evident is None:
        methods = () if cls is None else classes.method_names(state, cls)
        evident = m.evident[code, cls] = tensor_parameters(code, m.model, methods)
    for name in unknown:
        if name in evident:
            made = {a: m.materialise(state, a) if isinstance(a, Unknown) else None for a in names[name]}
            names[name] = {a if (oid := made[a]) is None else oid: cond for a, cond in names[name].items()}


def call(
    engine: Engine,
    state: State,
    flow: Flow,
    oid: int,
    function: Function,
    positional: list[Value],
    named: Mapping[str, Value],
    place: Place,
    spread: Spread | None = None,
) -> Value | None:
    """Call a function of the source. None where it never returns; the state becomes the one after the call.

    A generator that a loop or a ``with`` takes up at once has not begun by then (see ``suspended``).
    """
    from inplace_lint.interp import suspended

    made = Call(function, positional, named, place, spread)
    if isinstance(function.code, ir.Code) and function.code.is_generator:
        waiting = suspended.put_off(engine, state, flow, made)
        if waiting is not None:
            return waiting
    return run(engine, state, flow, made)


def run(engine: Engine, state: State, flow: Flow, call: Call, resume: Resume | None = None) -> Value | None:
    """Run a function of the source. None where it never returns; the state becomes the one after the call.

    resume: what happens where it yields; nothing is the value then, and anything else stands for what could not be followed.
    """
    function, place = call.function, call.place
    m = engine.m
    code = function.code
    assert isinstance(code, ir.Code)
    activations = sum(c is code for c in m.codes)
    # Recursion whose depth the data decide goes through a loop that is run to a fixpoint since the last activation:
    # one activation shows all there is, and more would cost exponentially.
    loops = m.fixpoint_depth()
    through_loop = activations and any(c is code and d < loops for c, d in zip(m.codes, m.depths, strict=False))
    if activations:
        m.recursions[code] = m.recursions.get(code, 0) + 1
    many = m.recursions.get(code, 0) > RECURSIVE_CALLS and activations
    if len(m.codes) >= CALL_DEPTH or many or activations >= (1 if through_loop else RECURSION):
        return {m.fresh(state, place[1], "deep result", "no"): TRUE}
    if code in m.costly and len(m.budget.entered) >= m.budget.own:
        return _left_out(engine, state, call)
    ran = len(m.visited)
    m.visited[code] = None
    if function.compiled:
        m.compiled.add(place)
    outer = (m.file, m.ctx, m.calls, m.codes, m.unrolled, m.depths)
    caller_loops = m.loops
    before = state.copy()
    running = len(m.live_frames)
    depth = m.budget.enter()
    m.ctx = (*m.ctx, place)
    if place != (code.file, code.origin):  # else nobody in the source calls it: the analysis starts there
        m.calls = (*m.calls, place)
    m.codes = (*m.codes, code)
    m.depths = (*m.depths, loops)
    m.file = code.file
    over = False
    try:
        return _follow(engine, state, flow, call, resume)
    except BudgetExceeded as exceeded:
        if exceeded.depth != depth:
            raise
        over = True
        if m.budget.give_up(depth):
            m.too_large.add(code)
    finally:
        m.budget.leave(depth)
        m.file, m.ctx, m.calls, m.codes, m.unrolled, m.depths = outer
        m.loops = caller_loops
    assert over
    # As if it had never been followed: it and the definitions that ran in it are looked at on their own.
    adopt(state, before)
    del m.live_frames[running:]
    while len(m.visited) > ran:
        m.visited.popitem()
    m.costly.add(code)
    return _left_out(engine, state, call)


def _left_out(engine: Engine, state: State, call: Call) -> Value:
    """The result of a call that costs too much to follow: unknown, and for a module's forward likely to require grad."""
    from inplace_lint.interp import modules

    m = engine.m
    function, positional, place = call.function, call.positional, call.place
    code = function.code
    assert isinstance(code, ir.Code)
    if not m.loading and code not in m.noted:
        m.noted.add(code)
        m.give_up("following it takes more steps than the analysis may", code.qualname, place)
    receiver = next(iter(positional[0]), None) if positional and function.owner is not None else None
    instance = state.heap.get(receiver) if isinstance(receiver, int) else None
    if isinstance(instance, Instance) and isinstance(receiver, int):
        if code.name == "__init__":
            # Of what it would have built nothing is known, so every attribute is unknown.
            state.put(receiver, replace(instance, tag=instance.tag or "self"))
            return NONE
        if code.name.startswith(("forward", "__call__")) and classes.is_module(state, instance.cls):
            return modules.likely(engine, state, [*positional[1:], *call.named.values()], place, "module")
    return {m.fresh(state, place[1], "result", "no"): TRUE}


def _follow(engine: Engine, state: State, flow: Flow, call: Call, resume: Resume | None) -> Value | None:
    """Run a function's body; the machine stands in its context already."""
    m = engine.m
    function = call.function
    code = function.code
    assert isinstance(code, ir.Code)
    names = bind(engine, state, call)
    first = code.params[0].name if code.params else None
    owner = function.owner if function.kind != "static" else None
    receiver = NOTHING if owner is None or first is None else names.get(first, NOTHING)
    _settle_tensors(engine, state, code, names, receiver, owner)
    if function.owner is not None and first is not None:
        names = {**names, "*owner": one(function.owner), "*self": names.get(first, NOTHING)}
    frame = m.oid(code.origin, "frame")
    if frame in state.heap:
        state.age(frame)
    state.heap[frame] = Frame(names, function.frame)
    engine.m.holders.enter(frame, names.values())
    mode = dict(state.mode)
    if function.grad_mode is not None:
        state.mode = switched(mode, {function.grad_mode: TRUE})
    inner = Flow(frame, function.module, code, resume=resume)
    # A generator that never ends still hands out its values.
    entry = state.copy() if code.is_generator and resume is None else None
    depth = len(state.registers)
    state.registers.append({})
    m.live_frames.append(frame)
    end = engine.run(code.body, state, inner)
    m.live_frames.pop()
    if end is not None:
        inner.returns.append((end, NONE))
    if entry is not None and not inner.returns:
        entry.registers.append({})
        inner.returns.extend((left, NONE) for left in (entry, *inner.waiting))
    value = _leave(engine, state, flow, inner, mode, code, function)
    if value is None:
        # Some callers go on all the same, as after a handler: in their own registers.
        state.registers = state.registers[:depth]
    return value


def _leave(
    engine: Engine, state: State, flow: Flow, inner: Flow, mode: dict[str, Cond], code: ir.Code, function: Function
) -> Value | None:
    ends: list[State] = []
    captured = inner.frame in engine.m.captured
    watched = engine.m.on_return
    watching = watched is not None and watched[0] is code and len(engine.m.codes) == 2
    if watched is not None and watching:
        watched[1].extend((end.copy(), value) for end, value in inner.returns)
    for end, value in inner.returns:
        if not captured:
            end.heap.pop(inner.frame, None)
        place = end.registers[-1].get(RETURN_PLACE)
        end.registers = [*end.registers[:-2], dict(end.registers[-2])]
        end.registers[-1][RETURNED] = value
        if watching and place is not None:
            end.registers[-1][RETURN_PLACE] = place
        if function.grad_mode is not None:
            end.mode = mode
        ends.append(end)
    left: State | None = None
    for raised in inner.raises:
        # The state that raised may be the caller's own object, and some callers go on with it.
        left = raised.copy()
        left.registers = [*left.registers[:-2], dict(left.registers[-2])]
        if function.grad_mode is not None:
            left.mode = mode
        flow.raises.append(left)
    joined = join_all(ends)
    if joined is None:
        if left is not None:
            adopt(state, left.copy())
        return None
    value = joined.registers[-1].pop(RETURNED, ANYTHING)
    adopt(state, joined)
    if inner.resume is not None:
        return NOTHING
    if code.is_generator:
        rest = _yielded(engine.m, inner)
        box = Container("generator", None, None, rest)
        made = state.allocate(engine.m.oid(code.origin, "generator"), box)
        if function.kind == "context" and inner.modes:
            # The generator's grad mode is the thread's, so it holds while the generator waits.
            engine.m.context_modes[made] = inner.modes[-1]
        return one(made)
    return value


def _yielded(m: Machine, flow: Flow) -> Value:
    """Everything that a generator's body yielded. In which round of its own loops it met that is over with them."""
    found = union(flow.yields)
    return {a: c - {f for f in seats(c) if not pairing.is_running(m, f)} for a, c in found.items()}


def run_yield(state: State, flow: Flow, value: Value, place: Place) -> State | None:
    """A generator yields a value: whoever takes it up at once goes on, or it is one of those that the generator gives."""
    if flow.resume is not None:
        return flow.resume(state, value, place)
    flow.yields.append(value)
    flow.modes.append(dict(state.mode))
    flow.waiting.append(state.copy())
    del flow.waiting[:-MOST_WAITING]
    return state


def special_method(
    engine: Engine, state: State, flow: Flow, receiver: Atom, name: str, args: list[Value], place: Place
) -> Value | None:
    """Call a method that the receiver's class defines in the source; None where it defines none."""
    if not isinstance(receiver, int):
        return None
    instance = state.heap.get(receiver)
    if not isinstance(instance, Instance):
        return None
    found = classes.lookup(state, instance.cls, name)
    if found is None:
        return None
    for atom in found:
        function = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(function, Function) and isinstance(atom, int):
            value = call(engine, state, flow, atom, function, [one(receiver), *args], {}, place)
            return ANYTHING if value is None else value
    return None


__all__ = ["BoundFunction", "call", "run", "run_yield", "special_method"]
