"""The meaning of simple instructions: names, literals, displays, imports, definitions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from inplace_lint import ir
from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE
from inplace_lint.domain.heap import Effort
from inplace_lint.domain.objects import Class, Container, Frame, Function, contents, order_of, sequence
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    NOTHING,
    Const,
    SliceAtom,
    Sym,
    Unknown,
    Value,
    const,
    constant_of,
    one,
    union,
)
from inplace_lint.interp import attributes, calls, deleting, items, iteration, linking, operators, pairing, text
from inplace_lint.interp.engine import Engine, handles
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.hints import Hints
from inplace_lint.interp.rebinding import check_rebound

BUILTINS = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)


def lookup(engine: Engine, state: State, flow: Flow, name: str, scope: ir.Scope) -> Value:
    """What a name refers to; unknown where nothing is known of it."""
    frames: list[int] = []
    if scope == "local":
        frames = [flow.frame]
    elif scope in ("free", "class"):
        frame = state.heap.get(flow.frame)
        if scope == "class":
            frames.append(flow.frame)
        parent = frame.parent if isinstance(frame, Frame) else None
        while parent is not None:
            frames.append(parent)
            above = state.heap.get(parent)
            parent = above.parent if isinstance(above, Frame) else None
    if scope in ("global", "class"):
        frames.append(flow.module)
    for oid in frames:
        frame = state.heap.get(oid)
        if isinstance(frame, Frame) and name in frame.names:
            value = linking.resolve(engine, state, engine.m.consistent(state, frame.names[name]))
            return value or ANYTHING
    if scope in ("global", "class", "free"):
        own = linking.bound_in(engine, state, flow.module, name)
        if own is not None:
            return own
        if name in BUILTINS:
            return one(Sym(f"builtins.{name}"))
        return linking.from_stars(engine, state, flow.module, name) or ANYTHING
    return ANYTHING


def bind_name(engine: Engine, state: State, flow: Flow, name: str, scope: ir.Scope, value: Value) -> None:
    """Bind a name in the frame that its scope says."""
    oid = flow.frame
    if scope == "global":
        oid = flow.module
        linking.keep_frame(engine, state, oid)
    elif scope == "free":
        frame = state.heap.get(flow.frame)
        parent = frame.parent if isinstance(frame, Frame) else None
        while parent is not None:
            above = state.heap.get(parent)
            if not isinstance(above, Frame):
                break
            if name in above.names:
                oid = parent
                break
            parent = above.parent
    frame = state.heap.get(oid)
    if isinstance(frame, Frame):
        Effort.passed += len(frame.names) >> 8
        state.put(oid, Frame({**frame.names, name: value}, frame.parent))


@handles(ir.Const)
def run_const(engine: Engine, instr: ir.Const, state: State, flow: Flow) -> State | None:
    """A literal."""
    state.registers[-1][instr.dst] = const(instr.value)
    return state


@handles(ir.Move)
def run_move(engine: Engine, instr: ir.Move, state: State, flow: Flow) -> State | None:
    """A register copied."""
    state.registers[-1][instr.dst] = state.registers[-1].get(instr.src, ANYTHING)
    Hints.move(engine.m, flow, instr.dst, instr.src)
    return state


@handles(ir.Load)
def run_load(engine: Engine, instr: ir.Load, state: State, flow: Flow) -> State | None:
    """A name read."""
    state.registers[-1][instr.dst] = lookup(engine, state, flow, instr.name, instr.scope)
    Hints.name(engine.m, flow, instr.dst, instr.name.split("%")[0])
    return state


@handles(ir.Store)
def run_store(engine: Engine, instr: ir.Store, state: State, flow: Flow) -> State | None:
    """A name bound."""
    value = state.registers[-1].get(instr.src, ANYTHING)
    old = lookup(engine, state, flow, instr.name, instr.scope)
    check_rebound(engine.m, state, old, value, instr.name, engine.m.place(instr.origin))
    bind_name(engine, state, flow, instr.name, instr.scope, value)
    return state


@handles(ir.Unbind)
def run_unbind(engine: Engine, instr: ir.Unbind, state: State, flow: Flow) -> State | None:
    """``del name``."""
    frame = state.heap.get(flow.frame if instr.scope != "global" else flow.module)
    if isinstance(frame, Frame) and instr.name in frame.names:
        names = {k: v for k, v in frame.names.items() if k != instr.name}
        state.heap[flow.frame if instr.scope != "global" else flow.module] = Frame(names, frame.parent)
    return state


@handles(ir.Annotate)
def run_annotate(engine: Engine, instr: ir.Annotate, state: State, flow: Flow) -> State | None:
    """An annotation; in a class body it declares a field, in order."""
    if flow.code.kind == "class" and not re.match(r"(\w+\.)?(ClassVar|KW_ONLY)\b", instr.annotation):
        frame = state.heap.get(flow.frame)
        if isinstance(frame, Frame):
            fields = frame.names.get("*fields", NOTHING)
            names = {**frame.names, "*fields": {**fields, Const(instr.name, "field"): TRUE}}
            state.heap[flow.frame] = Frame(names, frame.parent)
    return state


@handles(ir.GetAttr)
def run_getattr(engine: Engine, instr: ir.GetAttr, state: State, flow: Flow) -> State | None:
    """An attribute read."""
    obj = state.registers[-1].get(instr.obj, ANYTHING)
    value = attributes.get(engine, state, flow, obj, instr.attr, engine.m.place(instr.origin))
    state.registers[-1][instr.dst] = value
    Hints.attribute(engine.m, flow, instr.dst, instr.obj, instr.attr)
    return state


@handles(ir.SetAttr)
def run_setattr(engine: Engine, instr: ir.SetAttr, state: State, flow: Flow) -> State | None:
    """An attribute written."""
    obj = state.registers[-1].get(instr.obj, ANYTHING)
    value = state.registers[-1].get(instr.src, ANYTHING)
    place = engine.m.place(instr.origin)
    attributes.put(engine, state, flow, obj, instr.attr, value, place, Hints.of(engine.m, flow, instr.obj))
    return state


@handles(ir.DelAttr)
def run_delattr(engine: Engine, instr: ir.DelAttr, state: State, flow: Flow) -> State | None:
    """An attribute deleted."""
    deleting.attribute(state, state.registers[-1].get(instr.obj, ANYTHING), instr.attr)
    return state


@handles(ir.GetItem)
def run_getitem(engine: Engine, instr: ir.GetItem, state: State, flow: Flow) -> State | None:
    """An element read."""
    regs = state.registers[-1]
    obj, index = regs.get(instr.obj, ANYTHING), regs.get(instr.index, ANYTHING)
    value = items.get(
        engine, state, flow, obj, index, engine.m.place(instr.origin), Hints.of(engine.m, flow, instr.obj)
    )
    state.registers[-1][instr.dst] = value
    Hints.item(engine.m, flow, instr.dst, instr.obj)
    return state


@handles(ir.SetItem)
def run_setitem(engine: Engine, instr: ir.SetItem, state: State, flow: Flow) -> State | None:
    """An element written."""
    regs = state.registers[-1]
    obj, index = regs.get(instr.obj, ANYTHING), regs.get(instr.index, ANYTHING)
    value = regs.get(instr.src, ANYTHING)
    target = Hints.of(engine.m, flow, instr.obj)
    items.put(engine, state, flow, obj, index, value, engine.m.place(instr.origin), target)
    return state


@handles(ir.DelItem)
def run_delitem(engine: Engine, instr: ir.DelItem, state: State, flow: Flow) -> State | None:
    """An element deleted."""
    regs = state.registers[-1]
    deleting.item(engine, state, regs.get(instr.obj, ANYTHING), regs.get(instr.index, ANYTHING))
    return state


@handles(ir.MakeSlice)
def run_slice(engine: Engine, instr: ir.MakeSlice, state: State, flow: Flow) -> State | None:
    """A slice, with the bounds that are constant."""

    def bound(reg: int | None) -> object:
        if reg is None:
            return None
        value = constant_of(state.registers[-1].get(reg, ANYTHING))
        return value if value is None or isinstance(value, int) else ...

    state.registers[-1][instr.dst] = one(SliceAtom(bound(instr.lower), bound(instr.upper), bound(instr.step)))
    return state


@handles(ir.Unary)
def run_unary(engine: Engine, instr: ir.Unary, state: State, flow: Flow) -> State | None:
    """A unary operator."""
    operand = state.registers[-1].get(instr.operand, ANYTHING)
    value = operators.unary(engine, state, flow, instr.op, operand, engine.m.place(instr.origin))
    state.registers[-1][instr.dst] = value
    return state


@handles(ir.Binary)
def run_binary(engine: Engine, instr: ir.Binary, state: State, flow: Flow) -> State | None:
    """A binary operator."""
    regs = state.registers[-1]
    left, right = regs.get(instr.left, ANYTHING), regs.get(instr.right, ANYTHING)
    value = operators.binary(engine, state, flow, instr.op, left, right, engine.m.place(instr.origin))
    state.registers[-1][instr.dst] = value
    return state


@handles(ir.InPlace)
def run_inplace(engine: Engine, instr: ir.InPlace, state: State, flow: Flow) -> State | None:
    """The in-place operator of an augmented assignment."""
    regs = state.registers[-1]
    left, right = regs.get(instr.left, ANYTHING), regs.get(instr.right, ANYTHING)
    target = Hints.of(engine.m, flow, instr.left)
    value = operators.in_place(engine, state, flow, instr.op, left, right, engine.m.place(instr.origin), target)
    state.registers[-1][instr.dst] = value
    return state


@handles(ir.Compare)
def run_compare(engine: Engine, instr: ir.Compare, state: State, flow: Flow) -> State | None:
    """A comparison."""
    regs = state.registers[-1]
    left, right = regs.get(instr.left, ANYTHING), regs.get(instr.right, ANYTHING)
    value = operators.compare(engine, state, instr.op, left, right, engine.m.place(instr.origin))
    state.registers[-1][instr.dst] = value
    return state


@handles(ir.Build)
def run_build(engine: Engine, instr: ir.Build, state: State, flow: Flow) -> State | None:
    """A display: tuple, list, set or dict."""
    regs = state.registers[-1]
    origin = instr.origin
    if instr.kind == "dict":
        entries: dict[object, Value] = {}
        rest: Value = NOTHING
        for item in instr.items:
            value = regs.get(item.reg, ANYTHING)
            if item.star:
                for atom in value:
                    box = state.heap.get(atom) if isinstance(atom, int) else None
                    if isinstance(box, Container):
                        entries.update(box.entries or {})
                        rest = union((rest, box.rest))
                    else:
                        rest = union((rest, ANYTHING))
                continue
            key = constant_of(regs.get(item.key, ANYTHING)) if item.key is not None else ...
            if key is ... or not _hashable(key):
                rest = union((rest, value))
            else:
                entries[key] = value
        box_made = Container("dict", (), entries, rest)
        state.registers[-1][instr.dst] = one(state.allocate(engine.m.oid(origin, f"dict{instr.dst}"), box_made))
        return state
    elements: list[Value] | None = []
    found: list[Value] = []
    order: sequences.Order | None = sequences.EMPTY
    for item in instr.items:
        value = regs.get(item.reg, ANYTHING)
        if not item.star:
            if elements is not None:
                elements.append(value)
            order = None if order is None else sequences.appended(order, value)
            found.append(value)
            continue
        inner = iteration.elements(engine, state, flow, value, engine.m.place(origin))
        if inner.exact is not None and elements is not None:
            elements.extend(inner.exact)
        else:
            elements = None
        more = inner.ordered()
        order = None if order is None or more is None else sequences.concatenated(order, more)
        found.append(inner.any)
    # Only joined where it is asked for: displays may have thousands of elements.
    box_made = (
        Container(instr.kind, tuple(elements)) if elements is not None else sequence(instr.kind, order, union(found))
    )
    state.registers[-1][instr.dst] = one(state.allocate(engine.m.oid(origin, f"{instr.kind}{instr.dst}"), box_made))
    return state


def _hashable(key: object) -> bool:
    return isinstance(key, (str, int, float, bool, bytes, type(None), tuple))


@handles(ir.Append)
def run_append(engine: Engine, instr: ir.Append, state: State, flow: Flow) -> State | None:
    """A comprehension's next element."""
    regs = state.registers[-1]
    item = regs.get(instr.item, ANYTHING)
    pairing.note(engine.m, state, item)
    for atom in regs.get(instr.collection, ANYTHING):
        if not isinstance(atom, int):
            continue
        box = state.heap.get(atom)
        if not isinstance(box, Container):
            continue
        if box.kind == "dict":
            key = constant_of(regs.get(instr.key, ANYTHING)) if instr.key is not None else ...
            if key is not ... and _hashable(key) and box.entries is not None:
                state.put(atom, Container("dict", (), {**box.entries, key: item}, box.rest, box.default))
            else:
                state.put(atom, Container("dict", (), box.entries, union((box.rest, item)), box.default))
        elif box.items is None or len(box.items) > 64:
            order = order_of(box)
            grown = None if order is None else sequences.appended(order, item)
            state.put(atom, sequence(box.kind, grown, union((contents(box), item))))
        else:
            state.put(atom, Container(box.kind, (*box.items, item)))
    return state


@handles(ir.FormatString)
def run_format(engine: Engine, instr: ir.FormatString, state: State, flow: Flow) -> State | None:
    """An f-string; known only where all its parts are."""
    parts: list[str] = []
    for part in instr.parts:
        if isinstance(part, str):
            parts.append(part)
            continue
        value = constant_of(state.registers[-1].get(part, ANYTHING))
        if value is ... or not isinstance(value, (str, int, bool)):
            regs = state.registers[-1]
            shapes = [
                re.escape(p) if isinstance(p, str) else text.pattern_of(engine.m, regs.get(p, ANYTHING))
                for p in instr.parts
            ]
            values = [regs.get(p, ANYTHING) for p in instr.parts if not isinstance(p, str)]
            regs[instr.dst] = text.unknown(engine, state, instr.origin, "".join(shapes), values)
            return state
        parts.append(str(value))
    state.registers[-1][instr.dst] = const("".join(parts))
    return state


@handles(ir.Unpack)
def run_unpack(engine: Engine, instr: ir.Unpack, state: State, flow: Flow) -> State | None:
    """Sequence unpacking, starred or not."""
    source = state.registers[-1].get(instr.src, ANYTHING)
    place = engine.m.place(instr.origin)
    wanted = len(instr.targets)
    inner = iteration.elements(engine, state, flow, source, place, wanted if instr.star is None else None)
    exact = inner.exact
    if exact is not None and instr.star is None and len(exact) == wanted:
        for reg, value in zip(instr.targets, exact, strict=True):
            state.registers[-1][reg] = value
        return state
    if exact is not None and instr.star is not None and len(exact) >= wanted - 1:
        after = wanted - 1 - instr.star
        middle = exact[instr.star : len(exact) - after]
        box = Container("list", tuple(middle))
        star = one(state.allocate(engine.m.oid(instr.origin, f"star{instr.targets[instr.star]}"), box))
        spread = [*exact[: instr.star], star, *exact[len(exact) - after :]]
        for reg, value in zip(instr.targets, spread, strict=True):
            state.registers[-1][reg] = value
        return state
    for number, reg in enumerate(instr.targets):
        if number == instr.star:
            box = Container("list", None, None, inner.any)
            state.registers[-1][reg] = one(state.allocate(engine.m.oid(instr.origin, f"star{reg}"), box))
        else:
            state.registers[-1][reg] = inner.numbered(engine, number)
    return state


@handles(ir.Import)
def run_import(engine: Engine, instr: ir.Import, state: State, flow: Flow) -> State | None:
    """An import: modules of the project are linked when they are used, outside ones are symbols."""
    state.registers[-1][instr.dst] = linking.imported(engine, instr)
    return state


@handles(ir.ImportStar)
def run_import_star(engine: Engine, instr: ir.ImportStar, state: State, flow: Flow) -> State | None:
    """A star import is remembered, and asked for names that nothing else binds."""
    frame = state.heap.get(flow.module)
    if isinstance(frame, Frame):
        stars = {**frame.names.get("*", NOTHING), **linking.star(engine, instr)}
        state.heap[flow.module] = Frame({**frame.names, "*": stars}, frame.parent)
    return state


@handles(ir.MakeFunction)
def run_make_function(engine: Engine, instr: ir.MakeFunction, state: State, flow: Flow) -> State | None:
    """A function value with its defaults and the frame it closes over."""
    defaults = {name: state.registers[-1].get(reg, ANYTHING) for name, reg in instr.defaults}
    nested = flow.code.kind in ("function", "lambda")
    engine.m.captured.add(flow.frame)
    parent: int | None = flow.frame if nested else None
    if flow.code.kind == "class":
        frame = state.heap.get(flow.frame)
        parent = frame.parent if isinstance(frame, Frame) else None
    function = Function(instr.code, defaults, parent, flow.module)
    oid = state.allocate(engine.m.oid(instr.origin, f"function {instr.code.name}"), function)
    state.registers[-1][instr.dst] = one(oid)
    return state


@handles(ir.MakeClass)
def run_make_class(engine: Engine, instr: ir.MakeClass, state: State, flow: Flow) -> State | None:
    """A class: its body is run once, and the names it bound are the attributes."""
    m = engine.m
    m.captured.add(flow.frame)
    bases = tuple(state.registers[-1].get(reg, ANYTHING) for reg in instr.bases)
    frame = m.oid(instr.origin, "class body")
    parent = flow.frame if flow.code.kind in ("function", "lambda") else None
    if flow.code.kind == "class":
        above = state.heap.get(flow.frame)
        parent = above.parent if isinstance(above, Frame) else None
    state.heap[frame] = Frame({}, parent)
    inner = Flow(frame, flow.module, instr.code, raises=flow.raises)
    m.live_frames.append(frame)
    state.registers.append({})
    after = engine.run(instr.code.body, state, inner)
    m.live_frames.pop()
    if after is None:
        return None
    after.registers.pop()
    body = after.heap.pop(frame)
    names: Mapping[str, Value] = body.names if isinstance(body, Frame) else {}
    declared = [str(a.value) for a in names.get("*fields", NOTHING) if isinstance(a, Const)]
    attrs = {k: v for k, v in names.items() if not k.startswith("*")}
    made = Class(
        instr.code.name,
        instr.code.qualname,
        bases,
        attrs,
        tuple((n, n in attrs) for n in declared),
        instr.code,
        False,
        flow.module,
    )
    oid = after.allocate(m.oid(instr.origin, "class"), made)
    for value in attrs.values():
        for atom in value:
            function = after.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(function, Function) and isinstance(atom, int):
                after.heap[atom] = replace(function, owner=oid)
    after.registers[-1][instr.dst] = one(oid)
    return after


@handles(ir.Decorate)
def run_decorate(engine: Engine, instr: ir.Decorate, state: State, flow: Flow) -> State | None:
    """A decorator applied."""
    regs = state.registers[-1]
    decorator, target = regs.get(instr.decorator, ANYTHING), regs.get(instr.target, ANYTHING)
    value = calls.decorate(engine, state, flow, decorator, target, engine.m.place(instr.origin))
    if value is None:
        return None
    state.registers[-1][instr.dst] = value
    return state


@handles(ir.Call)
def run_call(engine: Engine, instr: ir.Call, state: State, flow: Flow) -> State | None:
    """A call of whatever the register holds."""
    return calls.run(engine, instr, state, flow)


@handles(ir.Await)
def run_await(engine: Engine, instr: ir.Await, state: State, flow: Flow) -> State | None:
    """Coroutines are run where they are called, so awaiting one changes nothing."""
    state.registers[-1][instr.dst] = state.registers[-1].get(instr.value, ANYTHING)
    return state


@handles(ir.Yield)
def run_yield(engine: Engine, instr: ir.Yield, state: State, flow: Flow) -> State | None:
    """A yield: the value goes to whoever takes it up; what is sent in is unknown."""
    value = one(Const(None, "NoneType")) if instr.value is None else state.registers[-1].get(instr.value, ANYTHING)
    after = calls.run_yield(state, flow, value, engine.m.place(instr.origin))
    if after is not None:
        after.registers[-1][instr.dst] = ANYTHING
    return after


@handles(ir.Unknown)
def run_unknown(engine: Engine, instr: ir.Unknown, state: State, flow: Flow) -> State | None:
    """Syntax without meaning here."""
    unknown: Unknown = engine.m.fresh(state, instr.origin, "unknown", "no", False)
    state.registers[-1][instr.dst] = {unknown: TRUE}
    return state
